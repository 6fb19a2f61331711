//! Three brokers die in turn, each when the one before it has caught up.

use longshore_tests::{Cluster, Fleet, Shape};

use crate::trial::{Trial, committed, times};

/// Nodes of the cluster.
const NODES: usize = 3;

#[test]
fn a_worker_outlives_each_of_three_brokers() {
    let cluster = Cluster::three();
    let fleet = Fleet::new(cluster, Shape::Stage { partitions: 4 });
    let restarts = NODES * times();
    let mut trial = Trial::publish(&fleet, 2 * restarts);
    let worker = fleet.worker();
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
    trial.ends_well(worker);
}
