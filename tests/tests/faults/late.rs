//! A request arrives when its client has given it up (KAFKA-17754).

use longshore_chaos::{ApiKey, Then, Trap};
use longshore_tests::Shape;

use crate::trial::{HELD_MAX, JOIN, Network, STAGE, Trial, rebuilt, times};

/// Late requests of each kind.
const OF_EACH_KIND: usize = 2;
/// Transactions that begin before a late request arrives.
const BEGUN_BEFORE: u64 = 3;

#[test]
fn a_request_of_an_earlier_transaction_arrives_in_a_later_one() {
    arrives_in_a_later_one(STAGE);
}

#[test]
fn a_request_of_a_coordinator_s_earlier_transaction_arrives_in_a_later_one() {
    arrives_in_a_later_one(JOIN);
}

fn arrives_in_a_later_one(shape: Shape) {
    let network = Network::undisturbed();
    let fleet = network.fleet_of(shape);
    let kinds = ApiKey::TRANSACTIONAL.len();
    let faults = OF_EACH_KIND * kinds * times();
    let mut trial = Trial::publish(&fleet, faults);
    let worker = fleet.runs_last_step(&[]);
    trial.has_begun();
    let before = network.control.counts();
    for (fault, of) in (1..=faults as u64).zip(ApiKey::TRANSACTIONAL.into_iter().cycle()) {
        let hold = Trap::HoldRequest { of, at_most: HELD_MAX, then: Then::Reset };
        network.control.set_trap(hold, 1);
        trial.next();
        network.until("a request is held", |it| it.held >= before.held + fault);
        trial.until_commits(&worker, BEGUN_BEFORE);
        network.control.release();
        network.until("it is answered", |it| it.answered_late >= before.answered_late + fault);
    }
    let tainted = rebuilt(&worker, "tainted");
    assert!(tainted >= faults as u64, "{tainted} of {faults}");
    trial.ends_well(worker);
}

#[test]
fn the_commit_of_a_dead_worker_arrives_when_its_successor_works() {
    arrives_when_the_successor_works(STAGE);
}

#[test]
fn the_commit_of_a_dead_coordinator_arrives_when_its_successor_works() {
    arrives_when_the_successor_works(JOIN);
}

fn arrives_when_the_successor_works(shape: Shape) {
    let network = Network::undisturbed();
    let fleet = network.fleet_of(shape);
    let mut trial = Trial::publish(&fleet, 2);
    let worker = fleet.runs_last_step(&["--slot", "slot"]);
    trial.has_begun();
    trial.next();
    network.hold_a_commit(&fleet);
    let before = network.control.counts();
    worker.crash();
    trial.next();
    let successor = fleet.runs_last_step(&["--slot", "slot"]);
    trial.until_commits(&successor, BEGUN_BEFORE);
    network.control.release();
    network.until("it is answered", |it| it.answered_late > before.answered_late);
    let aborted = trial.ends_well(successor);
    assert!(aborted > 0, "the dead one's transaction had outputs, and none was aborted");
}
