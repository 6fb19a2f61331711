//! When groups are carried, and what they are afterwards.

use std::collections::BTreeSet;

use longshore_schemas::Timestamp;
use longshore_schemas::records::{Expect, GroupOpen, InboxRecord, JournalRecord};

use super::words::*;
use crate::carrying::records;
use crate::gather::{Action, Carrying, Effect, Gather, Rules};

const REPLAY_MAX: i64 = 100;

fn partition() -> Partition {
    Partition::new(Rules { replay_max: REPLAY_MAX, ..rules("all_done") })
}

fn pass(partition: &mut Partition, records: usize) {
    (0..records).for_each(|_| drop(partition.feed_at(partition.now, tick())));
}

fn carry(partition: &mut Partition) -> Vec<String> {
    carried(partition).effects.iter().map(line).collect()
}

fn carried(partition: &mut Partition) -> Carrying {
    let carrying = partition.gather.carry(Timestamp(partition.now));
    partition.effects.extend(carrying.effects.iter().cloned());
    carrying
}

/// The transaction of all effects is committed: what the journal says of what was carried.
fn commit(partition: &mut Partition) -> Vec<JournalRecord> {
    let carries = partition.settle().into_iter().filter_map(|effect| match effect.action {
        Action::Carry(carry) => Some(records(*carry).unwrap()),
        _ => None,
    });
    carries.flatten().map(JournalRecord::Carried).collect()
}

#[test]
fn an_old_group_is_carried_once_the_tail_is_longer_than_its_bound() {
    let mut partition = partition();
    partition.feed(open("a", 1, Expect::Count(1)));
    partition.parts("a", "+p0");
    pass(&mut partition, 98);
    assert_eq!(carry(&mut partition), [""; 0], "{REPLAY_MAX} records are no more than the bound");
    pass(&mut partition, 1);
    assert_eq!(carry(&mut partition), ["carry a"]);
    assert_eq!(partition.low(), 0, "until it is committed");
    pass(&mut partition, 1);
    assert_eq!(carry(&mut partition), [""; 0], "it is under way");
    let leaving = partition.effects[0].releases().cloned().into_iter().collect();
    assert_eq!(partition.gather.low(102, &leaving), 101, "in its own transaction");
    commit(&mut partition);
    assert_eq!((partition.low(), partition.is_open("a")), (101, true));
    assert_eq!(partition.parts("a", "+s0"), ["complete by all: +p0 +s0"]);
    commit(&mut partition);
    assert_eq!(partition.low(), partition.next);
}

#[test]
fn an_old_tail_is_too_long_however_short_it_is() {
    let mut partition = Partition::new(Rules { replay_age_max: millis(500), ..rules("all_done") });
    partition.feed_at(1, open("a", 1, Expect::Count(1)));
    pass(&mut partition, 30);
    assert_eq!(partition.gather.carry(Timestamp(501)), Carrying::default());
    let carrying = partition.gather.carry(Timestamp(502));
    assert_eq!(carrying.effects.iter().map(line).collect::<Vec<_>>(), ["carry a"]);
}

#[test]
fn no_more_is_carried_than_brings_the_tail_down_to_half_its_bound() {
    let mut partition = partition();
    for group in ["a", "b", "c"] {
        partition.feed(open(group, 1, Expect::Count(1)));
        pass(&mut partition, 40);
    }
    // 123 records; without `a` 82, without `b` 41.
    assert_eq!(carry(&mut partition), ["carry a", "carry b"]);
    commit(&mut partition);
    assert_eq!(partition.low(), 82);
}

