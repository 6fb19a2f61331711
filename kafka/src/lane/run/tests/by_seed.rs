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
    let mut seen = [0; 6];
    for seed in 0..SEEDS {
        let fleet = history(seed);
        let counts = fleet.cluster.seen();
        let counts = [
            counts.aborted,
            counts.timed_out,
            counts.stale_members,
            counts.taken_over,
            counts.late,
            counts.faults,
        ];
        seen.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    // A run in which nothing went wrong would prove nothing.
    let enough = seen.iter().all(|count| *count > SEEDS / 10);
    assert!(enough, "aborted, timed out, stale, taken over, late, faults: {seen:?}");
}

/// Publishes, breaks things, lets it come to rest, and checks.
fn history(seed: u64) -> Fleet {
    let mut fleet = Fleet::new(seed, 4);
    // A call is repeated after a second: what is late by more arrives in a later transaction.
    let mut faults = vec![
        (Call::Begin, Fault::Fails(Remedy::Rebuild)),
        (Call::Produce, Fault::Fails(Remedy::Abort)),
        (Call::Produce, Fault::QueueFull),
        (Call::SendProgress, Fault::Fails(Remedy::Abort)),
        (Call::SendProgress, Fault::Slow(Duration::from_secs(20))),
        (Call::SendProgress, Fault::SessionLost),
        (Call::SendProgress, Fault::BrokerError),
        (Call::Commit, Fault::AnswerLost(Remedy::Rebuild)),
        (Call::Commit, Fault::Fails(Remedy::Rebuild)),
        (Call::Commit, Fault::Slow(Duration::from_secs(20))),
    ];
    for call in [Call::SendProgress, Call::Commit, Call::Abort] {
        let late = [50, 1_020, 1_050, 1_100, 1_200].map(Duration::from_millis);
        faults.extend(late.map(|after| (call, Fault::Late(after))));
    }
    fleet.cluster.fail_at_random(20, &faults);
    fleet.cluster.slow_calls(Duration::from_millis(seed % 4 * 5));
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
