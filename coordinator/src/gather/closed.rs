//! What is remembered of closed groups: enough to name the status of a part that comes later.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use longshore_schemas::records::{Closed, CompletedBy, ExpectedPart, PartOutcome};
use longshore_schemas::{GroupId, Revision, Timestamp};

use super::parts::Slot;
use super::stages::Stages;

/// The closed groups of a partition, bounded in number and in time. A forgotten one does no harm: a
/// part of an unknown group never opens one.
#[derive(Debug)]
pub(super) struct ClosedMarks {
    retention: Duration,
    /// The closings of each group, oldest first: nearly always one.
    marks: HashMap<GroupId, VecDeque<Mark>>,
    /// One entry a closing, oldest first.
    order: VecDeque<(Timestamp, GroupId)>,
}

#[derive(Debug)]
struct Mark {
    revision: Revision,
    /// The watermark at which it closed.
    closed: Timestamp,
    through_offset: i64,
    awaited: Awaited,
}

/// What became of a record's group before the record came, or since, as a replay knows.
pub(super) enum Past<'a> {
    /// It closed under this revision.
    Closed(Revision, &'a Awaited),
    /// It closed, or a newer revision of it did, and took the record in or passed it over.
    Settled,
}

/// Which parts the group waited for in vain until it closed.
#[derive(Debug)]
pub(super) enum Awaited {
    /// None: it closed early, or had them all. Whatever comes is a surplus.
    None,
    /// These, sorted.
    These(Box<[Slot]>),
    /// Any: it was never sealed.
    Any,
}

impl ClosedMarks {
    /// Nothing has closed; what closes is remembered for so long.
    pub(super) fn new(retention: Duration) -> Self {
        Self { retention, marks: HashMap::new(), order: VecDeque::new() }
    }

    pub(super) fn insert(&mut self, closed: &Closed, stages: &mut Stages) {
        self.order.push_back((closed.watermark, closed.group_id.clone()));
        self.marks.entry(closed.group_id.clone()).or_default().push_back(Mark {
            revision: closed.revision,
            closed: closed.watermark,
            through_offset: closed.through_offset,
            awaited: Awaited::of(closed, stages),
        });
    }

    /// What became of the group of a record at offset `at`, by its watermark. None: nothing that is
    /// remembered, or was when the record was first absorbed: a replay knows of more, and must not
    /// go by that.
    pub(super) fn past(
        &self,
        (group_id, revision): (&GroupId, Revision),
        at: i64,
        watermark: Timestamp,
    ) -> Option<Past<'_>> {
        if self.has_closed_since(group_id, revision, at) {
            return Some(Past::Settled);
        }
        let marks = self.marks.get(group_id)?;
        let last = marks.iter().rev().find(|mark| mark.through_offset <= at)?;
        let is_old = last.closed.plus(self.retention) <= watermark;
        (!is_old).then_some(Past::Closed(last.revision, &last.awaited))
    }

    /// Whether the group closed, before the record at `at`, while it waited for this part.
    pub(super) fn awaited(
        &self,
        outcome: &PartOutcome,
        at: i64,
        watermark: Timestamp,
        stages: &Stages,
    ) -> bool {
        match self.past((&outcome.group_id, outcome.revision), at, watermark) {
            Some(Past::Closed(_, awaited)) => awaited.has(outcome, stages),
            Some(Past::Settled) | None => false,
        }
    }

    /// Whether a group, or a newer revision of it, has closed since the record at `at` came.
    pub(super) fn has_closed_since(&self, group_id: &GroupId, revision: Revision, at: i64) -> bool {
        let since = |mark: &Mark| at < mark.through_offset && mark.revision >= revision;
        self.marks.get(group_id).is_some_and(|marks| marks.iter().any(since))
    }

    /// Forgets what is too old by the watermark, and the oldest of what is too much.
    pub(super) fn trim(&mut self, watermark: Timestamp, most: usize) {
        while let Some((closed, _)) = self.order.front()
            && (self.order.len() > most || closed.plus(self.retention) <= watermark)
        {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        let Some((_, group_id)) = self.order.pop_front() else {
            return;
        };
        if let Some(marks) = self.marks.get_mut(&group_id) {
            marks.pop_front();
            if marks.is_empty() {
                self.marks.remove(&group_id);
            }
        }
    }

    pub(super) fn count(&self) -> usize {
        self.marks.len()
    }
}

