//! The broker is killed -9 and started again while a worker stands still in the middle of its work,
//! which goes on when the broker is away. Deaths under load are in `tests/faults/broker_deaths.rs`.

use longshore_tests::{Cluster, Fleet, Rounds, Shape, until};

#[test]
fn a_worker_outlives_its_broker() {
    let cluster = Cluster::one_to_kill();
    let fleet = Fleet::new(cluster, Shape::Stage { partitions: 4 });
    let work = Rounds::publish(&fleet, 4);
    let items = work.items();
    let worker = fleet.worker();
    until("work has begun", || (fleet.ledger().ended() > 0).then_some(()));
    // A Kafka of one broker that is killed between a transaction's decision and its markers never
    // writes them (docs/adr/0013), and nobody reads on behind it. So not right then.
    worker.freeze();
    fleet.until_markers_are_written();
    cluster.crash_and_restart(|| worker.thaw());
    work.finish();
    worker.stop();
    fleet.ledger().each_once(items);
    fleet.ledger().in_key_order();
    fleet.audit_is_clean();
}
