//! A thread beside the lane's own, for calls that may block.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing::warn;

use super::producer::no_thread;
use crate::Failure;

/// How long dropping waits for the thread.
const FAREWELL: Duration = Duration::from_secs(3);

/// A thread that ends soon after its owner has dropped what it listens to.
pub(super) struct SideThread {
    name: &'static str,
    /// Says by its end that the thread has ended.
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl SideThread {
    pub(super) fn start(
        name: &'static str,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<Self, Failure> {
        let (alive, ended) = mpsc::channel::<()>();
        let work = move || {
            let _alive = alive;
            work();
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
        let thread = thread.map_err(|error| no_thread(&error))?;
        Ok(Self { name, ended, thread: Some(thread) })
    }
}

impl Drop for SideThread {
    /// The thread ends after the call that it is at.
    fn drop(&mut self) {
        let is_over = self.ended.recv_timeout(FAREWELL) != Err(RecvTimeoutError::Timeout);
        match self.thread.take() {
            Some(thread) if is_over => {
                if thread.join().is_err() {
                    warn!(thread = self.name, "a side thread panicked");
                }
            }
            _ => warn!(thread = self.name, "a side thread is slow to end: left behind"),
        }
    }
}
