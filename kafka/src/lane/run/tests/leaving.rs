//! Whoever is alive when its partitions go to others has not died of their items.

use super::fixture::*;
use crate::lane::error::LaneError;
use crate::model::{Call, Fault};
use crate::{Partition, Remedy};

const PARTITION: Partition = Partition(0);

/// A lane at work on an item that never ends.
fn at_work() -> Fleet {
    let mut fleet = Fleet::new(7, 1);
    let offset = fleet.publish_one(PARTITION, Some("a"), "small");
    fleet.start(0);
    let lane = fleet.lanes.get_mut(&0).expect("it was started");
    lane.step.stuck.insert((PARTITION, offset));
    fleet.until("it is at work", |fleet| fleet.guard(0).as_deref() == Some("r0"));
    fleet
}

#[test]
fn a_lane_whose_component_cannot_go_on_says_that_nobody_died() {
    let mut fleet = at_work();
    fleet.lanes.get_mut(&0).expect("it runs").step.broken = true;
    assert!(matches!(fleet.turn(), Err(LaneError::Step { .. })));
    assert_eq!(fleet.guard(0).as_deref(), Some("-"));
}

#[test]
fn a_lane_that_is_refused_for_good_says_that_nobody_died() {
    let mut fleet = at_work();
    fleet.publish_one(PARTITION, Some("b"), "small");
    fleet.cluster.fail_next(Call::Produce, Fault::Fails(Remedy::Stop));
    let stopped = (0..200).find_map(|_| fleet.turn().err());
    assert!(matches!(stopped, Some(LaneError::Kafka { .. })), "{stopped:?}");
    assert_eq!(fleet.guard(0).as_deref(), Some("-"));
    assert_eq!(fleet.outputs().len(), 0, "what wasn't committed is left to the next owner");
}

#[test]
fn a_partition_that_is_taken_away_from_a_long_item_has_killed_nobody() {
    let mut fleet = at_work();
    fleet.start(1);
    (0..10).for_each(|_| fleet.turn().expect("both go on"));
    let second = fleet.lanes[&1].broker.id();
    fleet.cluster.hand_over(second, &[PARTITION]);
    let given_back = (0..1_000).any(|_| {
        fleet.turn().expect("both go on");
        fleet.lanes[&0].core.partition(PARTITION).is_none()
    });
    assert!(given_back, "its budget is a second");
    assert_eq!(fleet.guard(0).as_deref(), Some("-"));
}
