//! The broker that a worker's transactions or its group depend on is killed -9 while the worker is
//! in the middle of its work: it goes on with another before the dead one is back.

use longshore_tests::{Cluster, Fleet, Process, until, until_caught};

use crate::trial::{Brokers, STAGE, Trial, committed, times};

/// Deaths in one test.
const DEATHS: usize = 2;
/// Commits without the broker that is dead: one may have been decided when it died.
const COMMITS: u64 = 3;
/// Kafka's tools that say who coordinates.
const TRANSACTIONS: &str = "org.apache.kafka.tools.TransactionsCommand";
const GROUPS: &str = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";

#[test]
fn a_worker_outlives_the_coordinator_of_its_transactions() {
    outlives_its(coordinator_of_transactions);
}

#[test]
fn a_worker_outlives_the_coordinator_of_its_group() {
    outlives_its(coordinator_of_group);
}

fn outlives_its(coordinator: fn(&Cluster, &str) -> Option<usize>) {
    let brokers = Brokers::all_alive();
    let cluster = brokers.cluster;
    let fleet = Fleet::new(cluster, STAGE);
    let group = format!("{}.work", fleet.name());
    let coordinator = || until("there is a coordinator", || coordinator(cluster, &group));
    let deaths = DEATHS * times();
    let mut trial = Trial::publish(&fleet, 2 * deaths);
    let mut worker = fleet.worker_in("slot");
    trial.has_begun();
    for _ in 0..deaths {
        let node = coordinator();
        let before = troubles(&worker);
        trial.next();
        trial.until_commits(&worker, 1);
        cluster.crash(node);
        trial.next();
        commits_without_the_dead(&mut worker);
        assert_ne!(coordinator(), node, "the dead one still coordinates");
        assert!(troubles(&worker) > before, "its death has hit no transaction");
        cluster.restart(node);
    }
    trial.ends_well(worker);
}

fn commits_without_the_dead(worker: &mut Process) {
    let before = committed(worker);
    until_caught("the worker commits without the dead one", || {
        assert!(worker.running(), "it has ended:\n{}", worker.said());
        (committed(worker) >= before + COMMITS).then_some(())
    });
}

/// Transactions of a worker that weren't committed, and producers that were replaced.
fn troubles(worker: &Process) -> u64 {
    let transactions = worker.counter("longshore_transactions_total", &[]);
    transactions - committed(worker) + worker.counter("longshore_producer_rebuilds_total", &[])
}

/// The node, 0 to 2, that decides the transactions of a group's only worker.
fn coordinator_of_transactions(cluster: &Cluster, group: &str) -> Option<usize> {
    let said = said(cluster, TRANSACTIONS, &["list"]);
    let line = said.lines().find(|line| line.starts_with(&format!("{group}-")))?;
    node(line.split_whitespace().nth(1)?)
}

/// The node that knows the group's members and its progress.
fn coordinator_of_group(cluster: &Cluster, group: &str) -> Option<usize> {
    let said = said(cluster, GROUPS, &["--describe", "--state", "--group", group]);
    let line = said.lines().find(|line| line.starts_with(group))?;
    let (_, id) = line.split_once(" (")?;
    node(id.split_once(')')?.0)
}

fn said(cluster: &Cluster, tool: &str, arguments: &[&str]) -> String {
    let output = cluster.tool(tool).args(arguments).output().expect("Kafka's tool runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Kafka's ids of nodes begin at 1.
fn node(id: &str) -> Option<usize> {
    id.parse::<usize>().ok()?.checked_sub(1)
}
