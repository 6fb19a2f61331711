//! What a worker holds stays bounded, however its network goes wrong: memory, threads, connections.

use longshore_chaos::{ApiKey, Then, Trap};
use longshore_tests::{Process, echoes, until, until_caught};

use crate::trial::{HELD_MAX, Network, Trial, committed, rebuilt};

/// Items, and bytes of each: 120 MB come in and go out again.
const ITEMS: i64 = 1_200;
const LARGE: usize = 100_000;
/// What a worker may buffer of them.
const BUFFERS: &str = "16MiB";
/// What it may take at most: 71 to 81 MiB were measured, and 307 MiB if it may buffer 1 GiB.
const PEAK_MIB: u64 = 120;
/// Transactions that come to nothing while nothing can be written, each with its producer.
const FAILED: u64 = 3;

#[test]
fn a_worker_whose_outputs_cannot_be_written_keeps_its_memory_small() {
    let network = Network::undisturbed();
    let fleet = network.fleet();
    let does = format!("echo {}", "x".repeat(LARGE));
    fleet.publish(echoes(0..ITEMS).map(|job| job.doing(&does)));
    let (servers, pipeline) = (network.cluster().servers_of_workers(), fleet.file("pipeline.yaml"));
    let worker = fleet.process_at(&servers, &pipeline, &["work", "--buffers", BUFFERS]);
    until_caught("work has begun", || (done(&worker) > 0).then_some(()));
    let hold = Trap::HoldRequest { of: ApiKey::PRODUCE, at_most: HELD_MAX, then: Then::Stay };
    network.control.set_trap(hold, u32::MAX);
    let before = failed(&worker);
    until("transactions come to nothing", || (failed(&worker) >= before + FAILED).then_some(()));
    assert!(done(&worker) < ITEMS as u64, "all was written before it was held back");
    let held_back = worker.peak_memory() >> 20;
    network.clear();
    until("all is written", || (done(&worker) >= ITEMS as u64).then_some(()));
    let peak = worker.peak_memory() >> 20;
    worker.stop();
    let ledger = fleet.ledger();
    ledger.each_once(ITEMS);
    ledger.in_key_order();
    assert!(peak <= PEAK_MIB, "{held_back} MiB while nothing was written, {peak} MiB at most");
    fleet.audit_is_clean();
}

fn done(worker: &Process) -> u64 {
    worker.counter("longshore_items_total", &[("outcome", "done")])
}

fn failed(worker: &Process) -> u64 {
    worker.counter("longshore_transactions_total", &[]) - committed(worker)
}

/// Producers that are replaced.
const REPLACED: usize = 10;
/// Threads and files that may be more: each of the producers had several of both.
const MORE: u64 = 3;

#[test]
fn a_worker_that_has_replaced_ten_producers_holds_as_many_threads_and_connections_as_before() {
    let network = Network::undisturbed();
    let fleet = network.fleet();
    let mut trial = Trial::publish(&fleet, REPLACED);
    let worker = fleet.worker();
    trial.has_begun();
    let (threads, files) = (threads(&worker), files(&worker));
    for _ in 0..REPLACED {
        let before = rebuilt(&worker, "tainted");
        let swallow = Trap::SwallowAnswer { of: ApiKey::END_TXN, then: Then::Reset };
        network.control.set_trap(swallow, 1);
        trial.next();
        until("its producer is replaced", || (rebuilt(&worker, "tainted") > before).then_some(()));
        trial.until_commits(&worker, 2);
    }
    until(&format!("it is back at {threads} threads and {files} files"), || {
        let is_back =
            self::threads(&worker) <= threads + MORE && self::files(&worker) <= files + MORE;
        is_back.then_some(())
    });
    trial.ends_well(worker);
}

fn threads(worker: &Process) -> u64 {
    worker.counter("process_threads", &[])
}

/// Its open files, which connections are too.
fn files(worker: &Process) -> u64 {
    worker.counter("process_open_fds", &[])
}
