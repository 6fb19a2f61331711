//! A request arrives when its client has given it up (KAFKA-17754).

use std::time::Duration;

use longshore_chaos::{ApiKey, Then, Trap};

use crate::trial::{Network, Trial, rebuilt, times};

/// Late requests of each kind.
const OF_EACH_KIND: usize = 2;
/// Transactions that begin before a late request arrives.
const BEGUN_BEFORE: u64 = 3;
/// Longer than any wait of these tests.
const HELD_MAX: Duration = Duration::from_secs(120);

#[test]
fn a_request_of_an_earlier_transaction_arrives_in_a_later_one() {
    let network = Network::undisturbed();
    let fleet = network.fleet();
    let kinds = ApiKey::TRANSACTIONAL.len();
    let faults = OF_EACH_KIND * kinds * times();
    let mut trial = Trial::publish(&fleet, faults);
    let worker = fleet.worker();
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
    let network = Network::undisturbed();
    let fleet = network.fleet();
    let mut trial = Trial::publish(&fleet, 1);
    let worker = fleet.worker_in("slot");
    trial.has_begun();
    let before = network.control.counts();
    let hold = Trap::HoldRequest { of: ApiKey::END_TXN, at_most: HELD_MAX, then: Then::Stay };
    network.control.set_trap(hold, 1);
    trial.next();
    network.until("its commit is held", |it| it.held > before.held);
    worker.crash();
    let successor = fleet.worker_in("slot");
    trial.until_commits(&successor, BEGUN_BEFORE);
    network.control.release();
    network.until("it is answered", |it| it.answered_late > before.answered_late);
    let aborted = trial.ends_well(successor);
    assert!(aborted > 0, "the dead worker's transaction had outputs, and none was aborted");
}
