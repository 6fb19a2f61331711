//! Joins: a coordinator is killed -9 while groups are open, and what a join's own keys ask for.

use std::fs;

use longshore_schemas::records::GroupStatus;
use longshore_tests::{Cluster, Fleet, Job, Shape, until};

use crate::echoes;

const GROUPS: i64 = 60;

#[test]
fn groups_that_were_open_when_the_coordinator_was_killed_close_once() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Join);
    let release = fleet.file("release");
    fleet.publish(echoes(0..GROUPS).map(|job| job.held_until(&release)));
    let worker = fleet.worker_in("worker");
    let coordinator = fleet.coordinator_in("coordinator");
    until("every group is open", || (open_groups(&fleet) == GROUPS as usize).then_some(()));
    fleet.until_members("all", 1);
    coordinator.crash();
    assert_eq!(fleet.ledger().ended(), 0);
    fs::write(&release, "").expect("the release is given");
    let coordinator = fleet.coordinator_in("coordinator");
    fleet.until_ended(GROUPS as usize);
    coordinator.stop();
    worker.stop();
    fleet.ledger().each_once(GROUPS);
    assert_eq!(open_groups(&fleet), 0);
    fleet.audit_is_clean();
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

/// The group's three parts are more than its join may hold, and the two that it may hold aren't
/// lost: with more room the next coordinator goes on.
#[test]
fn a_join_whose_open_groups_take_more_than_it_says_stops_and_names_the_key() {
    let fleet = with_keys("open_bytes_max: 1MiB");
    fleet.publish([Job::echo(0, "key").doing(&format!("echo {}", "x".repeat(400_000)))]);
    let worker = fleet.worker();
    let (code, said) = fleet.coordinator_in("coordinator").ends();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("`open_bytes_max` (1048576 bytes)"), "{said}");
    let (code, said) = fleet.process(&["groups", "list"]).ends();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("`open_bytes_max`"), "{said}");
    fleet.rewrite(|text| text.replace(GATHER, &format!("{GATHER}, open_bytes_max: 2MiB")));
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

/// How many groups Longshore says are open.
fn open_groups(fleet: &Fleet) -> usize {
    let said = fleet.succeeds(&["groups", "list", "--limit", "1000"]);
    let group = format!("{}-items/", fleet.name());
    said.lines().filter(|line| line.contains(&group)).count()
}
