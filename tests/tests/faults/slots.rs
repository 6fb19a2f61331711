//! A process in a slot finds that somebody else has it (docs/adr/0024).

use longshore_chaos::{ApiKey, Then, Trap};
use longshore_tests::{Cluster, Fleet, Process, Shape, until};

use crate::trial::{HELD_MAX, JOIN, Network, STAGE, Trial, committed};

const SLOT: &[&str] = &["--slot", "slot"];

#[test]
fn a_worker_that_is_fenced_by_its_own_late_request_comes_again() {
    comes_again(STAGE);
}

#[test]
fn a_coordinator_that_is_fenced_by_its_own_late_request_comes_again() {
    comes_again(JOIN);
}

/// The connection breaks under its request to join, and it joins by another one. The first request
/// comes all the same when it is at work, and makes a member of the slot that nobody is.
fn comes_again(shape: Shape) {
    let network = Network::undisturbed();
    let fleet = network.fleet_of(shape);
    let mut trial = Trial::publish(&fleet, 2);
    let late = Trap::HoldRequest { of: ApiKey::JOIN_GROUP, at_most: HELD_MAX, then: Then::Reset };
    network.control.set_trap(late, 1);
    let worker = fleet.runs_last_step(SLOT);
    trial.has_begun();
    assert_eq!(waits(&worker), 0);
    trial.next();
    network.control.release();
    until("it comes again", || (told(&worker, "joining again") > 0).then_some(()));
    trial.next();
    trial.until_commits(&worker, 1);
    assert_eq!(waits(&worker), 1);
    trial.ends_well(worker);
}

#[test]
fn a_worker_that_was_replaced_while_it_stood_still_leaves_its_successor_alone_and_stops() {
    leaves_its_successor_alone(STAGE);
}

#[test]
fn a_coordinator_that_was_replaced_while_it_stood_still_leaves_its_successor_alone_and_stops() {
    leaves_its_successor_alone(JOIN);
}

fn leaves_its_successor_alone(shape: Shape) {
    let fleet = Fleet::new(Cluster::shared(), shape);
    let mut trial = Trial::publish(&fleet, 3);
    let first = fleet.runs_last_step(SLOT);
    trial.has_begun();
    trial.next();
    first.freeze();
    let successor = fleet.runs_last_step(SLOT);
    trial.until_commits(&successor, 1);
    first.thaw();
    trial.next();
    let (code, said) = first.ends();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("give each process a slot of its own"), "{said}");
    let before = committed(&successor);
    trial.next();
    until("the successor works on", || (committed(&successor) > before).then_some(()));
    assert_eq!(waits(&successor), 0, "it has lost its slot");
    trial.ends_well(successor);
}

/// How often it has begun to wait until nobody has its slot.
fn waits(worker: &Process) -> usize {
    told(worker, "was taken from this process: by")
}

/// Lines of its log that say this.
fn told(worker: &Process, what: &str) -> usize {
    worker.said().lines().filter(|line| line.contains(what)).count()
}
