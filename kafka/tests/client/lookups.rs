//! What the lane asks before it takes a partition up.

use longshore_kafka::client::TransactionalProducer;
use longshore_kafka::lane::broker::{Broker, Committed, Locate, Polled};
use longshore_kafka::{Commit, Offset, Partition, Transaction};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use std::time::{Duration, Instant};

use crate::harness::*;

#[test]
fn a_new_group_has_no_progress_and_sees_the_logs_bounds() {
    let topic = topic(2);
    fill(&topic, 10);
    let mut broker = connect(&topic, &unique("group"));
    let facts = locate(&mut broker, None).expect("located");
    assert_eq!((facts.committed, facts.siblings_committed), (None, false));
    assert_eq!((facts.log_start, facts.log_end, facts.time_offset), (Offset(0), Offset(10), None));
}

#[test]
fn a_time_is_found_or_lies_behind_everything() {
    let topic = topic(1);
    fill(&topic, 10);
    let mut broker = connect(&topic, &unique("group"));
    assert_eq!(locate(&mut broker, Some(1)).expect("located").time_offset, Some(Offset(0)));
    let future = longshore_schemas::Timestamp::now().plus(Duration::from_secs(3600)).0;
    assert_eq!(locate(&mut broker, Some(future)).expect("located").time_offset, Some(Offset(10)));
}

#[test]
fn the_end_is_the_last_stable_offset_not_the_high_watermark() {
    let topic = topic(1);
    let mut producer = TransactionalProducer::new(settings(), unique("txn")).expect("made");
    let closed = open(&mut producer, &topic, &["a"]);
    assert!(matches!(closed.commit(), Commit::Committed));
    let open = open(&mut producer, &topic, &["b", "c"]);
    let mut broker = connect(&topic, &unique("group"));
    assert_eq!(locate(&mut broker, None).expect("located").log_end, Offset(2));
    assert!(matches!(open.commit(), Commit::Committed));
    // A commit is answered when it is decided; its markers are written a moment later.
    let begun = Instant::now();
    while locate(&mut broker, None).expect("located").log_end != Offset(5) {
        assert!(begun.elapsed() < DEADLINE, "its markers aren't there");
    }
}

/// Commits progress as any consumer might.
fn commit_plainly(topic: &str, group: &str, partition: i32, offset: i64, metadata: &str) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", kafka())
        .set("group.id", group)
        .create()
        .expect("a consumer");
    let mut list = rdkafka::TopicPartitionList::new();
    let mut element = list.add_partition(topic, partition);
    element.set_offset(rdkafka::Offset::Offset(offset)).expect("an offset");
    element.set_metadata(metadata);
    consumer.commit(&list, CommitMode::Sync).expect("committed");
}

#[test]
fn progress_of_a_sibling_is_seen_where_there_is_none() {
    let topic = topic(3);
    let group = unique("group");
    commit_plainly(topic.as_str(), &group, 2, 7, "");
    let mut broker = connect(&topic, &group);
    let facts = locate(&mut broker, None).expect("located");
    assert_eq!((facts.committed, facts.siblings_committed), (None, true));
    // Asked for itself, it is the only one.
    broker.locate(Locate::progress(2, vec![Partition(2)]));
    let facts = poll_for(&mut broker, |polled| match polled {
        Polled::Located(located) => Some(located.partitions.expect("located")),
        _ => None,
    });
    let committed = Committed { offset: Offset(7), metadata: String::new() };
    assert_eq!(facts[0].committed, Some(committed));
    assert!(!facts[0].siblings_committed, "it has no sibling");
}

#[test]
fn metadata_of_others_is_given_as_it_is() {
    let topic = topic(1);
    let group = unique("group");
    commit_plainly(topic.as_str(), &group, 0, 3, "schöne Grüße");
    let mut broker = connect(&topic, &group);
    let facts = locate(&mut broker, None).expect("located");
    let committed = Committed { offset: Offset(3), metadata: "schöne Grüße".to_owned() };
    assert_eq!(facts.committed, Some(committed));
}

#[test]
fn an_open_transaction_on_the_progress_is_waited_out() {
    let (input, out) = (topic(1), topic(1));
    let group = unique("group");
    let mut owner = connect(&input, &group);
    join_and_start(&mut owner, 0);
    let mut waiting = connect(&input, &group);

    ready(&mut owner);
    let mut transaction = Transaction::begin(&mut owner, DEADLINE).expect("begun");
    transaction.produce(&output(&out, "a"), 0).expect("produced");
    transaction.deliver().expect("delivered");
    transaction.send_progress(&[sent(5, "ls1:5")]).expect("sent");

    waiting.locate(Locate::progress(9, vec![P0]));
    let early =
        (0..50).find_map(|_| match waiting.poll(Duration::from_millis(20)).expect("polled") {
            Some(Polled::Located(located)) => Some(located),
            _ => None,
        });
    assert!(early.is_none(), "answered while a transaction was open: {early:?}");
    assert!(matches!(transaction.commit(), Commit::Committed));
    let located = poll_for(&mut waiting, |polled| match polled {
        Polled::Located(located) => Some(located),
        _ => None,
    });
    assert_eq!(located.id, 9);
    let facts = located.partitions.expect("located");
    assert_eq!(facts[0].committed.as_ref().map(|it| it.offset), Some(Offset(5)));
}
