//! Members come and go while there is work.

use longshore_tests::{Cluster, Fleet, Rounds, Shape, Watch};

#[test]
fn nothing_is_lost_or_doubled_while_members_join_and_leave() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 4 });
    let mut work = Rounds::publish(&fleet, 6);
    let watch = Watch::of(&fleet);
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
    watch.ends_well(items, [second, third, fourth]);
}
