//! Members come and go while there is work.

use longshore_tests::{Cluster, Fleet, Shape};

use crate::naps;

const ITEMS: i64 = 6_000;

#[test]
fn nothing_is_lost_or_doubled_while_members_join_and_leave() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 4 });
    fleet.publish(naps(0..ITEMS));
    let first = fleet.worker();
    fleet.until_members("work", 1);
    let second = fleet.worker();
    fleet.until_members("work", 2);
    let third = fleet.worker();
    fleet.until_members("work", 3);
    first.stop();
    fleet.until_members("work", 2);
    let fourth = fleet.worker();
    fleet.until_members("work", 3);
    let ended = fleet.ledger().ended();
    assert!(ended > 0 && ended < ITEMS as usize, "{ended} had ended when the last one joined");
    fleet.until_ended(ITEMS as usize);
    for worker in [second, third, fourth] {
        worker.stop();
    }
    fleet.ledger().each_once(ITEMS);
    fleet.ledger().in_key_order();
    fleet.audit_is_clean();
}
