//! A worker is killed -9, in every phase of a transaction and from outside.

use longshore_tests::{Cluster, Fleet, Phase, Process, Rounds, Shape, Watch, until};

use crate::echoes;

/// Items of a test.
const ITEMS: i64 = 400;

/// A worker dies in its third transaction, another takes on its slot. What the dead one had written
/// and not committed is seen by nobody who reads committed, and by all who don't.
fn dies_and_is_replaced(phase: Phase) -> usize {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 2 });
    fleet.publish(echoes(0..ITEMS));
    let watch = Watch::of(&fleet);
    fleet.worker_that_dies(phase, "one").dies();
    watch.ends_well(ITEMS, [fleet.worker_in("one")])
}

#[test]
fn killed_when_a_transaction_has_begun() {
    assert_eq!(dies_and_is_replaced(Phase::Begun), 0);
}

#[test]
fn killed_when_a_record_was_produced() {
    // It may have been sent, or not.
    dies_and_is_replaced(Phase::Produced);
}

#[test]
fn killed_when_all_records_were_delivered() {
    assert!(dies_and_is_replaced(Phase::Delivered) > 0, "nothing was aborted");
}

#[test]
fn killed_when_the_progress_was_sent() {
    assert!(dies_and_is_replaced(Phase::ProgressSent) > 0, "nothing was aborted");
}

#[test]
fn killed_while_the_commit_is_under_way() {
    // It may have been decided, or not; the audit and the ledger hold in both cases.
    dies_and_is_replaced(Phase::Committing);
}

#[test]
fn killed_when_the_commit_was_answered() {
    assert_eq!(dies_and_is_replaced(Phase::Committed), 0);
}

#[test]
fn a_worker_without_a_slot_is_replaced_when_its_session_ends() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 2 });
    let work = Rounds::publish(&fleet, 2);
    let (items, watch) = (work.items(), Watch::of(&fleet));
    let (first, second) = (fleet.worker(), fleet.worker());
    fleet.until_members("work", 2);
    until("work has begun", || (fleet.ledger().ended() > 0).then_some(()));
    first.crash();
    work.finish();
    watch.ends_well(items, [second]);
}

#[test]
fn a_worker_that_stood_still_beyond_its_session_writes_nothing_twice() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 2 });
    let work = Rounds::publish(&fleet, 4);
    let (items, watch) = (work.items(), Watch::of(&fleet));
    let (frozen, other) = (fleet.worker(), fleet.worker());
    fleet.until_members("work", 2);
    until("work has begun", || (fleet.ledger().ended() > 0).then_some(()));
    frozen.freeze();
    fleet.until_members("work", 1);
    work.finish();
    frozen.thaw();
    until("it has lost its partitions", || (lost(&frozen) > 0).then_some(()));
    fleet.until_members("work", 2);
    watch.ends_well(items, [frozen, other]);
}

/// How often a worker has lost its place in the group, and all its partitions with it.
fn lost(worker: &Process) -> u64 {
    worker.counter("longshore_rebalances_total", &[("kind", "lost")])
}
