//! A cluster's features are upgraded step by step while a worker works.

use longshore_tests::{Cluster, Fleet, Rounds, Shape, Watch, until};

/// What the cluster begins with.
const OLD: &str = "3.9";
/// What is upgraded, in order, and the levels that it has then.
const STEPS: [(&[&str], &str, &str); 3] = [
    (&["--feature", "transaction.version=1"], "3.9-IV0", "1"),
    (&["--release-version", "4.0"], "4.0-IV3", "2"),
    (&["--release-version", "4.3"], "4.3-IV0", "2"),
];

#[test]
fn a_worker_works_on_while_the_cluster_s_features_are_upgraded() {
    let cluster = Cluster::of_release(OLD);
    let fleet = Fleet::new(cluster, Shape::Stage { partitions: 4 });
    // Two rounds of each step, and one to begin with.
    let mut work = Rounds::publish_of(400, &fleet, 2 * STEPS.len() as i64 + 1);
    let (items, watch) = (work.items(), Watch::of(&fleet));
    let worker = fleet.worker();
    let committed = || worker.counter("longshore_transactions_total", &[("outcome", "committed")]);
    until("work has begun", || (committed() > 0).then_some(()));
    assert_eq!(levels(cluster), ("3.9-IV0".to_owned(), "0".to_owned()));
    for (step, metadata, transactions) in STEPS {
        let before = committed();
        work.next();
        feature_command(cluster, "upgrade", step);
        assert_eq!(levels(cluster), (metadata.to_owned(), transactions.to_owned()));
        work.next();
        until("the worker commits", || (committed() > before + 1).then_some(()));
    }
    work.finish();
    watch.ends_well(items, [worker]);
}

/// The levels of the cluster's metadata and of its transactions.
fn levels(cluster: &Cluster) -> (String, String) {
    let said = feature_command(cluster, "describe", &[]);
    let level = |feature: &str| {
        let line = said.lines().find(|line| line.contains(feature));
        let (_, rest) = line.and_then(|it| it.split_once("FinalizedVersionLevel: ")).expect(&said);
        rest.split_whitespace().next().expect("a level").to_owned()
    };
    (level("metadata.version"), level("transaction.version"))
}

/// By Kafka's own tool: what it said.
fn feature_command(cluster: &Cluster, command: &str, arguments: &[&str]) -> String {
    let mut tool = cluster.tool("org.apache.kafka.tools.FeatureCommand");
    let output = tool.arg(command).args(arguments).output().expect("Kafka's tool runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
