//! The memory of a worker stays bounded, whatever lies before it and keeps it from its work.

use std::time::{Duration, Instant};
use std::{fs, iter};

use longshore_tests::{Cluster, Fleet, Job, Process, Shape, until, until_caught};

use crate::naps;

/// Bytes of an item, and of its output.
const LARGE: usize = 100_000;
/// What a worker may buffer of them.
const BUFFERS: &str = "16MiB";
/// What it may take at most: 69 to 86 MiB were measured in each of these tests, and 276 MiB if it
/// may buffer 1 GiB.
const PEAK_MIB: u64 = 120;

/// How long the broker is away.
const AWAY: Duration = Duration::from_secs(30);

#[test]
fn a_worker_whose_broker_is_away_keeps_its_memory_small() {
    const ITEMS: i64 = 1_200;
    let cluster = Cluster::one_to_kill();
    let fleet = Fleet::new(cluster, Shape::Stage { partitions: 4 });
    fleet.publish(naps(0..ITEMS).map(|job| job.doing(&large("nap"))));
    let worker = worker(&fleet);
    until_caught("work has begun", || (done(&worker) > 0).then_some(()));
    // Not between a transaction's decision and its markers (docs/adr/0013).
    worker.freeze();
    fleet.until_markers_are_written();
    let mut away = 0;
    cluster.crash_and_restart(|| {
        worker.thaw();
        let begun = Instant::now();
        until("the broker was away for long", || (begun.elapsed() >= AWAY).then_some(()));
        assert!(done(&worker) < ITEMS as u64, "all was done before the broker went");
        away = worker.peak_memory() >> 20;
    });
    ends_well(&fleet, worker, ITEMS, &format!("{away} MiB while the broker was away"));
}

/// What stands behind the stuck item is held, and that is little at first: items of other keys pass
/// by, more than fits. Then it is more than may be held.
#[test]
fn a_worker_with_a_stuck_key_keeps_its_memory_small() {
    const LITTLE: i64 = 40;
    const OTHERS: i64 = LITTLE + 600;
    const ITEMS: i64 = OTHERS + 600;
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 1 });
    let release = fleet.file("release");
    let stuck = |number| Job::echo(number, "stuck").doing(&large("echo"));
    let other = |number| Job::echo(number, format!("key {}", number % 20)).doing(&large("echo"));
    let first = Job::echo(0, "stuck").held_until(&release);
    let behind = (1..LITTLE).map(stuck);
    fleet.publish(iter::once(first).chain(behind).chain((LITTLE..OTHERS).map(other)));
    let worker = worker(&fleet);
    let others = (OTHERS - LITTLE) as u64;
    until("others are done", || (done(&worker) >= others).then_some(()));
    fleet.publish((OTHERS..ITEMS).map(stuck));
    until("it reads no further", || {
        let read = worker.counter("messaging_client_consumed_messages_total", &[]);
        let paused = worker.counter("longshore_paused_partitions", &[]);
        (paused > 0 || read == ITEMS as u64).then_some(())
    });
    assert_eq!(done(&worker), others, "an item has overtaken the stuck one of its key");
    let held = worker.peak_memory() >> 20;
    fs::write(&release, "").expect("the release is given");
    ends_well(&fleet, worker, ITEMS, &format!("{held} MiB while the key was stuck"));
}

fn large(does: &str) -> String {
    format!("{does} {}", "x".repeat(LARGE))
}

fn worker(fleet: &Fleet) -> Process {
    fleet.process(&["work", "--buffers", BUFFERS])
}

/// Waits for the end of all: it had no more memory at any time, and nothing is lost or doubled.
fn ends_well(fleet: &Fleet, worker: Process, items: i64, before: &str) {
    // The worker is asked: to read all of it again and again takes long.
    until("all is done", || (done(&worker) >= items as u64).then_some(()));
    let peak = worker.peak_memory() >> 20;
    worker.stop();
    let ledger = fleet.ledger();
    ledger.each_once(items);
    ledger.in_key_order();
    assert!(peak <= PEAK_MIB, "{before}, {peak} MiB at most");
    fleet.audit_is_clean();
}

fn done(worker: &Process) -> u64 {
    worker.counter("longshore_items_total", &[("outcome", "done")])
}
