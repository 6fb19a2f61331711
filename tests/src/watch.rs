//! A fleet that is looked at while something happens to it, and what has to hold of it in the end.

use longshore_kafka::admin::Isolation;
use longshore_schemas::records::{Counts, GroupResult, GroupStatus};

use crate::work::PARTS;
use crate::{Fleet, Onlooker, Process, Shape};

/// A fleet with somebody who looks on.
pub struct Watch<'a> {
    fleet: &'a Fleet,
    onlooker: Onlooker,
}

impl<'a> Watch<'a> {
    /// Somebody looks on from now on.
    pub fn of(fleet: &'a Fleet) -> Self {
        Self { fleet, onlooker: Onlooker::of(fleet) }
    }

    /// Waits until so many items have ended, stops who still works, one after another, and looks at
    /// what there is: each item ended once and those of a key in order, or each group as a whole.
    /// Who looked on saw the same, and the audit finds nothing. How many outputs were aborted.
    pub fn ends_well(self, items: i64, at_work: impl IntoIterator<Item = Process>) -> usize {
        self.fleet.until_ended(usize::try_from(items).expect("a count"));
        at_work.into_iter().for_each(Process::stop);
        let ledger = self.fleet.ledger();
        ledger.each_once(items);
        match self.fleet.shape() {
            Shape::Stage { .. } => ledger.in_key_order(),
            Shape::Join => each_is_whole(&self.fleet.results()),
        }
        self.onlooker.agrees();
        self.fleet.audit_is_clean();
        let [all, kept] = [Isolation::Uncommitted, Isolation::Committed]
            .map(|isolation| self.fleet.outputs(isolation));
        all - kept
    }
}

/// Every group had all of its parts, each of them once.
fn each_is_whole(results: &[GroupResult]) {
    let whole = Counts { expected: PARTS, done: PARTS, ..Counts::default() };
    let is_whole = |it: &&GroupResult| it.status == GroupStatus::Complete && it.counts == whole;
    let others: Vec<_> = results.iter().filter(|it| !is_whole(it)).take(5).collect();
    assert!(others.is_empty(), "results of groups that weren't whole: {others:?}");
}

#[cfg(test)]
mod tests {
    use longshore_schemas::Revision;
    use longshore_schemas::records::CompletedBy;

    use super::*;

    fn result(status: GroupStatus, counts: Counts) -> GroupResult {
        GroupResult {
            group_id: "items/0/0".into(),
            run_id: None,
            revision: Revision(1),
            status,
            completed_by: CompletedBy::All,
            counts,
            missing: Vec::new(),
            payload: None,
            error: None,
        }
    }

    const WHOLE: Counts =
        Counts { expected: PARTS, done: PARTS, skipped: 0, failed: 0, missing: 0, duplicate: 0 };

    #[test]
    fn groups_that_are_whole_pass() {
        each_is_whole(&[result(GroupStatus::Complete, WHOLE)]);
    }

    #[test]
    #[should_panic(expected = "weren't whole")]
    fn a_group_that_was_closed_without_one_of_its_parts_is_found() {
        let counts = Counts { done: PARTS - 1, missing: 1, ..WHOLE };
        each_is_whole(&[
            result(GroupStatus::Complete, WHOLE),
            result(GroupStatus::Partial, counts),
        ]);
    }

    #[test]
    #[should_panic(expected = "weren't whole")]
    fn a_part_that_came_twice_is_found() {
        each_is_whole(&[result(GroupStatus::Complete, Counts { duplicate: 1, ..WHOLE })]);
    }
}
