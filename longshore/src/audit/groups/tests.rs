//! Groups with one fault planted in each.

use longshore_schemas::Timestamp;

use super::*;
use crate::audit::report::Verdict;
use crate::inspect::{Consumer, Kind};

fn join() -> AuditedJoin {
    AuditedJoin {
        name: "j".into(),
        consumer: Consumer {
            name: "j".into(),
            kind: Kind::Join,
            group: "p.j".into(),
            topic: "inbox".into(),
        },
        journal: "journal".into(),
        conflicts: "conflicts".into(),
        results: "results".into(),
    }
}

/// A group of two parts in partition 0: opened at 10, ended at 11 and 12 (11 again at 13), closed
/// at 5 of the journal, its result at 7. All before `low`.
struct Case {
    read: JoinRead,
    facts: Vec<OfGroup>,
}

fn at(offset: i64) -> InPartition {
    InPartition { partition: 0, offset }
}

fn ended(part: u32, offset: i64) -> OfGroup {
    OfGroup::Ended { stage: 1, part, at: at(offset) }
}

fn counts(done: u32) -> Counts {
    Counts { expected: 2, done, ..Counts::default() }
}

fn closed(offset: i64, done: u32) -> OfGroup {
    let closed = Closed {
        group_id: "g".into(),
        revision: longshore_schemas::Revision::FIRST,
        status: GroupStatus::Complete,
        completed_by: CompletedBy::All,
        opened_offset: 10,
        through_offset: 14,
        deadline: Timestamp(0),
        watermark: Timestamp(0),
        counts: counts(done),
        missing: Vec::new(),
    };
    OfGroup::Closed { at: at(offset), closing: Closing::of(&closed, true) }
}

fn result(offset: i64, done: u32) -> OfGroup {
    let says = says(GroupStatus::Complete, CompletedBy::All, counts(done));
    OfGroup::Result { at: at(offset), says }
}

impl Case {
    fn good() -> Self {
        let inbox = vec![InboxRead { partition: 0, from: 0, to: 100, low: Some(50) }];
        Self {
            read: JoinRead { inbox, has_progress: true, partial: Vec::new() },
            facts: vec![
                OfGroup::Opened(at(10)),
                ended(0, 11),
                ended(1, 12),
                ended(0, 13),
                closed(5, 2),
                result(7, 2),
            ],
        }
    }

    fn without(mut self, is_it: impl Fn(&OfGroup) -> bool) -> Self {
        self.facts.retain(|it| !is_it(it));
        self
    }

    fn with(mut self, fact: OfGroup) -> Self {
        self.facts.push(fact);
        self
    }

    fn report(&self) -> Report {
        let (join, mut report) = (join(), Report::new(100));
        let joins = [(&join, self.read.clone())];
        let mut groups = Groups::new(&joins);
        let fact =
            |group: &str, what| GroupFact { join: 0, group: group.into(), revision: 1, what };
        // Another group stands behind it, and has nothing to do with it.
        let other = Self::good().facts.into_iter().map(|it| fact("h", it));
        let mut facts: Vec<_> = self.facts.iter().cloned().map(|it| fact("g", it)).collect();
        facts.extend(other);
        facts.sort_unstable();
        facts.iter().for_each(|it| groups.take(it, &mut report));
        groups.close(&mut report);
        report
    }

    fn said(&self) -> Vec<(Invariant, String)> {
        self.report().faults.iter().map(|it| (it.breaks(), it.to_string())).collect()
    }
}

fn is_closing(it: &OfGroup) -> bool {
    matches!(it, OfGroup::Closed { .. })
}

fn is_result(it: &OfGroup) -> bool {
    matches!(it, OfGroup::Result { .. })
}

fn is_opening(it: &OfGroup) -> bool {
    matches!(it, OfGroup::Opened(_))
}

#[test]
fn sound_groups_are_clean_and_counted() {
    let report = Case::good().report();
    assert_eq!((report.verdict(), &report.faults), (Verdict::Clean, &vec![]));
    let told = &report.joins[0];
    let told = (told.openings, told.parts, told.closings, told.results);
    assert_eq!(told, (2, 4, 2, 2));
}

