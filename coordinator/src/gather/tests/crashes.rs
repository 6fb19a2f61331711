//! A crash at any point, and the replay after it, change nothing that was or will be written.

use std::collections::BTreeSet;

use longshore_schemas::records::{
    Carried, CarriedPart, Expect, GroupOpen, InboxRecord, JournalRecord,
};
use longshore_schemas::{GroupId, Timestamp};
use proptest::prelude::*;

use super::owners::*;
use super::words::*;
use crate::gather::{Action, Effect, Gather, OnFailed, Rules};

fn record() -> impl Strategy<Value = InboxRecord> {
    let group = || prop::sample::select(vec!["a", "b", "c", "d"]);
    let revision = || prop::sample::select(vec![1_u32, 1, 1, 2]);
    let expect = prop_oneof![
        (0_u32..3).prop_map(Expect::Count),
        Just(Expect::OpenEnded),
        Just(listed(&["p0", "s1", "x0"])),
    ];
    let outcome = (
        prop::sample::select(vec!["+", "+", "+", "~", "!"]),
        prop::sample::select(vec!["p", "s", "s", "x"]),
        0_u32..3,
        prop::sample::select(vec!["", "", "", "@1", "'"]),
    );
    let token = outcome.prop_map(|(sign, stage, id, rest)| format!("{sign}{stage}{id}{rest}"));
    prop_oneof![
        2 => (group(), revision(), expect).prop_map(|(g, r, expect)| open(g, r, expect)),
        1 => (group(), revision(), 0_u32..3).prop_map(|(g, r, total)| seal(g, r, total)),
        9 => (group(), revision(), token).prop_map(|(g, r, token)| part(g, r, &token)),
        1 => Just(tick()),
    ]
}

fn inbox() -> impl Strategy<Value = Vec<(Timestamp, InboxRecord)>> {
    prop::collection::vec((0_i64..120, record()), 1..60).prop_map(|records| {
        let stamp = |now: &mut i64, (gap, record)| {
            *now += gap;
            Some((Timestamp(*now), since(*now, record)))
        };
        records.into_iter().scan(0, stamp).collect()
    })
}

