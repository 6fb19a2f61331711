//! What a lane does while the records of a transaction are on their way.

use super::super::Producing;
use super::fixture::*;
use crate::Partition;
use crate::lane::error::LaneError;

/// How many items have their outputs on the way.
const ON_THEIR_WAY: usize = 10;

/// A lane with two partitions whose transaction waits for the markers of the one before.
fn on_their_way(seed: u64) -> Fleet {
    let mut fleet = Fleet::new(seed, 2);
    fleet.start(0);
    fleet.until("both are its own", |fleet| fleet.lanes[&0].core.partitions().count() == 2);
    fleet.publish(ON_THEIR_WAY);
    fleet.until("all is committed", Fleet::is_done);
    fleet.cluster.hold_markers();
    for _ in 0..2 {
        fleet.publish(ON_THEIR_WAY);
        let sent = (0..200).any(|_| {
            fleet.turn().expect("it goes on");
            carried(&fleet) == 2
        });
        if sent && (0..20).all(|_| fleet.turn().is_ok() && is_delivering(&fleet)) {
            return fleet;
        }
    }
    panic!("no transaction waits");
}

fn is_delivering(fleet: &Fleet) -> bool {
    carried(fleet) > 0
}

/// Of how many partitions the transaction under way carries the progress.
fn carried(fleet: &Fleet) -> usize {
    match &fleet.lanes[&0].producing {
        Producing::Delivering(delivering) => delivering.batch.progress.len(),
        _ => 0,
    }
}

fn end(mut fleet: Fleet) {
    fleet.cluster.release_markers();
    fleet.until("all echoed", Fleet::is_done);
    fleet.check();
}

#[test]
fn others_are_worked_on_meanwhile_and_wait_for_the_next_transaction() {
    let mut fleet = on_their_way(61);
    let ready = fleet.lanes[&0].core.ready().len();
    fleet.publish(ON_THEIR_WAY);
    let ended = (0..200).any(|_| {
        fleet.turn().expect("it goes on");
        fleet.lanes[&0].core.ready().len() == ready + ON_THEIR_WAY
    });
    assert!(ended && is_delivering(&fleet), "{:?}", fleet.lanes[&0].producing);
    end(fleet);
}

#[test]
fn a_partition_is_given_back_once_its_progress_is_committed() {
    let mut fleet = on_their_way(62);
    let aborted = fleet.cluster.seen().aborted;
    fleet.start(1);
    (0..10).for_each(|_| fleet.turn().expect("both go on"));
    let second = fleet.lanes[&1].broker.id();
    fleet.cluster.hand_over(second, &[Partition(0)]);
    (0..20).for_each(|_| fleet.turn().expect("both go on"));
    assert!(fleet.lanes[&0].core.partition(Partition(0)).is_some(), "it waits for its commit");
    fleet.cluster.release_markers();
    let gone = |fleet: &Fleet| fleet.lanes[&1].core.partition(Partition(0)).is_some();
    fleet.until("it has gone over", gone);
    assert_eq!(fleet.cluster.seen().aborted, aborted, "nothing was done for nothing");
    end(fleet);
}

#[test]
fn a_partition_whose_time_is_up_takes_the_transaction_with_it() {
    let mut fleet = on_their_way(63);
    fleet.start(1);
    (0..10).for_each(|_| fleet.turn().expect("both go on"));
    let second = fleet.lanes[&1].broker.id();
    fleet.cluster.hand_over(second, &[Partition(0)]);
    let given_back = (0..1_000).any(|_| {
        fleet.turn().expect("both go on");
        fleet.lanes[&0].core.partition(Partition(0)).is_none()
    });
    assert!(given_back, "its budget is a second");
    assert!(!is_delivering(&fleet));
    end(fleet);
}

#[test]
fn a_lane_that_stops_leaves_no_transaction_open() {
    let mut fleet = on_their_way(64);
    fleet.lanes.get_mut(&0).expect("it runs").step.broken = true;
    fleet.cluster.release_markers();
    assert!(matches!(fleet.turn(), Err(LaneError::Step { .. })));
    for partition in [0, 1].map(Partition) {
        let (stable, end) = fleet.cluster.ends(&output(), partition).expect("it is there");
        assert_eq!(stable, end, "{partition}");
    }
}
