//! Every partition finds an owner, whenever a member dies.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use longshore_kafka::Partition;
use longshore_kafka::client::{BrokerOptions, KafkaBroker};
use longshore_kafka::lane::broker::{Broker, Polled};
use longshore_schemas::TopicName;

use crate::harness::{DEADLINE, join, options, settings, topic, unique};

fn in_slot(slot: &str, topic: &TopicName, group: &str) -> KafkaBroker {
    let options = options(settings(), topic, group);
    let options = BrokerOptions { slot: Some(slot.to_owned()), ..options };
    KafkaBroker::connect(options).expect("connected")
}

/// Answers one event. The partitions it brings are added, those it takes are removed.
fn answer(member: &mut KafkaBroker, owned: &mut BTreeSet<Partition>) {
    match member.poll(Duration::from_millis(20)).expect("polled") {
        Some(Polled::Assigned(partitions)) => {
            member.accept(&partitions).expect("accepted");
            owned.extend(partitions);
        }
        Some(Polled::Revoked { partitions, .. }) => {
            member.release(&partitions).expect("released");
            owned.retain(|it| !partitions.contains(it));
        }
        _ => {}
    }
}

#[test]
fn a_member_that_dies_between_the_rounds_of_a_rebalance_leaves_no_partition_alone() {
    let topic = topic(4);
    let group = unique("group");
    let mut first = in_slot("first", &topic, &group);
    assert_eq!(join(&mut first).len(), 4);
    // The second member's share is asked back from the first, which dies before it has answered.
    let mut second = in_slot("second", &topic, &group);
    let mut of_second = BTreeSet::new();
    let until = Instant::now() + DEADLINE;
    loop {
        assert!(Instant::now() < until, "nothing was asked back");
        answer(&mut second, &mut of_second);
        match first.poll(Duration::from_millis(20)).expect("polled") {
            Some(Polled::Revoked { .. }) => break,
            Some(Polled::Assigned(partitions)) => first.accept(&partitions).expect("accepted"),
            _ => {}
        }
    }
    drop(first);
    let mut successor = in_slot("first", &topic, &group);
    let mut of_successor = BTreeSet::new();
    let until = Instant::now() + DEADLINE;
    while of_second.len() + of_successor.len() < 4 {
        assert!(Instant::now() < until, "without an owner: {of_second:?} {of_successor:?}");
        answer(&mut second, &mut of_second);
        answer(&mut successor, &mut of_successor);
    }
    assert!(of_second.is_disjoint(&of_successor), "{of_second:?} {of_successor:?}");
}