/// Parts of a group opened a while ago: some expired, some not.
fn since(now: i64, record: InboxRecord) -> InboxRecord {
    match record {
        InboxRecord::Outcome(mut outcome) => {
            outcome.opened_at = Timestamp(now - now % 1_500);
            InboxRecord::Outcome(outcome)
        }
        other => other,
    }
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let when = prop::sample::select(vec![
        "all_done",
        "all_ended",
        "any_done",
        "quorum(2)",
        "fraction(0.5)",
        "price.done and not stock.failed",
    ]);
    let on_failed =
        prop::sample::select(vec![OnFailed::Include, OnFailed::Drop, OnFailed::FailFast]);
    let closed_retention = prop::sample::select(vec![TIMEOUT / 8, TIMEOUT, 10 * TIMEOUT]);
    (when, on_failed, closed_retention).prop_map(|(when, on_failed, closed_retention)| Rules {
        on_failed,
        closed_retention: millis(closed_retention),
        ..rules(when)
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Absorb),
        2 => (0_usize..4).prop_map(Step::Commit),
        1 => Just(Step::Commit(usize::MAX)),
        1 => (1_usize..4).prop_map(Step::Carry),
        1 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_crash_at_any_point_changes_nothing_that_is_written(
        inbox in inbox(),
        rules in any_rules(),
        steps in steps(),
        spill_bytes_max in prop::sample::select(vec![0, 4 << 10, 1 << 20]),
    ) {
        let undisturbed = written(&inbox, &rules, &[]);
        let rules = Rules { spill_bytes_max, ..rules };
        prop_assert_eq!(written(&inbox, &rules, &steps), undisturbed);
    }
}

#[test]
fn a_crash_after_each_commit_of_each_record_changes_nothing() {
    let mut inbox: Vec<_> = [
        open("a", 1, Expect::Count(1)),
        part("early", 1, "+p0"),
        open("b", 1, Expect::OpenEnded),
        open("early", 1, Expect::Count(1)),
        part("a", 1, "+p0"),
        part("b", 1, "!s1"),
        part("lost", 1, "+p0"),
        part("a", 1, "+s0"),
        part("a", 1, "+s0"),
        seal("b", 1, 1),
        part("b", 1, "+p0"),
    ]
    .into_iter()
    .enumerate()
    .map(|(index, record)| (Timestamp(index as i64 * 60), record))
    .collect();
    inbox.push((Timestamp(5_000), tick()));
    inbox.push((Timestamp(5_000), part("b", 1, "+s0")));
    let rules = rules("all_done");
    let undisturbed = written(&inbox, &rules, &[]);
    let lines = undisturbed.iter().cloned().map(|action| line(&Effect { at: None, action }));
    assert_eq!(
        lines.collect::<Vec<_>>(),
        [
            "complete by all: +p0 +s0",
            "conflict BeyondSeal !s1",
            "orphan +p0",
            "partial by timeout: +p0 -s0",
            "partial by timeout: +p0 -s0",
            "late +s0",
        ]
    );
    for most in 0..=2 {
        let turn = [Step::Absorb, Step::Commit(most), Step::Crash];
        assert_eq!(written(&inbox, &rules, &turn.repeat(inbox.len())), undisturbed);
        // Carried after every record, and once more by every owner.
        let turn = [Step::Absorb, Step::Carry(9), Step::Commit(most + 1), Step::Crash];
        let kafka = play(&inbox, &rules, &turn.repeat(inbox.len()));
        assert_eq!(kafka.written, undisturbed);
        assert!(kafka.carried >= 8, "{} groups were carried", kafka.carried);
    }
}

#[test]
fn low_stays_until_the_closing_is_in_a_committed_transaction() {
    let mut partition = Partition::new(rules("all_done"));
    partition.feed(open("a", 1, listed(&["p0"])));
    partition.feed(open("b", 1, listed(&["p0"])));
    partition.parts("a", "+p0");
    let hold = partition.effects[0].releases().unwrap().clone();
    assert_eq!(partition.low(), 0);
    assert_eq!(partition.gather.low(3, &BTreeSet::from([hold.clone()])), 1);
    assert_eq!(partition.low(), 0, "the transaction may abort");
    partition.gather.settled(&hold);
    assert_eq!(partition.low(), 1);
}

#[test]
fn changed_rules_act_once_after_the_replay() {
    let mut kafka = Kafka {
        inbox: vec![
            (Timestamp(1), open("a", 1, Expect::Count(2))),
            (Timestamp(2), part("a", 1, "+p0")),
            (Timestamp(3), tick()),
        ],
        ..Kafka::default()
    };
    let mut owner = Owner::start(&kafka, &rules("all_done"));
    (0..3).for_each(|_| owner.absorb(&kafka));
    owner.commit(&mut kafka, usize::MAX);
    assert_eq!((kafka.position, kafka.low, kafka.written.len()), (3, 0, 0));
    let owner = Owner::start(&kafka, &rules("any_done"));
    assert_eq!(
        owner.pending.iter().map(line).collect::<Vec<_>>(),
        ["complete by quorum: +p0 -p1 -s0 -s1"]
    );
    assert_eq!(owner.pending[0].at, None);
    owner.finish(&mut kafka);
    assert_eq!((kafka.written.len(), kafka.low), (1, 3));
    assert_eq!(Owner::start(&kafka, &rules("any_done")).pending, []);
}

#[test]
fn changed_rules_that_call_groups_off_say_so_once_wherever_a_transaction_ends() {
    let groups = ["a", "b", "c"];
    let opened = groups.map(|group| open(group, 1, listed(&["p0", "s0"])));
    let failed = groups.map(|group| part(group, 1, "!p0"));
    let inbox = opened.into_iter().chain(failed).map(|record| (Timestamp(1), record)).collect();
    let mut kafka = Kafka { inbox, ..Kafka::default() };
    let mut owner = Owner::start(&kafka, &rules("all_done"));
    (0..6).for_each(|_| owner.absorb(&kafka));
    owner.commit(&mut kafka, usize::MAX);
    assert_eq!((kafka.position, kafka.written.len()), (6, 0));
    let fail_fast = Rules { on_failed: OnFailed::FailFast, ..rules("all_done") };
    for left in [3, 2, 1, 0] {
        let mut owner = Owner::start(&kafka, &fail_fast);
        assert_eq!(owner.pending.len(), 2 * left);
        owner.commit(&mut kafka, 3);
    }
    let lines = kafka.written.into_iter().map(|action| line(&Effect { at: None, action }));
    let each = ["cancel", "failed by rule: !p0 -s0"];
    assert_eq!(lines.collect::<Vec<_>>(), each.repeat(3));
}

#[test]
fn a_replay_past_the_deadline_closes_at_the_resume() {
    let mut gather = Gather::new(rules("all_done"));
    gather.replay(4, Timestamp(1), open("a", 1, listed(&["p0"])));
    gather.replay(9, Timestamp(1 + TIMEOUT), tick());
    let effects = gather.resume();
    assert_eq!(effects.iter().map(line).collect::<Vec<_>>(), ["partial by timeout: -p0"]);
    let Action::Close(closing) = &effects[0].action else { panic!() };
    assert_eq!((closing.closed.opened_offset, closing.closed.through_offset), (4, 10));
}

fn carried(carried_at: i64) -> Carried {
    let InboxRecord::Open(opening) = open("a", 1, Expect::Count(1)) else { unreachable!() };
    Carried {
        opening: GroupOpen { timeout: millis(1), ..opening },
        deadline: Timestamp(700),
        carried_at,
        parts: vec![CarriedPart { offset: 2, outcome: outcome("a", 1, "+p0") }],
        opened_offset: Some(1),
        total: None,
        duplicates: 0,
        continues: false,
    }
}

#[test]
fn a_carried_group_goes_on_with_its_parts_and_its_deadline() {
    let mut gather = Gather::new(rules("all_done"));
    gather.recall(JournalRecord::Carried(carried(5)));
    assert_eq!(gather.low(8, &BTreeSet::new()), 5);
    // Records below the offset at which it was carried are in it: no duplicates, no conflicts.
    gather.replay(2, Timestamp(2), part("a", 1, "+p0"));
    gather.replay(6, Timestamp(6), tick());
    assert_eq!(gather.resume(), []);
    let group = gather.group(&GroupId::from("a")).unwrap();
    assert_eq!((group.counts.duplicate, group.deadline), (0, Timestamp(700)));
    let effects = gather.absorb(8, Timestamp(8), part("a", 1, "+s0"));
    assert_eq!(effects.iter().map(line).collect::<Vec<_>>(), ["complete by all: +p0 +s0"]);
}

#[test]
fn a_group_carried_twice_goes_on_from_the_last_time() {
    let mut gather = Gather::new(rules("all_done"));
    gather.recall(JournalRecord::Carried(carried(5)));
    gather.recall(JournalRecord::Carried(carried(7)));
    assert_eq!(gather.low(8, &BTreeSet::new()), 7);
    assert_eq!((gather.open_count(), gather.next_deadline()), (1, Some(Timestamp(700))));
}

#[test]
fn a_carried_group_that_closed_since_stays_closed() {
    let mut kafka = Kafka::default();
    let mut owner = Owner::start(&kafka, &rules("all_done"));
    owner.gather.recall(JournalRecord::Carried(carried(0)));
    owner.pending.extend(owner.gather.absorb(0, Timestamp(700), tick()));
    owner.commit(&mut kafka, 1);
    let mut gather = Gather::new(rules("all_done"));
    gather.recall(JournalRecord::Carried(carried(0)));
    gather.recall(kafka.journal[0].clone());
    gather.recall(JournalRecord::Carried(carried(0)));
    assert_eq!((gather.resume(), gather.open_count()), (vec![], 0));
    assert_eq!(gather.low(1, &BTreeSet::new()), 1);
}
