//! Where partitions are taken up, and what becomes of those whose progress isn't told yet.

use std::time::Duration;

use super::fixture::*;
use crate::lane::config::LaneConfig;
use crate::lane::start::StartPolicy;
use crate::model::{Call, Fault};
use crate::{Offset, Partition, Remedy};

/// Records before the group that it is to leave out, in each partition.
const OLD: i64 = 50;

#[test]
fn a_partition_that_cannot_be_looked_up_keeps_no_other_from_starting() {
    let mut fleet = Fleet::new(31, 3);
    fleet.publish(60);
    let bad = Partition(1);
    fleet.cluster.lose_leader(&input(), bad);
    let end = fleet.cluster.ends(&input(), bad).map_or(0, |(_, end)| end.0 as usize);
    assert!(end > 0, "there is something in it");
    fleet.start(0);
    fleet.until("the others are done", |fleet| fleet.outputs().len() == 60 - end);
    assert!(fleet.lanes[&0].group.is_locating(), "it is asked for still");
    fleet.cluster.elect_leader(&input(), bad);
    fleet.until("all echoed", Fleet::is_done);
    fleet.check();
}

/// A group that begins behind what is there, without a guard that would commit at once that it is
/// at work.
fn latest(config: &mut LaneConfig) {
    config.start = Some(StartPolicy::Latest);
    config.deaths_max = None;
}

fn with_old_records(seed: u64) -> Fleet {
    let mut fleet = Fleet::new(seed, 2);
    for partition in [0, 1].map(Partition) {
        fleet.publish_to(partition, OLD as usize);
    }
    fleet
}

/// Whether whatever is published from now on is done, and nothing else.
fn leaves_out_what_is_old(mut fleet: Fleet) {
    for partition in [0, 1].map(Partition) {
        fleet.publish_one(partition, None, "small");
    }
    let at_end = |fleet: &Fleet| [0, 1].map(|it| fleet.position(it)) == [Some(Offset(OLD + 1)); 2];
    fleet.until("both are done", at_end);
    assert_eq!(fleet.outputs().len(), 2, "the old ones are left out");
}

#[test]
fn a_partition_is_handed_over_with_the_word_where_it_began() {
    let mut fleet = with_old_records(32);
    fleet.start_with(0, latest);
    fleet.until("both are its own", |fleet| fleet.lanes[&0].core.partitions().count() == 2);
    assert_eq!([0, 1].map(|it| fleet.position(it)), [None; 2], "it is committed too soon");
    // Its next owner looks once the group has progress elsewhere.
    for partition in [0, 1].map(Partition) {
        fleet.cluster.lose_leader(&input(), partition);
    }
    fleet.start_with(1, latest);
    fleet.until("it goes on with the other one", |fleet| {
        fleet.lanes[&1].group.is_locating() && (0..2).any(|it| fleet.position(it).is_some())
    });
    for partition in [0, 1].map(Partition) {
        fleet.cluster.elect_leader(&input(), partition);
    }
    fleet.until("each has one", |fleet| {
        fleet.lanes.values().all(|lane| lane.core.partitions().count() == 1)
    });
    leaves_out_what_is_old(fleet);
}

#[test]
fn a_partition_that_is_looked_up_late_is_no_new_one() {
    let mut fleet = with_old_records(33);
    fleet.cluster.lose_leader(&input(), Partition(1));
    fleet.start_with(0, latest);
    fleet.until("the other one has begun", |fleet| fleet.position(0).is_some());
    fleet.cluster.elect_leader(&input(), Partition(1));
    fleet.until("both are its own", |fleet| fleet.lanes[&0].core.partitions().count() == 2);
    leaves_out_what_is_old(fleet);
}

#[test]
fn a_group_that_begins_at_the_end_says_where_that_was_before_anything_comes() {
    let mut fleet = with_old_records(34);
    fleet.start_with(0, latest);
    let said = |fleet: &Fleet| [0, 1].map(|it| fleet.position(it)) == [Some(Offset(OLD)); 2];
    fleet.until("it has said so", said);
    fleet.lanes.clear();
    for partition in [0, 1].map(Partition) {
        fleet.publish_to(partition, 5);
    }
    fleet.start_with(0, latest);
    fleet.until("what came meanwhile is done", |fleet| fleet.outputs().len() == 10);
}

#[test]
fn a_group_that_begins_at_a_time_does_all_from_then_on() {
    let mut fleet = with_old_records(35);
    fleet.cluster.advance(Duration::from_secs(1));
    let time = fleet.cluster.timestamp();
    for partition in [0, 1].map(Partition) {
        fleet.publish_to(partition, 5);
    }
    fleet.start_with(0, |config| config.start = Some(StartPolicy::At(time)));
    let end = Some(Offset(OLD + 5));
    fleet.until("it is through", |fleet| [0, 1].map(|it| fleet.position(it)) == [end; 2]);
    assert_eq!(fleet.outputs().len(), 10);
}

#[test]
fn progress_that_could_not_be_told_is_asked_for_again() {
    let mut fleet = Fleet::new(36, 2);
    fleet.publish(20);
    fleet.cluster.fail_next(Call::Locate, Fault::Fails(Remedy::Retry));
    fleet.start(0);
    fleet.until("all echoed", Fleet::is_done);
    fleet.check();
}

#[test]
fn a_partition_that_is_still_looked_up_is_given_back_when_it_is_wanted() {
    let mut fleet = Fleet::new(37, 2);
    fleet.publish(20);
    for partition in [0, 1].map(Partition) {
        fleet.cluster.lose_leader(&input(), partition);
    }
    for slot in 0..2 {
        fleet.start(slot);
        fleet.until("it looks its share up", |fleet| fleet.lanes[&slot].group.is_locating());
    }
    for partition in [0, 1].map(Partition) {
        fleet.cluster.elect_leader(&input(), partition);
    }
    fleet.until("all echoed", Fleet::is_done);
    fleet.check();
}
