//! What a lane does while the records of a transaction are on their way.

use std::time::Duration;

use super::super::Producing;
use super::fixture::*;
use crate::lane::error::LaneError;
use crate::lane::partition::Phase;
use crate::model::{Call, Fault, Held};
use crate::{Partition, Remedy};

const BUDGET: Duration = Duration::from_secs(3);
/// How many items have their outputs on the way.
const ON_THEIR_WAY: usize = 10;

/// A lane with two partitions whose transaction waits for the markers of the one before.
fn on_their_way(seed: u64) -> Fleet {
    with_progress_of(2, seed, |fleet| fleet.publish(ON_THEIR_WAY))
}

/// The same, with the progress of so many partitions in that transaction.
fn with_progress_of(partitions: usize, seed: u64, publish: impl Fn(&mut Fleet)) -> Fleet {
    let mut fleet = Fleet::new(seed, 2);
    fleet.start_with(0, |config| config.revoke_budget = BUDGET);
    fleet.until("both are its own", |fleet| fleet.lanes[&0].core.partitions().count() == 2);
    fleet.publish(ON_THEIR_WAY);
    fleet.until("all is committed", Fleet::is_done);
    fleet.cluster.hold_markers(Held::All);
    for _ in 0..2 {
        publish(&mut fleet);
        let sent = (0..200).any(|_| {
            fleet.turn().expect("it goes on");
            carried(&fleet) == partitions
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

/// A second lane comes, and the first one is to give it a partition.
fn asks_for_one(fleet: &mut Fleet) {
    fleet.start(1);
    (0..10).for_each(|_| fleet.turn().expect("both go on"));
    let second = fleet.lanes[&1].broker.id();
    fleet.cluster.hand_over(second, &[Partition(0)]);
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
    asks_for_one(&mut fleet);
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
    asks_for_one(&mut fleet);
    let given_back = (0..1_000).any(|_| {
        fleet.turn().expect("both go on");
        fleet.lanes[&0].core.partition(Partition(0)).is_none()
    });
    assert!(given_back, "its budget is three seconds");
    assert!(!is_delivering(&fleet));
    end(fleet);
}

/// Or the next owner would take this one for dead.
#[test]
fn a_partition_has_time_for_its_last_word_once_the_transaction_has_ended() {
    // Another outcome would take the word with it.
    let nothing_waits = |fleet: &Fleet| fleet.lanes[&0].core.ready().len() == 0;
    let mut fleet = (65..85).map(on_their_way).find(nothing_waits).expect("one of twenty");
    asks_for_one(&mut fleet);
    // Longer than the moment that it has for it.
    (0..150).for_each(|_| fleet.turn().expect("both go on"));
    assert!(fleet.lanes[&0].core.partition(Partition(0)).is_some(), "it waits for its commit");
    fleet.cluster.release_markers();
    let given_back = (0..200).any(|_| {
        fleet.turn().expect("both go on");
        fleet.lanes[&0].core.partition(Partition(0)).is_none()
    });
    assert!(given_back, "nothing holds it");
    assert_eq!(fleet.guard(0).as_deref(), Some("-"));
    end(fleet);
}

#[test]
fn a_partition_whose_last_word_has_to_wait_for_the_transaction_of_others_is_not_given_back() {
    let mut fleet = with_progress_of(1, 67, |fleet| fleet.publish_to(Partition(0), ON_THEIR_WAY));
    assert!(!fleet.lanes[&0].is_delivering(Partition(1)));
    fleet.start(1);
    (0..150).for_each(|_| fleet.turn().expect("both go on"));
    let phase = fleet.lanes[&0].core.partition(Partition(1)).map(|owned| owned.phase);
    assert!(matches!(phase, Some(Phase::Releasing { .. })), "it has yet to tell: {phase:?}");
    end(fleet);
}

/// A lane of whose transaction some records are written, and others not answered for.
fn half_delivered(seed: u64) -> Fleet {
    let mut fleet = Fleet::new(seed, 2);
    fleet.start(0);
    fleet.until("both are its own", |fleet| fleet.lanes[&0].core.partitions().count() == 2);
    fleet.publish(ON_THEIR_WAY);
    fleet.until("all is committed", Fleet::is_done);
    for _ in 0..50 {
        fleet.cluster.fail_next(Call::Deliveries, Fault::Fails(Remedy::Retry));
    }
    fleet.publish(4 * ON_THEIR_WAY);
    let sent = (0..40).any(|_| {
        fleet.turn().expect("it goes on");
        is_delivering(&fleet) && is_open(&fleet)
    });
    assert!(sent, "no transaction is half delivered");
    fleet
}

/// Whether readers wait for a transaction.
fn is_open(fleet: &Fleet) -> bool {
    let ends = [0, 1].map(|partition| fleet.cluster.ends(&output(), Partition(partition)));
    ends.iter().flatten().any(|(stable, end)| stable < end)
}

#[test]
fn a_lane_that_panics_leaves_no_transaction_open() {
    let mut fleet = half_delivered(66);
    drop(fleet.lanes.remove(&0));
    assert!(!is_open(&fleet));
}

#[test]
fn a_lane_that_stops_leaves_no_transaction_open() {
    let mut fleet = half_delivered(64);
    fleet.lanes.get_mut(&0).expect("it runs").step.broken = true;
    assert!(matches!(fleet.turn(), Err(LaneError::Step { .. })));
    assert!(!is_open(&fleet));
}
