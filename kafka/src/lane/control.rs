//! How others reach a running lane: ask it to stop, and see what it does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Asks a lane, from any thread, to drain and stop.
#[derive(Clone, Debug, Default)]
pub struct Control {
    drain: Arc<AtomicBool>,
}

impl Control {
    /// Nothing is asked yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing new begins; what was begun is finished and committed, up to the drain timeout.
    pub fn drain(&self) {
        self.drain.store(true, Ordering::Release);
    }

    /// Whether that was asked.
    pub fn is_draining(&self) -> bool {
        self.drain.load(Ordering::Acquire)
    }
}

/// What a lane is doing, told once a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether a producer stands ready.
    pub connected: bool,
    /// Whether the group has given its first assignment (of no partition, perhaps).
    pub joined: bool,
    /// Partitions that are owned.
    pub partitions: usize,
    /// Items that are worked on.
    pub in_flight: usize,
    /// Transactions committed so far.
    pub committed: u64,
}
