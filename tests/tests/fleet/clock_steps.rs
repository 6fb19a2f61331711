//! The clock of a coordinator's machine is set while groups are open: only the brokers' counts.

use std::fs;
use std::path::PathBuf;

use longshore_schemas::records::{GroupResult, GroupStatus};
use longshore_tests::{Cluster, Fleet, Onlooker, Shape, Watch, WrongClock, until};

use crate::echoes;

const GROUPS: i64 = 20;
const HOUR: i64 = 3_600;

/// Groups of which the last part is held until the file is there.
fn with_groups_open(timeout: &str) -> (Fleet, PathBuf) {
    let fleet = Fleet::new(Cluster::shared(), Shape::Join);
    fleet.rewrite(|text| {
        text.replace("timeout: 120s, gather", &format!("timeout: {timeout}, gather"))
    });
    let release = fleet.file("release");
    let held = format!("hold-last {} p", release.display());
    fleet.publish(echoes(0..GROUPS).map(|job| job.doing(&held)));
    (fleet, release)
}

fn open_groups(fleet: &Fleet) -> usize {
    fleet.succeeds(&["groups", "list", "--limit", "1000"]).matches("2 of 3").count()
}

/// Waits until every group has its result, for want of its last part.
fn until_closed_in_time(fleet: &Fleet) {
    let results = until("every group is closed at its deadline", || {
        Some(fleet.results()).filter(|it| it.len() == GROUPS as usize)
    });
    let partial = |it: &&GroupResult| it.status == GroupStatus::Partial;
    assert_eq!(results.iter().filter(partial).count(), results.len(), "{results:?}");
}

#[test]
fn a_clock_that_is_set_back_holds_no_deadline() {
    let (fleet, release) = with_groups_open("20s");
    let onlooker = Onlooker::of(&fleet);
    let clock = WrongClock::new();
    let worker = fleet.worker_in("worker");
    let coordinator = fleet.coordinator_by(&clock);
    until("every group is open", || (open_groups(&fleet) == GROUPS as usize).then_some(()));
    // Nothing else comes that would let time pass.
    clock.set(-HOUR);
    until_closed_in_time(&fleet);
    fs::write(&release, "").expect("the release is given");
    coordinator.stop();
    worker.stop();
    onlooker.agrees();
    fleet.audit_is_clean();
}

#[test]
fn groups_that_a_coordinator_with_a_late_clock_takes_over_close_at_their_deadline() {
    let (fleet, release) = with_groups_open("20s");
    let onlooker = Onlooker::of(&fleet);
    let worker = fleet.worker_in("worker");
    let first = fleet.coordinator_in("coordinator");
    until("every group is open", || (open_groups(&fleet) == GROUPS as usize).then_some(()));
    first.crash();
    let clock = WrongClock::new();
    clock.set(-HOUR);
    let coordinator = fleet.coordinator_by(&clock);
    until_closed_in_time(&fleet);
    assert!(!coordinator.told("a clock is wrong").is_empty(), "{}", coordinator.said());
    fs::write(&release, "").expect("the release is given");
    coordinator.stop();
    worker.stop();
    onlooker.agrees();
    fleet.audit_is_clean();
}

#[test]
fn a_clock_that_is_set_ahead_closes_nothing_early() {
    let (fleet, release) = with_groups_open("120s");
    let watch = Watch::of(&fleet);
    let clock = WrongClock::new();
    let worker = fleet.worker_in("worker");
    let coordinator = fleet.coordinator_by(&clock);
    until("every group is open", || (open_groups(&fleet) == GROUPS as usize).then_some(()));
    clock.set(HOUR);
    // Another group makes it write, and look at its clock.
    let committed = || coordinator.counter("longshore_transactions_total", &[]);
    let before = committed();
    fleet.publish(echoes(GROUPS..GROUPS + 1));
    fleet.until_ended(1);
    assert!(committed() > before);
    assert_eq!(open_groups(&fleet), GROUPS as usize);
    fs::write(&release, "").expect("the release is given");
    watch.ends_well(GROUPS + 1, [coordinator, worker]);
}
