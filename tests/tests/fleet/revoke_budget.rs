//! Items that are still at work when their partition has to be given back.

use std::collections::BTreeMap;
use std::fs;

use longshore_kafka::admin::Isolation;
use longshore_tests::{Cluster, Fleet, Job, Process, Shape, Watch, until};

const HELD: i64 = 40;
const ITEMS: i64 = 400;

/// The time that a revocation may take is over: what is held is cancelled, counted and done by the
/// next owner, and the other partitions are left alone.
#[test]
fn items_beyond_the_revoke_budget_are_counted_and_done_by_the_next_owner() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 4 });
    let release = fleet.file("release");
    let job = |number| Job::echo(number, format!("key {number}"));
    fleet.publish((0..ITEMS).map(|number| match number < HELD {
        true => job(number).held_until(&release),
        false => job(number),
    }));
    let watch = Watch::of(&fleet);
    let first = fleet.worker();
    fleet.until_ended((ITEMS - HELD) as usize);
    until("every held item is at work", || (at_work(&first) == HELD as u64).then_some(()));
    let second = fleet.worker();
    until("the second worker is at them", || (at_work(&second) > 0).then_some(()));

    let held = held_by_partition(&fleet);
    let given_back = given_back(&first);
    assert_eq!(given_back.len(), 2, "two of four partitions are the second's: {given_back:?}");
    for (partition, count) in &given_back {
        assert_eq!(held.get(partition), Some(count), "of partition {partition}");
    }
    let discarded: u64 = given_back.values().sum();
    assert_eq!(first.counter("longshore_discarded_items_total", &[]), discarded);
    until("both are at their own", || {
        (at_work(&first) == HELD as u64 - discarded && at_work(&second) == discarded).then_some(())
    });

    fs::write(&release, "").expect("the release is given");
    fleet.until_ended(ITEMS as usize);
    let done = second.counter("longshore_items_total", &[("outcome", "done")]);
    assert_eq!(done, discarded, "what the first had given up, and nothing else");
    watch.ends_well(ITEMS, [first, second]);
}

fn at_work(worker: &Process) -> u64 {
    worker.counter("longshore_items_in_flight", &[])
}

/// How many held items each partition has.
fn held_by_partition(fleet: &Fleet) -> BTreeMap<String, u64> {
    let mut held = BTreeMap::new();
    for (partition, job) in fleet.published(Isolation::Committed) {
        if job.number < HELD {
            *held.entry(partition.to_string()).or_default() += 1;
        }
    }
    held
}

/// How many unfinished items of each partition a worker says it has given back.
fn given_back(worker: &Process) -> BTreeMap<String, u64> {
    let events =
        worker.told("gave back a partition with unfinished work: the next owner does it again");
    let of = |event: &serde_json::Value| {
        assert_eq!(event["ready"], 0, "what had an outcome was committed: {event}");
        let partition = event["partition"].as_str().expect("a partition");
        (partition.to_owned(), event["in_flight"].as_u64().expect("a count"))
    };
    let given_back: BTreeMap<_, _> = events.iter().map(of).collect();
    assert_eq!(given_back.len(), events.len(), "a partition was given back twice: {events:?}");
    given_back
}
