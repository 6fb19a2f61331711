//! An item that may have killed its owners is tried alone in its process.

use std::time::Duration;

use super::super::QUIET_WAIT_MAX;
use super::fixture::*;
use crate::lane::broker::Committed;
use crate::lane::progress::{FinishedMap, Metadata};
use crate::lane::siblings::Siblings;
use crate::{Offset, Partition};

const BUSY: Partition = Partition(0);
const SUSPECT: Partition = Partition(1);

/// Nothing is published yet; of all partitions but the first, items are to be tried alone.
fn with_suspects(seed: u64, suspects: i32) -> Fleet {
    let fleet = Fleet::new(seed, 1 + suspects);
    let metadata = Metadata {
        base: Offset(0),
        owner: "died-1".to_owned(),
        seq: 0,
        order: "k".to_owned(),
        topic: None,
        guard: "w32.100".to_owned(),
        state: String::new(),
        finished: FinishedMap::default(),
    };
    let committed = Committed { offset: Offset(0), metadata: metadata.to_string() };
    for suspect in (1..=suspects).map(Partition) {
        fleet.cluster.set_committed(GROUP, &input(), suspect, Some(committed.clone()));
    }
    fleet
}

/// The first lane works on an item that doesn't end.
fn keep_busy(fleet: &mut Fleet) {
    let offset = fleet.publish_one(BUSY, Some("a"), "small");
    if let Some(lane) = fleet.lanes.get_mut(&0) {
        lane.step.stuck.insert((BUSY, offset));
    }
    fleet.until("it is at work", |fleet| fleet.lanes[&0].core.in_flight() == 1);
}

fn turns(fleet: &mut Fleet, count: usize) {
    (0..count).for_each(|_| fleet.turn().expect("all go on"));
}

#[test]
fn a_suspect_waits_for_what_is_at_work_beside_it_but_not_for_ever() {
    let mut fleet = with_suspects(41, 2);
    fleet.start(0);
    keep_busy(&mut fleet);
    for (suspect, done) in [(SUSPECT, 0), (Partition(2), 5)] {
        turns(&mut fleet, 2);
        fleet.publish_to(suspect, 5);
        turns(&mut fleet, 50);
        fleet.cluster.advance(QUIET_WAIT_MAX - Duration::from_secs(2));
        turns(&mut fleet, 50);
        assert_eq!(fleet.outputs().len(), done, "something is at work beside it");
        fleet.cluster.advance(Duration::from_secs(2));
        fleet.until("it is tried all the same", |fleet| fleet.outputs().len() == done + 5);
    }
}

#[test]
fn a_suspect_waits_for_the_other_lanes_of_its_process_which_begin_nothing_until_it_is_through() {
    let mut fleet = with_suspects(42, 1);
    let family = Siblings::default();
    for slot in 0..2 {
        fleet.start_with(slot, |config| config.siblings = family.clone());
        fleet.until("it has its share", |fleet| {
            fleet.lanes[&slot].core.partitions().count() == 2 - slot
        });
    }
    fleet.until("each has one", |fleet| fleet.lanes[&1].core.partition(SUSPECT).is_some());
    keep_busy(&mut fleet);
    fleet.publish_to(SUSPECT, 5);
    turns(&mut fleet, 50);
    fleet.publish_to(BUSY, 5);
    turns(&mut fleet, 50);
    assert_eq!(fleet.outputs().len(), 0, "the other lane is at work");
    assert_eq!(fleet.lanes[&0].core.in_flight(), 1, "nothing begins beside it");
    if let Some(lane) = fleet.lanes.get_mut(&0) {
        lane.step.stuck.clear();
    }
    fleet.until("both go on", Fleet::is_done);
    fleet.check();
}
