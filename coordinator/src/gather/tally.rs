//! The parts of a group, counted per stage, so that no rule has to look at every part.

use longshore_schemas::records::PartStatus;

/// The parts of one stage in one group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StageTally {
    /// Zero for every stage of an open-ended group until it is sealed.
    pub(super) expected: u32,
    pub(super) done: u32,
    pub(super) skipped: u32,
    pub(super) failed: u32,
}

impl StageTally {
    pub(super) fn ended(self) -> u32 {
        self.done + self.skipped + self.failed
    }

    pub(super) fn count(&mut self, status: PartStatus) {
        *self.of(status) += 1;
    }

    pub(super) fn uncount(&mut self, status: PartStatus) {
        *self.of(status) -= 1;
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            expected: self.expected + other.expected,
            done: self.done + other.done,
            skipped: self.skipped + other.skipped,
            failed: self.failed + other.failed,
        }
    }

    fn of(&mut self, status: PartStatus) -> &mut u32 {
        match status {
            PartStatus::Done => &mut self.done,
            PartStatus::Skipped => &mut self.skipped,
            PartStatus::Failed => &mut self.failed,
        }
    }
}
