//! A worker stands still inside a transaction until the broker has ended it.

use std::time::Duration;

use longshore_chaos::{ApiKey, Then, Trap};
use longshore_kafka::admin::Watermarks;
use longshore_tests::{Fleet, Process, until};

use crate::trial::{Network, Trial, committed};

/// Longer than any wait of these tests.
const HELD_MAX: Duration = Duration::from_secs(120);
/// Longer than the broker takes to end a transaction: its timeout of 5 s, and the broker looks
/// every 10 s.
const LONG_SESSION: Duration = Duration::from_secs(40);

#[test]
fn a_worker_whose_transaction_was_ended_by_the_broker_goes_on_with_another_producer() {
    let network = Network::undisturbed();
    let fleet = network.fleet();
    let mut trial = Trial::publish(&fleet, 2);
    let worker = fleet.worker_with_session(LONG_SESSION);
    trial.has_begun();
    let before = freeze_in_a_transaction(&network, &fleet, &worker, &mut trial);
    until_broker_has_ended_it(&fleet);
    thaw(&network, &worker);
    trial.next();
    until("it commits again", || (committed(&worker) > before).then_some(()));
    assert_eq!(lost(&worker), 0, "its place in the group was lost");
    assert!(rebuilt(&worker) >= 1, "the producer that was fenced goes on");
    assert!(ended_badly(&worker) >= 1, "no transaction of its own came to nothing");
    let aborted = trial.ends_well(worker);
    assert!(aborted > 0, "the transaction had outputs, and none was aborted");
}

#[test]
fn a_worker_whose_partitions_went_to_another_too_writes_nothing_twice() {
    let network = Network::undisturbed();
    let fleet = network.fleet();
    let mut trial = Trial::publish(&fleet, 3);
    let worker = fleet.worker();
    trial.has_begun();
    let before = freeze_in_a_transaction(&network, &fleet, &worker, &mut trial);
    let other = fleet.worker();
    // The new member makes the group wait for the frozen one, whose session ends meanwhile.
    until("another has its partitions", || other.has_partitions().then_some(()));
    fleet.until_members("work", 1);
    until_broker_has_ended_it(&fleet);
    until("the other commits", || (committed(&other) > 0).then_some(()));
    thaw(&network, &worker);
    // Nothing is held, so that partitions can move.
    trial.next();
    until("it has lost its place", || (lost(&worker) > 0).then_some(()));
    until("it has partitions again", || (given_partitions(&worker) > 1).then_some(()));
    trial.next();
    until("it commits again", || (committed(&worker) > before).then_some(()));
    assert!(rebuilt(&worker) >= 1, "the producer that was fenced goes on");
    other.stop();
    let aborted = trial.ends_well(worker);
    assert!(aborted > 0, "the transaction had outputs, and none was aborted");
}

/// It stands still while its commit is kept back: how many transactions it has committed before.
fn freeze_in_a_transaction(
    network: &Network,
    fleet: &Fleet,
    worker: &Process,
    trial: &mut Trial<'_>,
) -> u64 {
    let held = network.control.counts().held;
    let hold = Trap::HoldRequest { of: ApiKey::END_TXN, at_most: HELD_MAX, then: Then::Stay };
    network.control.set_trap(hold, 1);
    trial.next();
    network.until("its commit is kept back", |it| it.held > held);
    let before = committed(worker);
    worker.freeze();
    assert!(open_outputs(fleet) > 0, "nothing is open");
    before
}

fn until_broker_has_ended_it(fleet: &Fleet) {
    until("the broker ends the transaction", || (open_outputs(fleet) == 0).then_some(()));
    fleet.until_markers_are_written();
}

/// How many offsets of its outputs are in a transaction that is open.
fn open_outputs(fleet: &Fleet) -> i64 {
    let logs = fleet.admin().watermarks(&fleet.done()).expect("the Kafka answers");
    logs.iter().map(|&Watermarks { last_stable, high, .. }| high.0 - last_stable.0).sum()
}

/// Its commit arrives too late, and it is there to hear of it.
fn thaw(network: &Network, worker: &Process) {
    network.control.release();
    worker.thaw();
}

/// Producers of a worker that were replaced, for any reason.
fn rebuilt(worker: &Process) -> u64 {
    worker.counter("longshore_producer_rebuilds_total", &[])
}

/// Transactions of a worker that were aborted, or whose commits were of unknown outcome.
fn ended_badly(worker: &Process) -> u64 {
    let of = |outcome| worker.counter("longshore_transactions_total", &[("outcome", outcome)]);
    of("aborted") + of("unknown")
}

/// How often a worker has lost its place in the group.
fn lost(worker: &Process) -> u64 {
    worker.counter("longshore_rebalances_total", &[("kind", "lost")])
}

/// How often it was given partitions.
fn given_partitions(worker: &Process) -> usize {
    worker.told("assigned").iter().filter(|event| event["partitions"] != "[]").count()
}
