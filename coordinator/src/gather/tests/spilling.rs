//! Which payloads may leave memory.

use longshore_schemas::records::{Expect, InboxRecord, PartOutcome};

use super::words::*;
use crate::gather::Rules;
use crate::gather::spilling::Movable;

fn partition() -> Partition {
    Partition::new(Rules { spill_bytes_max: 1 << 20, ..rules("all_done") })
}

fn large(group: &str, token: &str) -> InboxRecord {
    let payload = Some(vec![b'x'; 2_000].into());
    InboxRecord::Outcome(PartOutcome { payload, ..outcome(group, 1, token) })
}

#[test]
fn a_payload_that_found_no_place_in_the_file_may_find_one_later() {
    let mut partition = partition();
    partition.feed(open("g", 1, Expect::Count(2)));
    partition.feed(large("g", "+p0"));
    partition.feed(large("g", "+p1"));
    let (place, payload) = partition.gather.next_to_spill().unwrap();
    partition.gather.not_spilled(place.clone());
    assert_eq!(partition.gather.next_to_spill(), Some((place, payload)));
    assert!(partition.gather.next_to_spill().is_some(), "the other one");
    assert_eq!(partition.gather.next_to_spill(), None);
}

#[test]
fn what_has_closed_is_not_remembered_for_ever() {
    let mut partition = partition();
    for number in 0..10_000 {
        let group = format!("g{number}");
        partition.feed(open(&group, 1, listed(&["p0", "p1"])));
        partition.feed(large(&group, "+p0"));
        partition.feed(large(&group, "+p1"));
    }
    assert!(partition.gather.movable.places.len() <= 2 * Movable::TIDY_ABOVE);
}
