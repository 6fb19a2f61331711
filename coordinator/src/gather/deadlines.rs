//! What closes or is given up by itself, in the order of its time.

use std::collections::BTreeSet;

use longshore_schemas::Timestamp;

use super::holds::GroupKey;

/// Whose time is up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// A group has waited long enough for its parts.
    Group(GroupKey),
    /// The part at this inbox offset has waited long enough for its opening.
    WaitingPart(i64),
}

/// All deadlines of a partition; those of one time by the offset that began to wait.
#[derive(Debug, Default)]
pub(super) struct Deadlines(BTreeSet<(Timestamp, i64, Due)>);

impl Deadlines {
    pub(super) fn add(&mut self, deadline: Timestamp, since: i64, due: Due) {
        self.0.insert((deadline, since, due));
    }

    pub(super) fn remove(&mut self, deadline: Timestamp, since: i64, due: Due) {
        self.0.remove(&(deadline, since, due));
    }

    pub(super) fn first(&self) -> Option<Timestamp> {
        self.0.first().map(|(deadline, ..)| *deadline)
    }

    /// Takes out the first that is due once the watermark has reached it.
    pub(super) fn pop_due(&mut self, watermark: Timestamp) -> Option<Due> {
        if self.first()? > watermark {
            return None;
        }
        self.0.pop_first().map(|(.., due)| due)
    }
}
