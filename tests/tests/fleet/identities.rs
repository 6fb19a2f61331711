//! The transactional ids of a fleet: a process in a slot takes on those that its predecessor had.

use std::collections::BTreeSet;

use longshore_tests::{Cluster, Fleet, Process, Shape, echoes, until};

/// How often each process is started.
const STARTS: usize = 3;
/// The lanes of a worker, and that of a coordinator.
const STAGES: [&str; 2] = ["split", "part"];
const JOIN: [&str; 1] = ["all"];

#[test]
fn processes_in_slots_have_the_same_transactional_ids_after_every_restart() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Join);
    let ids = ["split-a-0", "split-b-0", "part-a-0", "part-b-0", "all-c-0"];
    let ids: BTreeSet<_> = ids.iter().map(|id| format!("{}.{id}", fleet.name())).collect();
    let mut items = 0;
    for start in 1..=STARTS {
        let processes = [
            (fleet.worker_in("a"), &STAGES[..]),
            (fleet.worker_in("b"), &STAGES[..]),
            (fleet.coordinator_in("c"), &JOIN[..]),
        ];
        until_all_commit(&fleet, &processes, &mut items);
        assert_eq!(transactional_ids(&fleet), ids, "after {start} starts");
        end(processes, start);
    }
}

/// Kafka forgets them when nobody has used them for `transactional.id.expiration.ms`, a week.
#[test]
fn workers_without_a_slot_have_transactional_ids_for_each_start_and_lane() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Join);
    let mut items = 0;
    for start in 1..=STARTS {
        let processes = [(fleet.worker(), &STAGES[..])];
        until_all_commit(&fleet, &processes, &mut items);
        let ids = transactional_ids(&fleet);
        assert_eq!(ids.len(), start * STAGES.len(), "after {start} starts: {ids:?}");
        end(processes, start);
    }
}

/// Publishes until every lane has committed something, and so has a transactional id.
fn until_all_commit(fleet: &Fleet, processes: &[(Process, &[&str])], items: &mut i64) {
    const MORE: i64 = 40;
    let has_committed = |process: &Process, lane: &str| {
        let lane = format!("{}.{lane}", fleet.name());
        let labels = [("lane", lane.as_str()), ("outcome", "committed")];
        process.counter("longshore_transactions_total", &labels) > 0
    };
    until("every lane has committed", || {
        if processes.iter().all(|(it, lanes)| lanes.iter().all(|lane| has_committed(it, lane))) {
            return Some(());
        }
        fleet.publish(echoes(*items..*items + MORE));
        *items += MORE;
        None
    });
}

/// By turns they are killed and asked to stop.
fn end<const N: usize>(processes: [(Process, &[&str]); N], start: usize) {
    for (process, _) in processes {
        if start.is_multiple_of(2) { process.stop() } else { process.crash() }
    }
}

/// Those of the fleet's lanes, as Kafka's own tool lists them.
fn transactional_ids(fleet: &Fleet) -> BTreeSet<String> {
    let mut tool = Cluster::shared().tool("org.apache.kafka.tools.TransactionsCommand");
    let output = tool.arg("list").output().expect("Kafka's tool runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let lanes = STAGES.iter().chain(&JOIN).map(|lane| format!("{}.{lane}-", fleet.name()));
    let lanes: Vec<_> = lanes.collect();
    let ids = said.lines().filter_map(|line| line.split_whitespace().next());
    let ids = ids.filter(|id| lanes.iter().any(|lane| id.starts_with(lane)));
    ids.map(str::to_owned).collect()
}
