//! Openings, seals, revisions, and what doesn't fit them.

use longshore_schemas::records::{Expect, InboxRecord};

use super::words::*;
use crate::gather::{OnFailed, OnTimeout, Room, Rules, Tolerance, Tolerate};

const NOTHING: [&str; 0] = [];

#[test]
fn a_group_without_parts_closes_at_its_opening() {
    let mut partition = Partition::new(rules("all_done"));
    assert_eq!(partition.feed(open("g", 1, Expect::Count(0))), ["complete by all:"]);
    let mut partition = Partition::new(rules("any_done"));
    assert_eq!(partition.feed(open("g", 1, listed(&[]))), ["partial by all:"]);
}

#[test]
fn a_second_opening_of_one_revision_is_a_conflict_before_and_after_the_close() {
    let mut partition = Partition::new(rules("all_done"));
    partition.feed(open("g", 1, Expect::Count(1)));
    assert_eq!(partition.feed(open("g", 1, Expect::Count(2))), ["conflict SecondOpening"]);
    assert_eq!(partition.parts("g", "+p0 +s0"), ["complete by all: +p0 +s0"]);
    assert_eq!(partition.feed(open("g", 1, Expect::Count(1))), ["conflict SecondOpening"]);
}

#[test]
fn a_higher_revision_opens_a_closed_group_again() {
    let mut partition = Partition::new(rules("all_done"));
    partition.feed(open("g", 1, Expect::Count(1)));
    partition.parts("g", "+p0 +s0");
    assert_eq!(partition.feed(open("g", 2, Expect::Count(1))), NOTHING);
    assert_eq!(partition.parts("g", "+p0"), ["late +p0"]);
    assert_eq!(partition.feed(part("g", 2, "+p0")), NOTHING);
    assert_eq!(partition.feed(part("g", 2, "+s0")), ["complete by all: +p0 +s0"]);
    assert_eq!(partition.feed(open("g", 1, Expect::Count(1))), ["conflict LowerOpening"]);
}

#[test]
fn a_higher_revision_closes_the_open_lower_one_so_that_each_has_its_result() {
    let mut partition = Partition::new(rules("all_done"));
    partition.feed(open("g", 1, Expect::Count(1)));
    partition.parts("g", "+p0");
    let came = partition.feed(open("g", 2, Expect::Count(1)));
    assert_eq!(came, ["partial by command: +p0 -s0"]);
    assert_eq!(partition.parts("g", "+s0"), ["late +s0"]);
    assert!(partition.is_open("g"));
}

#[test]
fn a_higher_opening_that_is_refused_leaves_the_lower_one_open() {
    let mut partition = Partition::new(rules("all_done"));
    partition.feed(open("g", 1, Expect::Count(1)));
    assert_eq!(partition.feed(open("g", 2, Expect::Count(51))), ["conflict TooManyParts"]);
    assert_eq!(partition.parts("g", "+p0 +s0"), ["complete by all: +p0 +s0"]);
}

#[test]
fn a_part_that_is_not_expected_is_a_conflict() {
    let mut partition = Partition::new(rules("all_done"));
    partition.feed(open("g", 1, listed(&["p0", "s3"])));
    assert_eq!(
        partition.parts("g", "+p1 +s0 +x0"),
        ["conflict NotExpected +p1", "conflict NotExpected +s0", "conflict NotExpected +x0"]
    );
    assert_eq!(partition.parts("g", "+s3 +p0"), ["complete by all: +p0 +s3"]);
}

#[test]
fn a_part_listed_twice_is_waited_for_once() {
    let mut partition = Partition::new(rules("all_done"));
    partition.feed(open("g", 1, listed(&["p0", "p0"])));
    assert_eq!(partition.parts("g", "+p0"), ["complete by all: +p0"]);
}

#[test]
fn an_open_ended_group_waits_for_its_seal() {
    let mut partition = Partition::new(rules("all_done"));
    partition.feed(open("g", 1, Expect::OpenEnded));
    assert_eq!(partition.parts("g", "+p0 +s0"), NOTHING);
    assert_eq!(partition.feed(seal("g", 1, 1)), ["complete by all: +p0 +s0"]);
    assert_eq!(partition.feed(seal("g", 1, 1)), NOTHING);
    assert_eq!(partition.gather.dropped().surplus, 1);
}

#[test]
fn parts_after_the_seal_complete_the_group_too() {
    let mut partition = Partition::new(rules("all_ended"));
    partition.feed(open("g", 1, Expect::OpenEnded));
    assert_eq!(partition.feed(seal("g", 1, 1)), NOTHING);
    assert_eq!(partition.parts("g", "+p0 +s0"), ["complete by all: +p0 +s0"]);
}

