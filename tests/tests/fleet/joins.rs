//! Joins: a coordinator is killed -9 while groups are open, and what a join's own keys ask for.

use std::fs;

use longshore_schemas::records::GroupStatus;
use longshore_tests::{Cluster, Fleet, Job, Process, Shape, Watch, until};

use crate::echoes;

const GROUPS: i64 = 60;
/// Groups that stay open while others come and go.
const OLD: i64 = 6;
const YOUNG: i64 = 400;
/// Bytes of a large part, and groups of two of them and a small one.
const LARGE: usize = 600_000;
const LARGE_GROUPS: i64 = 200;
/// What the coordinator of such groups may take at most.
const PEAK_MIB: u64 = 150;

#[test]
fn groups_that_were_open_when_the_coordinator_was_killed_close_once() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Join);
    let release = fleet.file("release");
    fleet.publish(echoes(0..GROUPS).map(|job| job.held_until(&release)));
    let watch = Watch::of(&fleet);
    let worker = fleet.worker_in("worker");
    let coordinator = fleet.coordinator_in("coordinator");
    until("every group is open", || (open_groups(&fleet) == GROUPS as usize).then_some(()));
    fleet.until_members("all", 1);
    coordinator.crash();
    assert_eq!(fleet.ledger().ended(), 0);
    fs::write(&release, "").expect("the release is given");
    let coordinator = fleet.coordinator_in("coordinator");
    watch.ends_well(GROUPS, [coordinator, worker]);
    assert_eq!(open_groups(&fleet), 0);
}

#[test]
fn a_gather_that_always_fails_is_called_as_often_as_its_join_says_and_its_result_is_failed() {
    let fleet = with_keys("attempts: 3, backoff: {initial: 1ms, max: 2ms}");
    let calls = fleet.file("calls");
    let does = format!("ungathered {}", calls.display());
    fleet.publish([Job::echo(0, "key").doing(&does)]);
    let (worker, coordinator) = (fleet.worker(), fleet.coordinator_in("coordinator"));
    let results = until("the group has its result", || {
        Some(fleet.results()).filter(|results| !results.is_empty())
    });
    coordinator.stop();
    worker.stop();
    let [result] = &results[..] else { panic!("{results:?}") };
    assert_eq!(result.status, GroupStatus::Failed);
    let error = result.error.as_ref().expect("a FAILED result says why");
    assert_eq!(error.class, "away");
    assert_eq!(fs::read_to_string(&calls).expect("it was called").lines().count(), 3);
    fleet.audit_is_clean();
}

/// Groups that stay open hold up neither the position nor, once they are carried, the replay.
#[test]
fn a_coordinator_that_is_killed_replays_little_though_old_groups_are_open() {
    let fleet = with_keys("replay_max: 100");
    let release = fleet.file("release");
    let held = format!("hold-last {} p", release.display());
    fleet.publish(echoes(0..OLD).map(|job| job.doing(&held)));
    let watch = Watch::of(&fleet);
    let worker = fleet.worker_in("worker");
    let coordinator = fleet.coordinator_in("coordinator");
    for round in 0..YOUNG / 100 {
        fleet.publish(echoes(OLD..OLD + YOUNG).skip(round as usize * 100).take(100));
        fleet.until_ended((round as usize + 1) * 100);
    }
    until("the old groups of both partitions are carried", || {
        (carried(&coordinator) >= OLD as usize).then_some(())
    });
    coordinator.crash();
    assert_eq!(open_groups(&fleet), OLD as usize);
    let coordinator = fleet.coordinator_in("coordinator");
    let replayed = until("both partitions were replayed", || {
        let replayed = numbers(&coordinator, "replayed", "records");
        (replayed.len() == 2).then_some(replayed)
    });
    // Of about 800 records in each.
    assert!(replayed.iter().all(|records| *records <= 250), "{replayed:?}");
    fs::write(&release, "").expect("the release is given");
    watch.ends_well(OLD + YOUNG, [coordinator, worker]);
}

