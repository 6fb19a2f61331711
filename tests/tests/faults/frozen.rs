//! A worker stands still inside a transaction until the broker has ended it.

use longshore_tests::{Fleet, Process, Shape, until};

use crate::trial::{
    JOIN, Network, STAGE, Trial, aborted, committed, open_outputs, rebuilt_at_all, unknown,
};

/// Longer than the broker takes to end a transaction: its timeout of 5 s, and the broker looks
/// every 10 s.
const LONG_SESSION: &[&str] = &["--session-timeout", "40s"];

#[test]
fn a_worker_whose_transaction_was_ended_by_the_broker_goes_on_with_another_producer() {
    goes_on_with_another_producer(STAGE);
}

#[test]
fn a_coordinator_whose_transaction_was_ended_by_the_broker_goes_on_with_another_producer() {
    goes_on_with_another_producer(JOIN);
}

fn goes_on_with_another_producer(shape: Shape) {
    let network = Network::undisturbed();
    let fleet = network.fleet_of(shape);
    let mut trial = Trial::publish(&fleet, 2);
    let worker = fleet.runs_last_step(LONG_SESSION);
    trial.has_begun();
    let before = freeze_in_a_transaction(&network, &fleet, &worker, &mut trial);
    until_broker_has_ended_it(&fleet);
    thaw(&network, &worker);
    trial.next();
    until("it commits again", || (committed(&worker) > before).then_some(()));
    assert_eq!(lost(&worker), 0, "its place in the group was lost");
    assert!(rebuilt_at_all(&worker) >= 1, "the producer that was fenced goes on");
    assert!(ended_badly(&worker) >= 1, "no transaction of its own came to nothing");
    let aborted = trial.ends_well(worker);
    assert!(aborted > 0, "the transaction had outputs, and none was aborted");
}

#[test]
fn a_worker_whose_partitions_went_to_another_too_writes_nothing_twice() {
    writes_nothing_twice(STAGE);
}

#[test]
fn a_coordinator_whose_partitions_went_to_another_too_writes_nothing_twice() {
    writes_nothing_twice(JOIN);
}

fn writes_nothing_twice(shape: Shape) {
    let network = Network::undisturbed();
    let fleet = network.fleet_of(shape);
    let mut trial = Trial::publish(&fleet, 3);
    let worker = fleet.runs_last_step(&[]);
    trial.has_begun();
    let before = freeze_in_a_transaction(&network, &fleet, &worker, &mut trial);
    let other = fleet.runs_last_step(&[]);
    // The new member makes the group wait for the frozen one, whose session ends meanwhile.
    until("another has its partitions", || other.has_partitions().then_some(()));
    fleet.until_members(fleet.last_step(), 1);
    until_broker_has_ended_it(&fleet);
    until("the other commits", || (committed(&other) > 0).then_some(()));
    thaw(&network, &worker);
    // Nothing is held, so that partitions can move.
    trial.next();
    until("it has lost its place", || (lost(&worker) > 0).then_some(()));
    until("it has partitions again", || (given_partitions(&worker) > 1).then_some(()));
    trial.next();
    until("it commits again", || (committed(&worker) > before).then_some(()));
    assert!(rebuilt_at_all(&worker) >= 1, "the producer that was fenced goes on");
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
    trial.next();
    network.hold_a_commit(fleet);
    let before = committed(worker);
    worker.freeze();
    assert!(open_outputs(fleet) > 0, "nothing is open");
    before
}

fn until_broker_has_ended_it(fleet: &Fleet) {
    until("the broker ends the transaction", || (open_outputs(fleet) == 0).then_some(()));
    fleet.until_markers_are_written();
}

/// Its commit arrives too late, and it is there to hear of it.
fn thaw(network: &Network, worker: &Process) {
    network.control.release();
    worker.thaw();
}

/// Transactions of a worker that were aborted, or whose commits were of unknown outcome.
fn ended_badly(worker: &Process) -> u64 {
    aborted(worker) + unknown(worker)
}

/// How often a worker has lost its place in the group.
fn lost(worker: &Process) -> u64 {
    worker.counter("longshore_rebalances_total", &[("kind", "lost")])
}

/// How often it was given partitions.
fn given_partitions(worker: &Process) -> usize {
    worker.told("assigned").iter().filter(|event| event["partitions"] != "[]").count()
}
