//! Clients are dropped on a thread of their own: dropping one waits for its connections, its
//! queues, and sometimes for brokers that don't answer.

use std::any::Any;
use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing::warn;

/// How long the reaper's own drop waits for what it was given.
const FAREWELL: Duration = Duration::from_secs(5);

/// Drops what it is given, in order, elsewhere.
#[derive(Debug)]
pub(super) struct Reaper {
    inbox: Sender<Box<dyn Any + Send>>,
    count: Arc<Count>,
}

/// How many clients still wait to be dropped.
#[derive(Debug, Default)]
struct Count {
    waiting: Mutex<usize>,
    changed: Condvar,
}

impl Reaper {
    pub(super) fn start() -> io::Result<Self> {
        let (inbox, clients) = mpsc::channel();
        let count = Arc::<Count>::default();
        let counted = Arc::clone(&count);
        thread::Builder::new()
            .name("kafka-reaper".to_owned())
            .spawn(move || drop_all(&clients, &counted))?;
        Ok(Self { inbox, count })
    }

    /// Takes a client over.
    pub(super) fn take(&self, client: impl Any + Send) {
        *self.count.waiting() += 1;
        if self.inbox.send(Box::new(client)).is_err() {
            *self.count.waiting() -= 1;
        }
    }

    /// How many are still to be dropped.
    pub(super) fn waiting(&self) -> usize {
        *self.count.waiting()
    }

    /// Waits until no more than `most` are left to be dropped. Whether that is so.
    pub(super) fn wait(&self, most: usize, wait: Duration) -> bool {
        let waiting = self.count.waiting();
        let changed = &self.count.changed;
        let (waiting, _) = changed
            .wait_timeout_while(waiting, wait, |waiting| *waiting > most)
            .unwrap_or_else(PoisonError::into_inner);
        *waiting <= most
    }
}

impl Count {
    fn waiting(&self) -> MutexGuard<'_, usize> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread: ends when its reaper is dropped.
fn drop_all(clients: &Receiver<Box<dyn Any + Send>>, count: &Count) {
    while let Ok(client) = clients.recv() {
        drop(client);
        *count.waiting() -= 1;
        count.changed.notify_all();
    }
}

impl Drop for Reaper {
    /// Waits for a while. A client that hangs longer is left to the end of the process.
    fn drop(&mut self) {
        if !self.wait(0, FAREWELL) {
            warn!(clients = self.waiting(), "kafka clients are slow to close: left behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Slow(Receiver<()>);

    impl Drop for Slow {
        fn drop(&mut self) {
            let _ended = self.0.recv();
        }
    }

    #[test]
    fn a_client_that_hangs_holds_nobody_up_and_is_counted() {
        let reaper = Reaper::start().expect("a thread");
        let (let_go, hang) = mpsc::channel();
        reaper.take(Slow(hang));
        assert!(!reaper.wait(0, Duration::from_millis(1)));
        assert_eq!(reaper.waiting(), 1);
        let_go.send(()).expect("it still hangs");
        assert!(reaper.wait(0, Duration::from_secs(10)));
    }
}
