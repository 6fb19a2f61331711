//! How far a run is, and how it ended.

use std::time::Duration;

use crate::source::Place;

/// What a run has published so far: committed, each once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Items.
    pub items: u64,
    /// Entries that were set aside as dead letters: lines that are bad, items that were refused.
    pub dead_letters: u64,
    /// Bytes of keys, values and headers.
    pub bytes: u64,
    /// How far the source is published, by this run and those before it.
    pub place: Place,
    /// The time since it began.
    pub elapsed: Duration,
}

impl Progress {
    /// Items a second.
    pub fn rate(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { self.items as f64 / seconds } else { 0.0 }
    }
}

/// What came of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How it ended.
    pub ending: Ending,
    /// Where it went on from an earlier run; the beginning, if there was none.
    pub resumed_at: Place,
    /// What it has published.
    pub published: Progress,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All of the source is published.
    Finished,
    /// All of it was published before: there was nothing to do.
    AlreadyPublished,
    /// It was told to end before the source did. The next run goes on.
    Drained,
}
