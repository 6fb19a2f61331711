//! A coordinator is killed -9 while groups are open.

use std::fs;

use longshore_tests::{Cluster, Fleet, Shape, until};

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

/// How many groups Longshore says are open.
fn open_groups(fleet: &Fleet) -> usize {
    let said = fleet.succeeds(&["groups", "list", "--limit", "1000"]);
    let group = format!("{}-items/", fleet.name());
    said.lines().filter(|line| line.contains(&group)).count()
}
