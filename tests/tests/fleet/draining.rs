//! A worker is asked to stop: it ends in time, whatever its handlers do, and what it has begun and
//! not finished is done by the next one.

use std::fs;
use std::time::{Duration, Instant};

use longshore_tests::{Cluster, Fleet, Job, Process, Shape, until};

use crate::naps;

const ITEMS: i64 = 2_000;
/// How long the workers here may drain.
const DRAIN: Duration = Duration::from_secs(3);
/// What may be added to it: 0.3 s were measured, and 1.2 s where a handler doesn't let go of its
/// thread, since such ones are waited for a second more.
const BESIDE: Duration = Duration::from_secs(3);
/// How long a worker may take whose handlers return; 0.2 to 0.4 s were measured.
const PROMPT: Duration = Duration::from_secs(3);

#[test]
fn a_handler_that_does_not_return_delays_a_stop_by_the_drain_timeout_at_most() {
    outlasts_a_drain("hold");
}

#[test]
fn a_handler_that_blocks_its_thread_delays_a_stop_by_little_more() {
    outlasts_a_drain("block");
}

/// The first item of a key does this until it is released.
fn outlasts_a_drain(does: &str) {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 2 });
    let release = fleet.file("release");
    let held = Job::echo(0, "held").doing(&format!("{does} {}", release.display()));
    let behind = Job::echo(1, "held");
    fleet.publish([held, behind].into_iter().chain(naps(2..ITEMS)));
    let worker = fleet.process(&["work", "--slot", "slot", "--drain-timeout", "3s"]);
    until("work has begun", || (fleet.ledger().ended() > 0).then_some(()));
    let took = stop(worker);
    assert!(took >= DRAIN, "nothing was held: it ended within {took:?}");
    assert!(took <= DRAIN + BESIDE, "it ended within {took:?}");
    assert!(!fleet.is_in_a_transaction(), "it left a transaction open");
    fleet.audit_is_clean();
    let left = ITEMS - fleet.ledger().ended() as i64;
    assert!(left > 2, "it wasn't stopped in the middle of its work");
    assert!(!fleet.ledger().done().contains(&0), "the held item has ended");

    fs::write(&release, "").expect("the release is given");
    let next = fleet.worker_in("slot");
    does_what_is_left(&fleet, &next, left as u64);
    next.stop();
    fleet.ledger().each_once(ITEMS);
    fleet.ledger().in_key_order();
    fleet.audit_is_clean();
}

#[test]
fn a_worker_whose_handlers_return_stops_promptly_at_work_and_at_rest() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 4 });
    fleet.publish(naps(0..ITEMS));
    let worker = fleet.worker();
    until("work has begun", || (fleet.ledger().ended() > 0).then_some(()));
    let at_work = stop(worker);
    assert!(!fleet.is_in_a_transaction(), "it left a transaction open");
    let left = ITEMS - fleet.ledger().ended() as i64;
    assert!(left > 0, "it wasn't at work");
    let next = fleet.worker();
    does_what_is_left(&fleet, &next, left as u64);
    let at_rest = stop(next);
    assert!(at_work <= PROMPT && at_rest <= PROMPT, "at work {at_work:?}, at rest {at_rest:?}");
    fleet.ledger().each_once(ITEMS);
    fleet.ledger().in_key_order();
    fleet.audit_is_clean();
}

/// That much, and nothing that was done before.
fn does_what_is_left(fleet: &Fleet, next: &Process, left: u64) {
    let done = || next.counter("longshore_items_total", &[("outcome", "done")]);
    fleet.until_ended(ITEMS as usize);
    until("it is counted", || (done() >= left).then_some(()));
    assert_eq!(done(), left, "the next worker did something again");
}

/// How long it takes to end, with exit code 0.
fn stop(worker: Process) -> Duration {
    let asked = Instant::now();
    worker.stop();
    asked.elapsed()
}