#[test]
fn each_fault_is_named_with_its_record() {
    let table = [
        (Case::good().with(result(9, 2)), Invariant::Eo3, "results/0/9", "it is a second result"),
        (Case::good().with(closed(6, 2)), Invariant::Eo3, "journal/0/6", "it is a second closing"),
        (
            Case::good().without(is_result),
            Invariant::Eo2,
            "journal/0/5",
            "it closes the group, which has no result",
        ),
        (
            Case::good().without(is_result).with(result(7, 1)),
            Invariant::Eo1,
            "results/0/7",
            "it doesn't say what its closing says",
        ),
        (
            Case::good().without(is_opening),
            Invariant::Eo4,
            "journal/0/5",
            "its opening isn't in the inbox where it says",
        ),
        (
            Case::good().without(|it| is_closing(it) || is_result(it)),
            Invariant::Eo2,
            "inbox/0/10",
            "it opens the group, is dealt with, and was never closed",
        ),
        (
            Case::good().without(|it| *it == ended(1, 12)),
            Invariant::Eo4,
            "journal/0/5",
            "it counts 2 parts, and 1 ended in the inbox",
        ),
    ];
    for (case, invariant, place, wrong) in table {
        let told = format!("{place}, of group g revision 1 of j: {wrong}");
        assert_eq!(case.said(), [(invariant, told)]);
    }
}

#[test]
fn a_result_without_a_closing_is_named_beside_the_opening_that_has_none() {
    let case = Case::good().without(is_closing);
    let told = case.said();
    let texts: Vec<_> = told.iter().map(|(_, text)| text.as_str()).collect();
    let of = "of group g revision 1 of j";
    let expected = [
        format!("results/0/7, {of}: its closing isn't in the journal"),
        format!("inbox/0/10, {of}: it opens the group, is dealt with, and was never closed"),
    ];
    assert_eq!(texts, expected);
}

#[test]
fn what_may_still_come_is_no_fault() {
    let mut open = Case::good().without(|it| is_closing(it) || is_result(it));
    open.read.inbox[0].low = Some(10);
    assert_eq!(open.said(), [], "its group is open");
    let mut late = Case::good().without(is_result);
    for fact in &mut late.facts {
        if let OfGroup::Closed { closing, .. } = fact {
            closing.early = false;
        }
    }
    assert_eq!(late.said(), [], "its result was written after results were read");
    let mut newer = Case::good().without(is_opening);
    newer.read.inbox[0].to = 10;
    assert_eq!(newer.said(), [], "it was opened after the inbox was read");
    let set_aside =
        Case::good().without(|it| is_closing(it) || is_result(it)).with(OfGroup::SetAside(at(10)));
    assert_eq!(set_aside.said(), [], "it was set aside");
}

#[test]
fn what_may_be_gone_is_not_checked() {
    let table = [
        ("journal", Case::good().without(is_closing)),
        ("results", Case::good().without(is_result)),
        ("conflicts", Case::good().without(|it| is_closing(it) || is_result(it))),
    ];
    for (topic, mut case) in table {
        case.read.partial = vec![topic.into()];
        let report = case.report();
        assert!(
            report
                .not_checked
                .contains(&NotChecked::JoinExpired { join: "j".into(), topic: topic.into() })
        );
        let inconclusive = report.verdict() == Verdict::Inconclusive;
        assert_eq!(inconclusive, report.faults.is_empty(), "{topic}");
    }
    let mut never = Case::good().without(|it| is_closing(it) || is_result(it));
    never.read.has_progress = false;
    never.read.inbox[0].low = None;
    assert_eq!(never.report().not_checked, [NotChecked::NoLow("p.j".into())].into());
}

/// The form on disk keeps everything.
#[test]
fn facts_are_read_as_they_are_written() {
    let fact = |what| GroupFact { join: 3, group: "orders/1/17".into(), revision: 2, what };
    let mut facts: Vec<_> = Case::good().facts.into_iter().map(fact).collect();
    facts.push(fact(OfGroup::SetAside(at(i64::MAX))));
    for fact in facts {
        let bytes = postcard::to_stdvec(&fact).unwrap();
        assert_eq!(postcard::from_bytes::<GroupFact>(&bytes), Ok(fact));
    }
}
