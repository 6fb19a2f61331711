//! Members without a slot come and go all the time: the group rebalances about every second.

use longshore_tests::{Cluster, Fleet, Process, Shape, until};

use crate::naps;

/// Members that come and go.
const GUESTS: i64 = 12;
/// Every so manieth of them is killed, which the group notices only when its session has ended.
const KILLED: i64 = 4;
/// Items for each of them, about a second of work.
const ITEMS: i64 = 1_000;

#[test]
fn each_item_ends_once_in_a_group_that_never_rests() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 4 });
    let resident = fleet.worker();
    fleet.until_members("work", 1);
    fleet.publish(naps(0..ITEMS));
    for number in 1..=GUESTS {
        let guest = fleet.worker();
        until("the guest has partitions", || guest.has_partitions().then_some(()));
        fleet.publish(naps(ITEMS * number..ITEMS * (number + 1)));
        until("the guest has done some of it", || (done(&guest) > 0).then_some(()));
        match number % KILLED {
            0 => guest.crash(),
            _ => guest.stop(),
        }
    }
    let items = ITEMS * (GUESTS + 1);
    fleet.until_ended(items as usize);
    // Each coming and each going is a rebalance, and so is what follows if partitions move.
    let rebalances = resident.counter("longshore_rebalances_total", &[("kind", "assigned")]);
    assert!(rebalances >= 2 * GUESTS as u64, "{rebalances} rebalances by {GUESTS} guests");
    let discarded = resident.counter("longshore_discarded_items_total", &[]);
    assert_eq!(discarded, told_discarded(&resident), "counted, and told");
    resident.stop();
    fleet.ledger().each_once(items);
    fleet.ledger().in_key_order();
    fleet.audit_is_clean();
}

fn done(worker: &Process) -> u64 {
    worker.counter("longshore_items_total", &[("outcome", "done")])
}

/// How much it says that it gave back unfinished.
fn told_discarded(worker: &Process) -> u64 {
    let given_back =
        worker.told("gave back a partition with unfinished work: the next owner does it again");
    let count = |event: &serde_json::Value, of: &str| event[of].as_u64().expect("a count");
    given_back.iter().map(|it| count(it, "in_flight") + count(it, "ready")).sum()
}