#[test]
fn what_would_be_written_again_nearly_as_a_whole_is_not_carried_but_told_once() {
    let mut partition = partition();
    // Two records each, and so four fifths of what it would free.
    for group in 0..60 {
        partition.feed(open(&format!("g{group}"), 1, Expect::Count(1)));
        partition.parts(&format!("g{group}"), "+p0");
        pass(&mut partition, group % 2);
    }
    let refused = carried(&mut partition).refused.unwrap();
    assert_eq!((refused.span, refused.bound), (150, 187));
    assert_eq!(carried(&mut partition), Carrying::default());
    pass(&mut partition, 37);
    assert_eq!(carried(&mut partition), Carrying::default(), "the bound is higher now");
    pass(&mut partition, 1_253);
    assert_eq!(carry(&mut partition).len(), 60, "now it is worth it");
    commit(&mut partition);
    assert_eq!(partition.low(), partition.next);
}

#[test]
fn what_leaves_by_itself_is_waited_for() {
    let mut partition = partition();
    partition.feed(open("closing", 1, listed(&["p0"])));
    partition.feed(open("a", 1, Expect::Count(1)));
    partition.parts("closing", "+p0");
    pass(&mut partition, 100);
    assert_eq!(carried(&mut partition), Carrying::default());
    commit(&mut partition);
    assert_eq!(carry(&mut partition), ["carry a"], "no record has come since");
}

#[test]
fn no_more_is_carried_than_a_take_over_has_memory_for() {
    let rules = Rules { replay_max: REPLAY_MAX, open_bytes_max: 100, ..rules("all_done") };
    let mut partition = Partition::new(rules);
    for group in ["a", "b"] {
        partition.feed(open(group, 1, Expect::Count(1)));
    }
    pass(&mut partition, 200);
    assert!(carried(&mut partition).refused.is_some(), "64 bytes of `a` leave `b` where it is");
}

/// It is by the time that has passed at its owner; what stands in the inbox may be older.
#[test]
fn a_look_for_what_to_carry_makes_nothing_due() {
    let mut partition = partition();
    partition.feed_at(1, open("a", 1, Expect::Count(1)));
    assert_eq!(partition.gather.carry(Timestamp(2 * TIMEOUT)), Carrying::default());
    assert_eq!(partition.parts("a", "+p0 +s0"), ["complete by all: +p0 +s0"]);
}

/// The group of a table's row: what came before it was carried, and what comes of `then` after it.
struct Row {
    expect: Expect,
    before: &'static str,
    then: &'static str,
    comes: &'static [&'static str],
}

fn rows() -> [Row; 7] {
    let row = |expect, before, then, comes| Row { expect, before, then, comes };
    let two = || Expect::Count(1);
    [
        row(two(), "+p0", "+s0", &["complete by all: +p0 +s0"]),
        row(two(), "+p0 +p0", "+p0 +s0", &["complete by all: +p0 +s0; 2 duplicate"]),
        row(two(), "+p0", "+p0' T", &["conflict OtherContent +p0'", "partial by timeout: +p0 -s0"]),
        row(two(), "!p0", "+p0@1 +s0", &["complete by all: +p0 +s0"]),
        row(two(), "+p0", "T +s0", &["partial by timeout: +p0 -s0", "late +s0"]),
        row(
            Expect::OpenEnded,
            "+p0 =1",
            "=1 =2 +s0",
            &["conflict SecondSeal", "complete by all: +p0 +s0"],
        ),
        row(listed(&["p0", "x0"]), "+x0", "+p0", &["complete by all: +p0 +x0"]),
    ]
}

fn feed(partition: &mut Partition, tokens: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for token in tokens.split_whitespace() {
        let from = partition.effects.len();
        match (token, token.strip_prefix('=')) {
            ("T", _) => partition.feed_at(1 + TIMEOUT, tick()),
            (_, Some(total)) => partition.feed(seal("a", 1, total.parse().unwrap())),
            _ => partition.parts("a", token),
        };
        lines.extend(partition.effects[from..].iter().map(with_duplicates));
    }
    lines
}

fn with_duplicates(effect: &Effect) -> String {
    match &effect.action {
        Action::Close(closing) if closing.closed.counts.duplicate > 0 => {
            format!("{}; {} duplicate", line(effect), closing.closed.counts.duplicate)
        }
        _ => line(effect),
    }
}

