//! Members without a slot come and go all the time: the group rebalances about every second.

use std::time::{Duration, Instant};

use longshore_kafka::admin::Isolation;
use longshore_tests::{Cluster, Fleet, Process, Shape, Watch, until};
use serde_json::Value;

use crate::naps;

/// Partitions, all of which are the resident's while there is no guest.
const PARTITIONS: usize = 4;
/// Members that come and go.
const GUESTS: usize = 12;
/// And then those that are killed, which the group notices only when their sessions have ended.
const KILLED: usize = 3;
/// How long a rebalance takes at most, in the mean: a second until every member has heard of it.
const EACH_AT_MOST: Duration = Duration::from_secs(2);
/// Items a second: half as many as can be done. There are more than can be published meanwhile.
const RATE: &str = "500";
const ITEMS: i64 = 100_000;

#[test]
fn each_item_ends_once_in_a_group_that_never_rests() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: PARTITIONS as u32 });
    let watch = Watch::of(&fleet);
    let resident = fleet.worker();
    until_it_has_all(&resident);
    let file = fleet.lines(naps(0..ITEMS));
    let file = file.to_str().expect("a path in UTF-8");
    let producer = fleet.process(&["produce", file, "--rate", RATE]);
    let (before, begun) = (rebalances(&resident), Instant::now());
    for _ in 0..GUESTS {
        guest_at_work(&fleet).stop();
        until_it_has_all(&resident);
    }
    let (rebalances, took) = (rebalances(&resident) - before, begun.elapsed());
    tell(rebalances, took);
    // Each coming and each going is a rebalance, and so is what follows if partitions move.
    assert!(rebalances >= 2 * GUESTS as u64, "{rebalances} rebalances by {GUESTS} guests");
    let each = took / u32::try_from(rebalances).expect("a count");
    assert!(each <= EACH_AT_MOST, "a rebalance every {each:?} only: {rebalances} within {took:?}");
    for _ in 0..KILLED {
        guest_at_work(&fleet).crash();
        until_it_has_all(&resident);
    }
    // Each guest had some of its partitions, and it had them back.
    let moves = ["revoked", "assigned"].map(|what| moves(&resident, what).count());
    assert!(moves.iter().all(|it| *it >= GUESTS + KILLED), "they came and went {moves:?} times");
    producer.stop();
    let items = fleet.published(Isolation::Committed).len() as i64;
    assert!(items < ITEMS, "there was no work any more");
    fleet.until_ended(items as usize);
    let discarded = resident.counter("longshore_discarded_items_total", &[]);
    assert_eq!(discarded, told_discarded(&resident), "counted, and told");
    watch.ends_well(items, [resident]);
}

/// A new member that has partitions and has done some of their items.
fn guest_at_work(fleet: &Fleet) -> Process {
    let guest = fleet.worker();
    until("the guest has done something", || (done(&guest) > 0).then_some(()));
    guest
}

fn until_it_has_all(resident: &Process) {
    until("the resident has all partitions", || {
        let [had, lost] = ["assigned", "revoked"].map(|it| moves(resident, it).sum::<usize>());
        (had - lost == PARTITIONS).then_some(())
    });
}

/// How many partitions came or went each time that any did.
fn moves(worker: &Process, what: &str) -> impl Iterator<Item = usize> {
    let count = |event: Value| event["partitions"].as_str().map(|it| it.matches("Part").count());
    worker.told(what).into_iter().filter_map(count).filter(|count| *count > 0)
}

fn rebalances(worker: &Process) -> u64 {
    worker.counter("longshore_rebalances_total", &[("kind", "assigned")])
}

fn done(worker: &Process) -> u64 {
    worker.counter("longshore_items_total", &[("outcome", "done")])
}

/// How much it says that it gave back unfinished.
fn told_discarded(worker: &Process) -> u64 {
    let given_back =
        worker.told("gave back a partition with unfinished work: the next owner does it again");
    let count = |event: &Value, of: &str| event[of].as_u64().expect("a count");
    given_back.iter().map(|it| count(it, "in_flight") + count(it, "ready")).sum()
}

#[expect(clippy::print_stderr, reason = "the figure is of interest also if the test passes")]
fn tell(rebalances: u64, took: Duration) {
    eprintln!("{rebalances} rebalances within {took:?}");
}