#[test]
fn parts_beyond_the_seal_are_conflicts_on_either_side_of_it() {
    let mut partition = Partition::new(rules("all_done"));
    partition.feed(open("g", 1, Expect::OpenEnded));
    partition.parts("g", "+p0 +p1 !s2");
    assert_eq!(
        partition.feed(seal("g", 1, 1)),
        ["conflict BeyondSeal +p1", "conflict BeyondSeal !s2"]
    );
    assert_eq!(partition.parts("g", "+s1"), ["conflict NotExpected +s1"]);
    assert_eq!(partition.parts("g", "+s0"), ["complete by all: +p0 +s0"]);
    assert_eq!(partition.gather.open_bytes(), 0);
}

#[test]
fn a_seal_that_says_something_else_is_a_conflict() {
    let mut partition = Partition::new(rules("all_done"));
    assert_eq!(partition.feed(seal("g", 1, 1)), ["conflict SealOfUnknown"]);
    partition.feed(open("g", 1, Expect::OpenEnded));
    assert_eq!(partition.feed(seal("g", 1, 51)), ["conflict TooManyParts"]);
    partition.feed(seal("g", 1, 1));
    assert_eq!(partition.feed(seal("g", 1, 1)), NOTHING);
    assert_eq!(partition.gather.dropped().duplicate, 1);
    assert_eq!(partition.feed(seal("g", 1, 2)), ["conflict SecondSeal"]);
    partition.feed(open("h", 1, Expect::Count(1)));
    assert_eq!(partition.feed(seal("h", 1, 1)), ["conflict NotOpenEnded"]);
}

#[test]
fn only_monotone_rules_are_met_before_the_seal() {
    let before_the_seal = |rules: Rules, tokens: &str| {
        let mut partition = Partition::new(rules);
        partition.feed(open("g", 1, Expect::OpenEnded));
        partition.parts("g", tokens)
    };
    let fail_fast = || Rules { on_failed: OnFailed::FailFast, ..rules("all_done") };
    assert_eq!(before_the_seal(rules("any_done"), "+p0"), ["complete by quorum: +p0"]);
    assert_eq!(before_the_seal(rules("quorum(2)"), "+p0 +s0"), ["complete by quorum: +p0 +s0"]);
    assert_eq!(before_the_seal(fail_fast(), "!p0"), ["cancel", "failed by rule: !p0"]);
    for when in ["all_done", "all_ended", "fraction(0.1)", "price.done", "not stock.failed"] {
        assert_eq!(before_the_seal(rules(when), "+p0 +s0"), NOTHING, "{when}");
    }
    let share = Tolerance::Share("1%".parse().unwrap());
    let tolerate = Tolerate { failed: Some(share), missing: None };
    assert_eq!(before_the_seal(Rules { tolerate, ..fail_fast() }, "!p0 !p1"), NOTHING);
}

#[test]
fn a_group_that_was_never_sealed_waited_for_any_part() {
    for (on_timeout, status) in [(OnTimeout::Partial, "partial"), (OnTimeout::Fail, "failed")] {
        let mut partition = Partition::new(Rules { on_timeout, ..rules("all_done") });
        partition.feed_at(1, open("g", 1, Expect::OpenEnded));
        partition.parts("g", "+p0");
        assert_eq!(partition.feed_at(1 + TIMEOUT, tick()), [format!("{status} by timeout: +p0")]);
        assert_eq!(partition.parts("g", "+p1"), ["late +p1"]);
    }
}

#[test]
fn a_part_of_an_unknown_group_never_opens_one() {
    let mut partition = Partition::new(rules("any_done"));
    assert_eq!(partition.parts("g", "+p0 +s0"), NOTHING);
    assert_eq!((partition.gather.open_count(), partition.gather.waiting_count()), (0, 2));
    assert_eq!(partition.feed_at(3 + ORPHAN_TIMEOUT, tick()), ["orphan +p0", "orphan +s0"]);
    assert_eq!(partition.gather.waiting_count(), 0);
    assert_eq!(partition.gather.open_bytes(), 0);
    assert_eq!(partition.low(), 0, "until both are in Kafka");
    partition.settle();
    assert_eq!(partition.low(), partition.next);
}

#[test]
fn a_part_of_an_expired_group_is_late_at_once() {
    let mut partition = Partition::new(rules("all_done"));
    partition.feed_at(TIMEOUT, tick());
    assert_eq!(partition.feed_at(TIMEOUT, part("g", 1, "+p0")), ["late +p0"]);
    assert_eq!(partition.gather.waiting_count(), 0);
}