/// Whoever carried it goes on with the group, and so does who recalls it, after none, some and all
/// of the records that it was carried behind: nothing is lost or counted twice.
#[test]
fn a_carried_group_goes_on_as_if_it_had_not_been() {
    for (number, row) in rows().into_iter().enumerate() {
        let mut partition = partition();
        partition.feed_at(1, open("a", 1, row.expect));
        feed(&mut partition, row.before);
        partition.effects.clear();
        let effects = partition.gather.carry_oldest(1);
        partition.effects.extend(effects);
        let journal = commit(&mut partition);
        let carried_at = partition.next;
        assert_eq!(feed(&mut partition, row.then), row.comes, "row {number}");

        for twice in [false, true] {
            let mut next = Partition::new(rules("all_done"));
            next.gather = Gather::new(rules("all_done"));
            for record in journal.iter().chain(journal.iter().filter(|_| twice)) {
                next.gather.recall(record.clone());
            }
            assert_eq!(next.gather.low(carried_at, &BTreeSet::new()), carried_at);
            // Its own records are read again for the sake of another group.
            next.gather.replay(0, Timestamp(1), open("a", 1, Expect::Count(1)));
            for (offset, token) in (1..).zip(row.before.split_whitespace()) {
                let record = match token.strip_prefix('=') {
                    Some(total) => seal("a", 1, total.parse().unwrap()),
                    None => part("a", 1, token),
                };
                next.gather.replay(offset, Timestamp(2), record);
            }
            next.gather.replayed_to(carried_at);
            assert_eq!(next.gather.resume(), []);
            next.next = carried_at;
            next.now = 10;
            assert_eq!(feed(&mut next, row.then), row.comes, "row {number} recalled");
            assert_eq!(next.gather.open_bytes(), 0);
            assert_eq!(next.gather.carried_bytes, 0);
        }
    }
}

#[test]
fn a_carried_group_keeps_its_run_and_its_parent() {
    let InboxRecord::Open(opening) = open("a", 1, listed(&["p0"])) else {
        panic!("an opening");
    };
    let (run_id, parent) = (Some("run".into()), Some("parent".into()));
    let opening = GroupOpen { run_id, parent, ..opening };
    let (run_id, parent) = (opening.run_id.clone(), opening.parent.clone());
    let mut partition = partition();
    partition.feed(InboxRecord::Open(opening));
    partition.effects = partition.gather.carry_oldest(1);
    let journal = commit(&mut partition);
    let mut next = Gather::new(rules("all_done"));
    journal.into_iter().for_each(|record| next.recall(record));
    assert_eq!(next.resume(), []);
    let effects = next.absorb(partition.next, Timestamp(2), part("a", 1, "+p0"));
    let [Effect { action: Action::Close(closing), .. }] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!((&closing.run_id, &closing.parent), (&run_id, &parent));
}

#[test]
fn a_group_too_large_for_one_record_is_carried_in_several() {
    let mut partition = partition();
    let large = |id: u32| {
        let mut outcome = outcome("a", 1, &format!("+p{id}"));
        outcome.payload = Some(vec![b'x'; 200_000].into());
        longshore_schemas::records::InboxRecord::Outcome(outcome)
    };
    partition.feed(open("a", 1, Expect::Count(9)));
    (0..9).for_each(|id| drop(partition.feed(large(id))));
    partition.effects = partition.gather.carry_oldest(1);
    let journal = commit(&mut partition);
    assert_eq!(journal.len(), 5, "two parts each");
    for record in &journal {
        assert!(record.encode().unwrap().len() < 600_000);
    }
    let recalled = |records: &[JournalRecord]| {
        let mut gather = Gather::new(rules("all_done"));
        records.iter().for_each(|record| gather.recall(record.clone()));
        gather.group(&"a".into()).map(|group| group.counts.done)
    };
    assert_eq!(recalled(&journal), Some(9));
    // A read that begins in the middle finds nothing: then the group has closed or was carried
    // again.
    assert_eq!(recalled(&journal[1..]), None);
}
