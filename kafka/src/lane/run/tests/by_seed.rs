//! Seeds decide what goes wrong; whatever it is, nothing is lost, doubled or out of order.

use std::time::Duration;

use rand::Rng;

use super::fixture::*;
use crate::Remedy;
use crate::lane::error::LaneError;
use crate::model::{Call, Fault};

/// How many histories a test run tries.
const SEEDS: u64 = 400;

#[test]
fn whatever_goes_wrong_nothing_is_lost_doubled_or_out_of_order() {
    let mut seen = [0; 4];
    for seed in 0..SEEDS {
        let fleet = history(seed);
        let counts = fleet.cluster.seen();
        let counts = [counts.aborted, counts.stale_members, counts.taken_over, counts.faults];
        seen.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    // A run in which nothing went wrong would prove nothing.
    let enough = seen.iter().all(|count| *count > SEEDS / 10);
    assert!(enough, "aborted, stale members, taken over, faults: {seen:?}");
}

/// Publishes, breaks things, lets it come to rest, and checks.
fn history(seed: u64) -> Fleet {
    let mut fleet = Fleet::new(seed, 4);
    let faults = [
        (Call::Begin, Fault::Fails(Remedy::Rebuild)),
        (Call::Produce, Fault::Fails(Remedy::Abort)),
        (Call::Produce, Fault::QueueFull),
        (Call::SendProgress, Fault::Fails(Remedy::Abort)),
        (Call::SendProgress, Fault::Late(Duration::from_millis(50))),
        (Call::SendProgress, Fault::SessionLost),
        (Call::SendProgress, Fault::BrokerError),
        (Call::Commit, Fault::AnswerLost(Remedy::Rebuild)),
        (Call::Commit, Fault::Fails(Remedy::Rebuild)),
        (Call::Commit, Fault::Late(Duration::from_millis(50))),
        (Call::Abort, Fault::Late(Duration::from_millis(50))),
    ];
    fleet.cluster.fail_at_random(20, &faults);
    fleet.start(0);
    fleet.start(1);
    for _ in 0..40 {
        fleet.publish(5);
        break_something(&mut fleet);
        for _ in 0..10 {
            turn(&mut fleet, seed);
        }
    }
    fleet.cluster.fail_at_random(1, &[]);
    for slot in 0..2 {
        if !fleet.lanes.contains_key(&slot) {
            fleet.start(slot);
        }
    }
    fleet.until(&format!("seed {seed} comes to rest"), Fleet::is_done);
    fleet.check();
    fleet
}

fn break_something(fleet: &mut Fleet) {
    let slot = fleet.rng.random_range(0..2);
    match fleet.rng.random_range(0..10) {
        0 => fleet.crash(slot),
        1 | 2 if !fleet.lanes.contains_key(&slot) => fleet.start(slot),
        3 => fleet.cluster.rebalance(GROUP),
        4 => fleet.cluster.advance(Duration::from_secs(20)),
        5 => {
            if let Some(lane) = fleet.lanes.get(&slot) {
                fleet.cluster.expel(lane.broker.id());
            }
        }
        _ => {}
    }
}

/// A lane that finds itself fenced twice stops, as it must; its process is started again.
fn turn(fleet: &mut Fleet, seed: u64) {
    match fleet.turn() {
        Ok(()) => {}
        Err(LaneError::FencedByAnother { .. }) => {
            for slot in 0..2 {
                fleet.crash(slot);
            }
        }
        Err(error) => panic!("seed {seed}: {error}"),
    }
}
