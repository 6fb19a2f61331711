//! The runtime that handlers run on: one thread, and a clock that only the simulation moves.

use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::yield_now;

/// How often what runs hands its thread on when tasks are served: a batch of items on its way to
/// its task, through the handler and back takes as many.
const ROUNDS: usize = 2;

/// Tasks, and their time.
pub(crate) struct Clockwork {
    runtime: Runtime,
    now: Duration,
    /// How far the runtime's own clock lags behind, because nobody was there to see it move.
    lag: Duration,
}

impl Clockwork {
    pub(crate) fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        Self {
            runtime: runtime.expect("a runtime without threads or sockets"),
            now: Duration::ZERO,
            lag: Duration::ZERO,
        }
    }

    pub(crate) fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    /// How many tasks there are.
    pub(crate) fn tasks(&self) -> usize {
        self.runtime.metrics().num_alive_tasks()
    }

    /// Lets time come to `now` while no task waits for anything.
    pub(crate) fn skip_to(&mut self, now: Duration) {
        self.lag += now.saturating_sub(self.now);
        self.now = now;
    }

    /// Lets time come to `now`, and every task do what it can by then.
    pub(crate) fn advance_to(&mut self, now: Duration) {
        let by = now.saturating_sub(self.now);
        self.now = now;
        let lag = std::mem::take(&mut self.lag);
        self.runtime.block_on(async {
            if lag.is_zero() {
                // Whatever was begun has its timer from before this time passes.
                yield_now().await;
            } else {
                // The same: it hands its thread on.
                tokio::time::advance(lag).await;
            }
            if !by.is_zero() {
                tokio::time::advance(by).await;
            }
            for _ in 0..ROUNDS {
                yield_now().await;
            }
        });
    }
}
