//! What is remembered of closed groups: enough to name the status of a part that comes later.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use longshore_schemas::records::{Closed, CompletedBy, ExpectedPart, PartOutcome};
use longshore_schemas::{GroupId, Revision, Timestamp};

use super::parts::Slot;
use super::stages::Stages;

/// The closed groups of a partition, bounded in number and in time. A forgotten one does no harm: a
/// part of an unknown group never opens one.
#[derive(Debug, Default)]
pub(super) struct ClosedMarks {
    marks: HashMap<GroupId, Mark>,
    // One entry a closing, oldest first; it outlives its mark if the group closed again.
    order: VecDeque<(Timestamp, GroupId, Revision)>,
}

#[derive(Debug)]
struct Mark {
    revision: Revision,
    awaited: Awaited,
}

/// Which parts the group waited for in vain until it closed.
#[derive(Debug)]
enum Awaited {
    /// None: it closed early, or had them all. Whatever comes is a surplus.
    None,
    /// These, sorted.
    These(Box<[Slot]>),
    /// Any: it was never sealed.
    Any,
}

impl ClosedMarks {
    pub(super) fn insert(&mut self, closed: &Closed, stages: &mut Stages) {
        let mark = Mark { revision: closed.revision, awaited: Awaited::of(closed, stages) };
        self.order.push_back((closed.watermark, closed.group_id.clone(), closed.revision));
        self.marks.insert(closed.group_id.clone(), mark);
    }

    /// The revision under which the group closed last.
    pub(super) fn revision(&self, group_id: &GroupId) -> Option<Revision> {
        self.marks.get(group_id).map(|mark| mark.revision)
    }

    /// Whether the group closed while it waited for this part.
    pub(super) fn awaited(&self, outcome: &PartOutcome, stages: &Stages) -> bool {
        let slot =
            stages.find(&outcome.stage).map(|stage| Slot { part_id: outcome.part_id, stage });
        match self.marks.get(&outcome.group_id).map(|mark| &mark.awaited) {
            None | Some(Awaited::None) => false,
            Some(Awaited::Any) => true,
            Some(Awaited::These(slots)) => {
                slot.is_some_and(|slot| slots.binary_search(&slot).is_ok())
            }
        }
    }

    /// Forgets what is too old by the watermark, and the oldest of what is too much.
    pub(super) fn trim(&mut self, watermark: Timestamp, retention: Duration, most: usize) {
        while let Some((closed, ..)) = self.order.front()
            && (self.order.len() > most || closed.plus(retention) <= watermark)
        {
            self.forget_first();
        }
    }

    pub(super) fn count(&self) -> usize {
        self.marks.len()
    }

    fn forget_first(&mut self) {
        if let Some((_, group_id, revision)) = self.order.pop_front()
            && self.revision(&group_id) == Some(revision)
        {
            self.marks.remove(&group_id);
        }
    }
}

impl Awaited {
    fn of(closed: &Closed, stages: &mut Stages) -> Self {
        match closed.completed_by {
            CompletedBy::All | CompletedBy::Rule | CompletedBy::Quorum => Self::None,
            // A sealed group that can wait no longer misses something, else it had closed before.
            CompletedBy::Timeout | CompletedBy::Command if closed.missing.is_empty() => Self::Any,
            CompletedBy::Timeout | CompletedBy::Command => Self::these(&closed.missing, stages),
        }
    }

    fn these(missing: &[ExpectedPart], stages: &mut Stages) -> Self {
        let slot = |part: &ExpectedPart| {
            stages.intern(&part.stage).map(|stage| Slot { part_id: part.part_id, stage })
        };
        let mut slots: Vec<_> = missing.iter().filter_map(slot).collect();
        slots.sort_unstable();
        Self::These(slots.into())
    }
}

#[cfg(test)]
mod tests {
    use longshore_schemas::records::{Counts, GroupStatus};

    use super::*;

    fn close(marks: &mut ClosedMarks, group: &str, revision: u32, watermark: i64) {
        let closed = Closed {
            group_id: group.into(),
            revision: Revision(revision),
            status: GroupStatus::Complete,
            completed_by: CompletedBy::All,
            opened_offset: 0,
            through_offset: 1,
            deadline: Timestamp(watermark),
            watermark: Timestamp(watermark),
            counts: Counts::default(),
            missing: vec![],
        };
        marks.insert(&closed, &mut Stages::new(&[]));
    }

    #[test]
    fn the_group_closed_first_is_forgotten_first() {
        let mut marks = ClosedMarks::default();
        for (group, watermark) in [("a", 1), ("b", 2), ("c", 3)] {
            close(&mut marks, group, 1, watermark);
        }
        marks.trim(Timestamp(3), Duration::from_secs(1), 2);
        assert_eq!((marks.count(), marks.revision(&"a".into())), (2, None));
        marks.trim(Timestamp(1_002), Duration::from_secs(1), 2);
        assert_eq!((marks.count(), marks.revision(&"c".into())), (1, Some(Revision(1))));
    }

    #[test]
    fn a_group_closed_again_outlives_its_first_closing() {
        let mut marks = ClosedMarks::default();
        close(&mut marks, "a", 1, 1);
        close(&mut marks, "a", 2, 900);
        marks.trim(Timestamp(1_500), Duration::from_secs(1), 10);
        assert_eq!(marks.revision(&"a".into()), Some(Revision(2)));
        marks.trim(Timestamp(1_900), Duration::from_secs(1), 10);
        assert_eq!(marks.count(), 0);
    }
}