/// Of open groups with 240 MB of payloads 32 MiB may stay in memory, beside 32 MiB of buffers:
/// all of it is there before the coordinator begins, which reads as fast as it can.
#[test]
fn a_join_keeps_its_memory_small_whatever_its_open_groups_hold() {
    let fleet = with_keys("open_bytes_max: 16MiB");
    let release = fleet.file("release");
    let does = format!("hold-last {} {}", release.display(), "x".repeat(LARGE));
    fleet.publish(echoes(0..LARGE_GROUPS).map(|job| job.doing(&does)));
    let worker = fleet.worker_in("worker");
    until("all but the last part of every group is done", || {
        let done = worker.counter("longshore_items_total", &[("outcome", "done")]);
        (done == 3 * LARGE_GROUPS as u64).then_some(())
    });
    let coordinator = fleet.process(&["coordinate", "--buffers", "32MiB"]);
    until("all but the last part of every group is there", || {
        let said = fleet.succeeds(&["groups", "list", "--limit", "1000"]);
        (said.matches("2 of 3").count() == LARGE_GROUPS as usize).then_some(())
    });
    let open = coordinator.peak_memory() >> 20;
    fs::write(&release, "").expect("the release is given");
    fleet.until_ended(LARGE_GROUPS as usize);
    let peak = coordinator.peak_memory() >> 20;
    coordinator.stop();
    worker.stop();
    fleet.ledger().each_once(LARGE_GROUPS);
    assert!(peak <= PEAK_MIB, "{open} MiB while they were open, {peak} MiB at most");
    fleet.audit_is_clean();
}

/// The group's three parts are more than its join may hold, and the two that it may hold aren't
/// lost: with more room the next coordinator goes on.
#[test]
fn a_join_whose_open_groups_take_more_than_it_says_stops_and_names_the_key() {
    let fleet = with_keys("open_bytes_max: 1MiB, spill_bytes_max: 0B");
    fleet.publish([Job::echo(0, "key").doing(&format!("echo {}", "x".repeat(400_000)))]);
    let worker = fleet.worker();
    let (code, said) = fleet.coordinator_in("coordinator").ends();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("`open_bytes_max` (1048576 bytes)"), "{said}");
    assert!(said.contains("`spill_bytes_max` (0 bytes)"), "{said}");
    fleet.rewrite(|text| text.replace(GATHER, &format!("{GATHER}, open_bytes_max: 1MiB")));
    let coordinator = fleet.coordinator_in("coordinator");
    fleet.until_ended(1);
    coordinator.stop();
    worker.stop();
    fleet.ledger().each_once(1);
    fleet.audit_is_clean();
}

/// Where the join's section of the file is added to.
const GATHER: &str = "gather: gather";

/// A fleet whose join has these keys too.
fn with_keys(keys: &str) -> Fleet {
    let fleet = Fleet::new(Cluster::shared(), Shape::Join);
    fleet.rewrite(|text| text.replace(GATHER, &format!("{GATHER}, {keys}")));
    fleet
}

/// How many groups the process says it has carried.
fn carried(coordinator: &Process) -> usize {
    numbers(coordinator, "carries old groups into the journal", "groups").iter().sum()
}

/// The numbers under this name in each line of a log that says this.
fn numbers(process: &Process, message: &str, name: &str) -> Vec<usize> {
    let (message, name) = (format!("\"{message}\""), format!("\"{name}\":"));
    let said = process.said();
    let lines = said.lines().filter(|line| line.contains(&message));
    let number = |line: &str| {
        let (_, rest) = line.split_once(&name)?;
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    };
    lines.filter_map(number).collect()
}

/// How many groups Longshore says are open.
fn open_groups(fleet: &Fleet) -> usize {
    let said = fleet.succeeds(&["groups", "list", "--limit", "1000"]);
    let group = format!("{}-items/", fleet.name());
    said.lines().filter(|line| line.contains(&group)).count()
}
