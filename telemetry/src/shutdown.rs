//! How the process ends: the first signal asks it to drain, the second one ends it at once.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// A signal that follows the first one this closely is its echo: nobody who lost patience is so
/// quick.
const ECHO: Duration = Duration::from_millis(200);

/// The wish that the process drains. Keep it until the process is done: once dropped it no longer
/// listens, and signals are ignored.
#[derive(Debug)]
pub struct Shutdown {
    draining: CancellationToken,
    _listener: Option<AbortOnDropHandle<()>>,
}

impl Shutdown {
    /// Listens for SIGTERM and SIGINT. The first cancels the token; the process drains, commits,
    /// leaves its groups, and exits with 0 in its own time. The second, of either kind and not
    /// within 200 ms of the first, ends the process where it stands, with 143 (SIGTERM) or 130
    /// (SIGINT) as a shell reports them: what was not committed is aborted by its timeout and done
    /// again, as after a crash.
    ///
    /// Must be called within a tokio runtime; fails if the operating system refuses the listener.
    pub fn listen() -> io::Result<Self> {
        let draining = CancellationToken::new();
        let signals = Signals::register()?;
        let listener = tokio::spawn(drain_then_exit(signals, draining.clone()));
        Ok(Self { draining, _listener: Some(AbortOnDropHandle::new(listener)) })
    }

    /// A shutdown without signals, for tests and for fleets within a process: see
    /// [`begin`](Self::begin).
    pub fn manual() -> Self {
        Self { draining: CancellationToken::new(), _listener: None }
    }

    /// Is cancelled when the process is to drain.
    pub fn token(&self) -> CancellationToken {
        self.draining.clone()
    }

    /// Lets the process drain, as the first signal would.
    pub fn begin(&self) {
        self.draining.cancel();
    }
}

async fn drain_then_exit(mut signals: Signals, draining: CancellationToken) {
    let first = signals.next().await;
    tracing::info!(signal = first.name, "draining, a second signal exits at once");
    draining.cancel();
    // What sends to a process and its group, such as GNU timeout, sends the same signal twice.
    let _ = timeout(ECHO, signals.silence()).await;
    let second = signals.next().await;
    tracing::warn!(signal = second.name, "exiting without draining");
    std::process::exit(second.exit_code);
}

/// A signal that asks for the end.
#[derive(Clone, Copy)]
struct Ending {
    name: &'static str,
    /// 128 and the signal's number.
    exit_code: i32,
}

const TERMINATED: Ending = Ending { name: "SIGTERM", exit_code: 143 };
const INTERRUPTED: Ending = Ending { name: "SIGINT", exit_code: 130 };

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn register() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Ignores what comes, for ever.
    async fn silence(&mut self) {
        loop {
            self.next().await;
        }
    }

    async fn next(&mut self) -> Ending {
        tokio::select! {
            _ = self.terminate.recv() => TERMINATED,
            _ = self.interrupt.recv() => INTERRUPTED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_shutdown_drains_when_it_is_begun() {
        let shutdown = Shutdown::manual();
        let token = shutdown.token();
        assert!(!token.is_cancelled());
        shutdown.begin();
        assert!(token.is_cancelled());
    }
}
