//! Members come and go while there is work.

use longshore_tests::{Cluster, Fleet, Rounds, Shape};

#[test]
fn nothing_is_lost_or_doubled_while_members_join_and_leave() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 4 });
    let mut work = Rounds::publish(&fleet, 6);
    let first = fleet.worker();
    fleet.until_members("work", 1);
    work.next();
    let second = fleet.worker();
    fleet.until_members("work", 2);
    work.next();
    let third = fleet.worker();
    fleet.until_members("work", 3);
    work.next();
    first.stop();
    fleet.until_members("work", 2);
    work.next();
    let fourth = fleet.worker();
    fleet.until_members("work", 3);
    let items = work.items();
    work.finish();
    for worker in [second, third, fourth] {
        worker.stop();
    }
    fleet.ledger().each_once(items);
    fleet.ledger().in_key_order();
    fleet.audit_is_clean();
}
