//! Deadlines fire by the append times in the log, and by nothing else.

use longshore_schemas::records::Expect;
use longshore_schemas::{Revision, Timestamp};
use proptest::prelude::*;

use super::words::*;
use crate::gather::{Action, Gather};

#[test]
fn deadlines_fire_in_their_order_before_the_record_that_made_them_due() {
    let mut partition = Partition::new(rules("all_done"));
    partition.feed_at(30, open("later", 1, Expect::Count(1)));
    partition.feed_at(20, open("sooner", 1, listed(&["p0"])));
    assert_eq!(partition.gather.next_deadline(), Some(Timestamp(20 + TIMEOUT)));
    // The last part of `sooner` itself was appended after both deadlines.
    let came = partition.feed_at(40 + TIMEOUT, part("sooner", 1, "+p0"));
    assert_eq!(came, ["partial by timeout: -p0", "partial by timeout: -p0 -s0", "late +p0"]);
    assert_eq!(partition.gather.next_deadline(), None);
}

#[test]
fn a_deadline_fires_at_its_millisecond_and_not_before() {
    let mut partition = Partition::new(rules("all_done"));
    partition.feed_at(1, open("g", 1, listed(&["p0"])));
    assert_eq!(partition.feed_at(TIMEOUT, tick()), Vec::<String>::new());
    assert_eq!(partition.feed_at(1 + TIMEOUT, tick()), ["partial by timeout: -p0"]);
}

#[test]
fn a_closing_names_the_records_that_are_dealt_with() {
    let mut partition = Partition::new(rules("all_done"));
    partition.feed_at(1, open("by_rule", 1, listed(&["p0"])));
    partition.feed_at(1, open("by_time", 1, listed(&["p0"])));
    partition.parts("by_rule", "+p0");
    partition.feed_at(1 + TIMEOUT, part("by_time", 1, "+p0"));
    let through = |index: usize| match &partition.effects[index].action {
        Action::Close(closing) => closing.closed.through_offset,
        other => panic!("{other:?}"),
    };
    assert_eq!(through(0), 3, "the record that completed the group is in it");
    assert_eq!(through(1), 3, "the record that moved the time is not");
}

#[test]
fn an_append_time_that_goes_back_moves_nothing() {
    let mut partition = Partition::new(rules("all_done"));
    partition.feed_at(500, tick());
    partition.feed_at(100, open("g", 1, listed(&["p0"])));
    assert_eq!(partition.gather.watermark(), Some(Timestamp(500)));
    assert_eq!(partition.gather.next_deadline(), Some(Timestamp(100 + TIMEOUT)));
}

#[test]
fn an_hour_of_downtime_expires_nothing_whose_parts_wait_in_the_log() {
    let mut partition = Partition::new(rules("all_done"));
    partition.feed_at(1, open("g", 1, Expect::Count(1)));
    // Absorbed an hour later: only the append times count, and a tick's comes after them.
    assert_eq!(partition.feed_at(TIMEOUT - 1, part("g", 1, "+p0")), Vec::<String>::new());
    assert_eq!(partition.feed_at(TIMEOUT, part("g", 1, "+s0")), ["complete by all: +p0 +s0"]);
    assert_eq!(partition.feed_at(3_600_000, tick()), Vec::<String>::new());
}

proptest! {
    /// Whatever comes between, a group gets every part that the broker appended before its
    /// deadline, and closes by its deadline only on a record appended at it or later.
    #[test]
    fn deadlines_never_fire_on_backlog(
        gaps in prop::collection::vec(0_i64..300, 12),
        kinds in prop::collection::vec(0_usize..6, 12),
    ) {
        let mut gather = Gather::new(rules("all_done"));
        gather.absorb(0, Timestamp(0), open("g", 1, Expect::Count(2)));
        let (mut now, mut in_time, mut closed) = (0, 0, None);
        for (index, (gap, kind)) in gaps.iter().zip(&kinds).enumerate() {
            now += gap;
            let token = ["+p0", "+p1", "+s0", "+s1"].get(*kind);
            let record = token.map_or_else(tick, |token| part("g", 1, token));
            if let (Some(_), true) = (token, now < TIMEOUT) {
                in_time |= 1 << kind;
            }
            for effect in gather.absorb(index as i64 + 1, Timestamp(now), record) {
                if let Action::Close(closing) = effect.action {
                    prop_assert_eq!(closing.closed.revision, Revision::FIRST);
                    prop_assert_eq!(closing.parts.len(), i32::count_ones(in_time) as usize);
                    prop_assert!(in_time == 0b1111 || now >= TIMEOUT);
                    prop_assert!(closed.replace(now).is_none());
                }
            }
        }
        prop_assert_eq!(closed.is_some(), in_time == 0b1111 || now >= TIMEOUT);
    }
}