impl Awaited {
    /// Whether the group closed while it waited for this part.
    fn has(&self, outcome: &PartOutcome, stages: &Stages) -> bool {
        match self {
            Self::None => false,
            Self::Any => true,
            Self::These(slots) => {
                let part_id = outcome.part_id;
                let slot = stages.find(&outcome.stage).map(|stage| Slot { part_id, stage });
                slot.is_some_and(|slot| slots.binary_search(&slot).is_ok())
            }
        }
    }

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

    /// A group that was opened at `opened_offset` closes right behind it.
    fn close(marks: &mut ClosedMarks, revision: u32, opened_offset: i64, watermark: i64) {
        let closed = Closed {
            group_id: "a".into(),
            revision: Revision(revision),
            status: GroupStatus::Complete,
            completed_by: CompletedBy::All,
            opened_offset,
            through_offset: opened_offset + 1,
            deadline: Timestamp(watermark),
            watermark: Timestamp(watermark),
            counts: Counts::default(),
            missing: vec![],
        };
        marks.insert(&closed, &mut Stages::new(&[]));
    }

    /// What a record meets: the revision that has closed, 0 if it is settled, none otherwise.
    fn meets(marks: &ClosedMarks, revision: u32, at: i64, watermark: i64) -> Option<u32> {
        let group_id = "a".into();
        let past = marks.past((&group_id, Revision(revision)), at, Timestamp(watermark))?;
        Some(match past {
            Past::Closed(revision, _) => revision.0,
            Past::Settled => 0,
        })
    }

    fn marks() -> ClosedMarks {
        ClosedMarks::new(Duration::from_secs(1))
    }

    #[test]
    fn a_closing_is_remembered_for_its_time() {
        let mut marks = marks();
        close(&mut marks, 1, 5, 1);
        assert_eq!(meets(&marks, 1, 6, 1_000), Some(1));
        assert_eq!(meets(&marks, 2, 6, 1_000), Some(1));
        assert_eq!(meets(&marks, 1, 6, 1_001), None, "although it isn't forgotten");
        marks.trim(Timestamp(1_001), 10);
        assert_eq!(marks.count(), 0);
    }

    #[test]
    fn the_oldest_of_too_many_are_forgotten() {
        let mut marks = marks();
        (1..=3).for_each(|revision| close(&mut marks, revision, revision.into(), 1));
        marks.trim(Timestamp(1), 1);
        assert_eq!(meets(&marks, 3, 9, 1), Some(3));
        assert_eq!(meets(&marks, 2, 3, 1), Some(0), "as one that a higher revision passed over");
        assert_eq!((marks.order.len(), marks.marks[&"a".into()].len()), (1, 1));
    }

    #[test]
    fn a_replayed_record_meets_what_its_owner_knew() {
        let mut marks = marks();
        close(&mut marks, 2, 5, 100);
        close(&mut marks, 1, 9, 1_200);
        assert_eq!(meets(&marks, 2, 5, 100), Some(0), "it is in what closed first");
        assert_eq!(meets(&marks, 1, 5, 100), Some(0), "a higher revision passed it over");
        assert_eq!(meets(&marks, 1, 4, 90), Some(0), "it is in what closed later");
        assert_eq!(meets(&marks, 3, 5, 100), None, "nothing had closed by then");
        assert_eq!(meets(&marks, 3, 7, 200), Some(2));
        assert_eq!(meets(&marks, 3, 7, 1_150), None, "it wasn't remembered any more");
        assert_eq!(meets(&marks, 2, 10, 1_300), Some(1));
    }

    #[test]
    fn a_group_that_closed_after_it_was_carried_is_not_open() {
        let mut marks = marks();
        close(&mut marks, 1, 5, 1);
        let group_id = "a".into();
        let closed_since = |at| marks.has_closed_since(&group_id, Revision(1), at);
        assert!(closed_since(5) && !closed_since(6));
    }
}
