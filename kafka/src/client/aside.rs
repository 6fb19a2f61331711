//! Calls that may never return are made on a thread of their own.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

/// Makes calls elsewhere, one at a time. One that doesn't return is left behind.
#[derive(Debug)]
pub(super) struct Aside {
    name: &'static str,
    /// The thread that makes the next call; none before the first, and after one was left behind.
    thread: Option<Sender<Job>>,
    /// Each call that hasn't returned holds it.
    under_way: Arc<()>,
}

type Job = Box<dyn FnOnce() + Send>;

impl Aside {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, thread: None, under_way: Arc::new(()) }
    }

    /// What the call returns; none if it doesn't within `patience`. It is left behind then, with
    /// all that it holds, until it returns.
    pub(super) fn call<T: Send + 'static>(
        &mut self,
        patience: Duration,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<Option<T>> {
        let (answer, answered) = mpsc::sync_channel(1);
        let under_way = Arc::clone(&self.under_way);
        let job = Box::new(move || {
            let returned = call();
            drop(under_way);
            // Nobody listens any more if it took too long.
            let _ = answer.send(returned);
        });
        let thread = match self.thread.take() {
            Some(thread) => thread,
            None => start(self.name)?,
        };
        if thread.send(job).is_err() {
            return Err(io::Error::other("the thread has gone"));
        }
        let returned = answered.recv_timeout(patience).ok();
        if returned.is_some() {
            self.thread = Some(thread);
        }
        Ok(returned)
    }

    /// How many calls were left behind and haven't returned since.
    pub(super) fn left_behind(&self) -> usize {
        Arc::strong_count(&self.under_way) - 1
    }
}

/// A thread that makes calls until nobody has any more for it.
fn start(name: &str) -> io::Result<Sender<Job>> {
    let (jobs, next) = mpsc::channel::<Job>();
    let work = move || next.into_iter().for_each(|job| job());
    thread::Builder::new().name(name.to_owned()).spawn(work)?;
    Ok(jobs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_return_what_they_return_and_share_a_thread() {
        let mut aside = Aside::new("test-aside");
        let mut call = || aside.call(Duration::from_secs(60), || thread::current().id());
        let [first, second] = [call(), call()].map(|id| id.expect("a thread"));
        assert!(first.is_some() && first != Some(thread::current().id()));
        assert_eq!(first, second);
        assert_eq!(aside.left_behind(), 0);
    }

    #[test]
    fn a_call_that_does_not_return_is_left_behind_until_it_does() {
        let mut aside = Aside::new("test-aside");
        let (let_go, held) = mpsc::channel::<()>();
        let stuck = aside.call(Duration::from_millis(1), move || held.recv().is_err());
        assert_eq!(stuck.expect("a thread"), None);
        assert_eq!(aside.left_behind(), 1);
        let next = aside.call(Duration::from_secs(60), || 7);
        assert_eq!(next.expect("another thread"), Some(7));
        drop(let_go);
        while aside.left_behind() > 0 {
            thread::yield_now();
        }
    }
}