#[test]
fn a_part_that_came_before_its_opening_joins_its_group() {
    let mut partition = Partition::new(rules("all_done"));
    partition.feed(tick());
    partition.parts("g", "+s0 +x0");
    assert_eq!(partition.low(), 1);
    assert_eq!(partition.feed(open("g", 1, Expect::Count(1))), ["conflict NotExpected +x0"]);
    assert_eq!(partition.low(), 1, "the group's oldest record stands before its opening");
    assert_eq!(partition.parts("g", "+p0"), ["complete by all: +p0 +s0"]);
    assert_eq!(partition.gather.next_deadline(), None);
    partition.settle();
    assert_eq!(partition.low(), partition.next);
}

#[test]
fn a_part_that_waited_for_a_lower_revision_is_late_once_a_higher_one_opens() {
    let mut partition = Partition::new(rules("all_done"));
    partition.parts("g", "+p0");
    assert_eq!(partition.feed(open("g", 2, Expect::Count(1))), ["late +p0"]);
    assert_eq!(partition.low(), 0, "until the group's closing is in Kafka");
    assert_eq!(partition.gather.waiting_count(), 0);
}

#[test]
fn a_later_failed_attempt_takes_the_place_of_an_earlier_one() {
    let mut partition = Partition::new(rules("all_ended"));
    partition.feed(open("g", 1, Expect::Count(1)));
    assert_eq!(partition.parts("g", "!p0 !p0@2 !p0@1"), NOTHING);
    assert_eq!(partition.gather.dropped().repaired, 2);
    assert_eq!(partition.parts("g", "+p0@1"), ["conflict OtherContent +p0"]);
    assert_eq!(partition.parts("g", "+p0@3 +s0"), ["complete by all: +p0 +s0"]);
}

#[test]
fn a_stage_no_longer_gathered_keeps_its_place_in_the_groups_that_list_it() {
    let mut partition = Partition::new(rules("all_done"));
    partition.feed(open("g", 1, listed(&["p0", "x0"])));
    assert_eq!(partition.parts("g", "+x0 +p0"), ["complete by all: +p0 +x0"]);
}

#[test]
fn closed_groups_are_forgotten_by_number_and_by_time_and_never_open_again() {
    let mut partition = Partition::new(Rules { closed_marks_max: 2, ..rules("all_done") });
    for group in ["a", "b", "c"] {
        partition.feed(open(group, 1, listed(&["p0"])));
        partition.parts(group, "+p0");
    }
    partition.feed(tick());
    assert_eq!(partition.gather.closed_count(), 2);
    assert_eq!(partition.parts("a", "+p0"), NOTHING);
    assert_eq!(partition.gather.waiting_count(), 1, "forgotten, so unknown");
    assert_eq!(partition.feed_at(11 * TIMEOUT, tick()), ["orphan +p0"]);
    assert_eq!((partition.gather.closed_count(), partition.gather.open_count()), (0, 0));
    assert_eq!(partition.parts("c", "+p0"), ["late +p0"]);
}

fn exceeds(partition: &Partition, record: &InboxRecord) -> bool {
    partition.gather.room_for(record, 0) == Room::None
}

#[test]
fn what_would_take_too_much_room_is_known_before_it_is_absorbed() {
    let mut partition = Partition::new(rules("all_done"));
    partition.feed(open("g", 1, Expect::Count(1)));
    let free = partition.gather.open_bytes();
    partition.parts("g", "+p0");
    let used = partition.gather.open_bytes();
    assert!(used > free);
    partition.gather.rules.open_bytes_max = used + 1;
    assert!(exceeds(&partition, &part("g", 1, "+s0")));
    assert!(exceeds(&partition, &open("h", 1, Expect::Count(1))));
    assert!(!exceeds(&partition, &tick()));
    partition.gather.rules.open_bytes_max = 2 * used;
    assert!(!exceeds(&partition, &part("g", 1, "+s0")));
    partition.parts("g", "+s0");
    assert_eq!(partition.gather.open_bytes(), 0);
}

#[test]
fn an_open_group_can_be_looked_at() {
    let mut partition = Partition::new(rules("all_done"));
    partition.feed_at(5, open("g", 1, Expect::Count(2)));
    partition.parts("g", "+p0 +p0 ~s1 !p1");
    let group = partition.gather.group(&"g".into()).unwrap();
    assert_eq!((group.opened_offset, group.deadline.0, group.sealed), (0, 5 + TIMEOUT, true));
    let counts = group.counts;
    assert_eq!((counts.expected, counts.done, counts.skipped, counts.failed), (4, 1, 1, 1));
    assert_eq!((counts.missing, counts.duplicate), (1, 1));
    let missing = partition.gather.missing(&"g".into());
    assert_eq!((missing[0].stage.as_str(), missing[0].part_id.0), ("stock", 0));
    assert_eq!(partition.gather.open_groups().collect::<Vec<_>>(), [group]);
}
