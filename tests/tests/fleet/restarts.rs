//! The broker is killed -9 under load, and started again.

use longshore_tests::{Cluster, Fleet, Shape, until};

use crate::naps;

const ITEMS: i64 = 4_000;

#[test]
fn a_worker_outlives_its_broker() {
    let cluster = Cluster::one_to_kill();
    let fleet = Fleet::new(cluster, Shape::Stage { partitions: 4 });
    fleet.publish(naps(0..ITEMS));
    let worker = fleet.worker();
    let ended = until("work has begun", || Some(fleet.ledger().ended()).filter(|it| *it > 0));
    assert!(ended < ITEMS as usize, "all had ended before the broker was killed");
    cluster.crash_and_restart();
    fleet.until_ended(ITEMS as usize);
    worker.stop();
    fleet.ledger().each_once(ITEMS);
    fleet.ledger().in_key_order();
    fleet.audit_is_clean();
}
