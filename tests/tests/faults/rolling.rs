//! Three brokers die in turn, each when the one before it has caught up.

use longshore_tests::{Fleet, Shape};

use crate::trial::{Brokers, JOIN, STAGE, Trial, committed, rebuilt_at_all, times};

/// Nodes of the cluster.
const NODES: usize = 3;

#[test]
fn a_worker_outlives_each_of_three_brokers() {
    outlives_each_of_three_brokers(STAGE);
}

#[test]
fn a_coordinator_outlives_each_of_three_brokers() {
    outlives_each_of_three_brokers(JOIN);
}

fn outlives_each_of_three_brokers(shape: Shape) {
    let brokers = Brokers::all_alive();
    let cluster = brokers.cluster;
    let fleet = Fleet::new(cluster, shape);
    let restarts = NODES * times();
    let mut trial = Trial::publish(&fleet, 2 * restarts);
    let worker = fleet.runs_last_step(&[]);
    trial.has_begun();
    for restart in 0..restarts {
        let node = restart % NODES;
        trial.next();
        // The first and the third are killed, the second is asked to go.
        if node == 1 {
            cluster.stop(node)
        } else {
            cluster.crash(node)
        }
        // A node that is asked to go takes its time, in which the work may run out.
        trial.next();
        trial.until_commits(&worker, 1);
        cluster.restart(node);
    }
    assert!(committed(&worker) > restarts as u64);
    // Most deaths taint its producer; one that holds none of its leaders may not.
    let rebuilds = rebuilt_at_all(&worker);
    assert!(
        rebuilds >= times() as u64,
        "{rebuilds} producers were replaced in {restarts} restarts"
    );
    trial.ends_well(worker);
}
