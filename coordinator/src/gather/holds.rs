//! Which records of the inbox are still needed, and so from where a replay has to start.

use std::collections::BTreeSet;

use longshore_schemas::{GroupId, Revision};

/// One opening of a group: each has one result.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKey {
    /// The group.
    pub group_id: GroupId,
    /// Which opening of it.
    pub revision: Revision,
}

/// Holds `low` at an inbox offset until the effect that releases it is in a committed transaction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hold {
    from: i64,
    of: Held,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Held {
    Group(GroupKey),
    WaitingPart,
}

impl Hold {
    /// From which offset on.
    pub(super) fn from(&self) -> i64 {
        self.from
    }

    /// The group that holds it, if it is one.
    pub(super) fn group_key(&self) -> Option<&GroupKey> {
        match &self.of {
            Held::Group(key) => Some(key),
            Held::WaitingPart => None,
        }
    }

    /// A group that is open, or closed but not yet so in Kafka, needs all its records.
    pub(super) fn group(from: i64, key: GroupKey) -> Self {
        Self { from, of: Held::Group(key) }
    }

    /// A part that waits for its opening stands nowhere but in the inbox.
    pub(super) fn waiting_part(offset: i64) -> Self {
        Self { from: offset, of: Held::WaitingPart }
    }
}

/// All holds of a partition, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Holds(BTreeSet<Hold>);

impl Holds {
    pub(super) fn add(&mut self, hold: Hold) {
        self.0.insert(hold);
    }

    pub(super) fn release(&mut self, hold: &Hold) {
        self.0.remove(hold);
    }

    pub(super) fn oldest_first(&self) -> impl Iterator<Item = &Hold> {
        self.0.iter()
    }

    /// The oldest record needed by whatever is not `leaving`, if it lies below `position`.
    pub(super) fn low(&self, position: i64, leaving: &BTreeSet<Hold>) -> i64 {
        let staying = self.0.iter().find(|hold| !leaving.contains(hold));
        staying.map_or(position, |hold| hold.from.min(position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low_is_the_oldest_hold_that_stays_and_never_beyond_the_position() {
        let mut holds = Holds::default();
        assert_eq!(holds.low(7, &BTreeSet::new()), 7);
        for offset in [3, 5, 9] {
            holds.add(Hold::waiting_part(offset));
        }
        assert_eq!(holds.low(7, &BTreeSet::new()), 3);
        assert_eq!(holds.low(7, &BTreeSet::from([Hold::waiting_part(3)])), 5);
        holds.release(&Hold::waiting_part(3));
        holds.release(&Hold::waiting_part(5));
        assert_eq!(holds.low(7, &BTreeSet::new()), 7);
    }
}
