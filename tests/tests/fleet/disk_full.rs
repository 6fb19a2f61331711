//! The broker's disk is full: it can't write, and halts.

use longshore_tests::{Cluster, Fleet, Process, Shape, Watch, naps, until};

/// Outputs of so many bytes each, of which some partition gets more than its file may hold.
const ITEMS: i64 = 2_000;
const BYTES: usize = 4_000;
const FILE_MAX: u64 = 1 << 20;
/// What the broker says before it halts.
const HALTS: &str = "because all log dirs in";

#[test]
fn a_worker_outlives_a_broker_whose_disk_was_full() {
    let cluster = Cluster::one_to_kill();
    let fleet = Fleet::new(cluster, Shape::Stage { partitions: 4 });
    let does = format!("nap {}", "x".repeat(BYTES));
    fleet.publish(naps(0..ITEMS).map(|job| job.doing(&does)));
    let watch = Watch::of(&fleet);
    // It halts in the middle of a write, and so before the transaction of it is decided.
    cluster.limit_files(FILE_MAX);
    let worker = fleet.worker();
    until("the broker halts", || cluster.said().contains(HALTS).then_some(()));
    let said = cluster.said();
    assert!(said.contains("File too large"), "it halted for another reason:\n{said}");
    cluster.crash_and_restart(|| ());
    let ended = fleet.ledger().ended();
    assert!(0 < ended && ended < ITEMS as usize, "{ended} had ended when the disk was full");
    fleet.until_ended(ITEMS as usize);
    let [aborted, unknown] = ["aborted", "unknown"].map(|outcome| transactions(&worker, outcome));
    assert!(aborted + unknown > 0, "no transaction came to nothing, or was of unknown outcome");
    watch.ends_well(ITEMS, [worker]);
}

fn transactions(worker: &Process, outcome: &str) -> u64 {
    worker.counter("longshore_transactions_total", &[("outcome", outcome)])
}
