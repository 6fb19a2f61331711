//! The answer to a commit never comes.

use longshore_chaos::{ApiKey, Then, Trap};
use longshore_tests::{Shape, until};

use crate::trial::{JOIN, Network, STAGE, Trial, rebuilt, times, unknown};

/// Commits whose answers are lost with their connections: the client asks again by itself.
const ASKED_AGAIN: usize = 6;
/// Commits that nobody ever answers: their outcome is unknown after 10 s.
const UNKNOWN: usize = 2;
/// More than a client asks within that time.
const ALL_ANSWERS: u32 = 1_000_000;

#[test]
fn a_commit_that_is_answered_to_nobody_is_asked_again_with_another_producer_behind_it() {
    is_asked_again(STAGE);
}

#[test]
fn a_coordinator_s_commit_that_is_answered_to_nobody_is_asked_again() {
    is_asked_again(JOIN);
}

fn is_asked_again(shape: Shape) {
    let network = Network::undisturbed();
    let fleet = network.fleet_of(shape);
    let faults = ASKED_AGAIN * times();
    let mut trial = Trial::publish(&fleet, faults);
    let worker = fleet.runs_last_step(&[]);
    trial.has_begun();
    let before = network.control.counts().swallowed;
    for fault in 1..=faults as u64 {
        let then = if fault % 2 == 0 { Then::Cut } else { Then::Reset };
        network.control.set_trap(Trap::SwallowAnswer { of: ApiKey::END_TXN, then }, 1);
        trial.next();
        network.until("an answer is lost", |it| it.swallowed >= before + fault);
        trial.until_commits(&worker, 2);
    }
    let tainted = rebuilt(&worker, "tainted");
    assert!(tainted >= faults as u64, "{tainted} of {faults}");
    trial.ends_well(worker);
}

#[test]
fn a_commit_of_unknown_outcome_is_settled() {
    is_settled(STAGE);
}

#[test]
fn a_coordinator_s_commit_of_unknown_outcome_is_settled() {
    is_settled(JOIN);
}

fn is_settled(shape: Shape) {
    let network = Network::undisturbed();
    let fleet = network.fleet_of(shape);
    let faults = UNKNOWN * times();
    let mut trial = Trial::publish(&fleet, 2 * faults);
    let worker = fleet.runs_last_step(&[]);
    trial.has_begun();
    for fault in 1..=faults as u64 {
        let swallow = Trap::SwallowAnswer { of: ApiKey::END_TXN, then: Then::Reset };
        network.control.set_trap(swallow, ALL_ANSWERS);
        trial.next();
        until("a commit is of unknown outcome", || (unknown(&worker) >= fault).then_some(()));
        network.control.clear_traps();
        // Whoever is not disturbed may be through with the round before.
        trial.next();
        trial.until_commits(&worker, 2);
    }
    let rebuilds = rebuilt(&worker, "unknown_commit");
    assert!(rebuilds >= faults as u64, "{rebuilds} of {faults}");
    assert!(worker.said().contains("settled a commit of unknown outcome"));
    trial.ends_well(worker);
}
