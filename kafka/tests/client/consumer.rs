//! Joining, reading, pausing, leaving.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use longshore_kafka::client::{KafkaBroker, TransactionalProducer};
use longshore_kafka::lane::broker::{Broker, Polled};
use longshore_kafka::{Commit, Offset, Partition, Remedy};
use rdkafka::admin::AdminOptions;

use crate::harness::*;

/// What closing may take on a busy machine. A client that waits for an answer never closes.
const CLOSING_MAX: Duration = Duration::from_secs(15);

/// Polls for a while in which nothing may come.
fn assert_silent(broker: &mut KafkaBroker) {
    let until = Instant::now() + Duration::from_secs(2);
    while Instant::now() < until {
        let polled = broker.poll(Duration::from_millis(20)).expect("polled");
        assert!(polled.is_none(), "{polled:?}");
    }
}

#[test]
fn an_accepted_partition_is_not_read_and_raises_no_error_before_it_is_started() {
    let topic = topic(1);
    fill(&topic, 100);
    let mut broker = connect(&topic, &unique("group"));
    assert_eq!(join(&mut broker), [P0]);
    assert_silent(&mut broker);
    broker.start(P0, Offset(40)).expect("started");
    let (records, end) = read_to_end(&mut broker);
    assert_eq!(offsets(&records), (40..100).collect::<Vec<_>>());
    assert_eq!(records[0].value.as_deref(), Some(b"40".as_slice()));
    assert_eq!(end, Offset(100));
}

#[test]
fn the_end_lies_behind_markers_and_aborted_records() {
    let topic = topic(1);
    let mut producer = TransactionalProducer::new(settings(), unique("txn")).expect("made");
    let committed = open(&mut producer, &topic, &["a", "b", "c"]);
    assert!(matches!(committed.commit(), Commit::Committed));
    drop(open(&mut producer, &topic, &["x", "y"]));

    // Records 0-2, a marker, the aborted records 4 and 5, their marker.
    let mut broker = connect(&topic, &unique("group"));
    join_and_start(&mut broker, 0);
    let (records, end) = read_to_end(&mut broker);
    assert_eq!((offsets(&records), end), (vec![0, 1, 2], Offset(7)));
    broker.close();

    let mut behind_the_last_record = connect(&topic, &unique("group"));
    join_and_start(&mut behind_the_last_record, 3);
    let (records, end) = read_to_end(&mut behind_the_last_record);
    assert_eq!((offsets(&records), end), (vec![], Offset(7)));
}

#[test]
fn a_paused_partition_goes_on_where_it_was() {
    let topic = topic(1);
    fill(&topic, 1000);
    let mut broker = connect(&topic, &unique("group"));
    join_and_start(&mut broker, 0);
    let first = poll_for(&mut broker, |polled| match polled {
        Polled::Record(record) => Some(record.offset.0),
        _ => None,
    });
    assert_eq!(first, 0);
    broker.pause(&[P0]).expect("paused");
    assert_silent(&mut broker);
    broker.resume(&[P0]).expect("resumed");
    let (records, _) = read_to_end(&mut broker);
    assert_eq!(offsets(&records), (1..1000).collect::<Vec<_>>());
}

#[test]
fn a_partition_that_was_paused_and_released_is_read_when_it_comes_back() {
    let topic = topic(1);
    fill(&topic, 10);
    let group = unique("group");
    let mut first = connect(&topic, &group);
    join_and_start(&mut first, 0);
    first.pause(&[P0]).expect("paused");
    // One partition and two members: it stays or it goes, and comes back when the other leaves.
    let mut second = connect(&topic, &group);
    let until = Instant::now() + Duration::from_secs(10);
    let mut released = false;
    while Instant::now() < until && !released {
        for (broker, is_first) in [(&mut first, true), (&mut second, false)] {
            match broker.poll(Duration::from_millis(20)).expect("polled") {
                Some(Polled::Assigned(partitions)) => broker.accept(&partitions).expect("accepted"),
                Some(Polled::Revoked { partitions, lost }) => {
                    assert!(!lost);
                    broker.release(&partitions).expect("released");
                    released |= is_first;
                }
                _ => {}
            }
        }
    }
    second.close();
    if released {
        join_and_start(&mut first, 0);
    } else {
        first.resume(&[P0]).expect("resumed");
    }
    assert_eq!(offsets(&read_to_end(&mut first).0), (0..10).collect::<Vec<_>>());
}

#[test]
fn a_second_member_gets_its_share_and_all_of_it_when_the_first_leaves() {
    let topic = topic(4);
    let group = unique("group");
    let mut first = connect(&topic, &group);
    let all = join(&mut first);
    assert_eq!(all.len(), 4);
    for partition in &all {
        first.start(*partition, Offset(0)).expect("started");
    }

    let mut second = connect(&topic, &group);
    let mut share: Vec<Partition> = Vec::new();
    let until = Instant::now() + DEADLINE;
    while share.len() < 2 {
        assert!(Instant::now() < until, "no share");
        match first.poll(Duration::from_millis(20)).expect("polled") {
            Some(Polled::Revoked { partitions, lost }) => {
                assert!(!lost);
                first.release(&partitions).expect("released");
            }
            // A round that brings it nothing is answered, too.
            Some(Polled::Assigned(partitions)) => first.accept(&partitions).expect("accepted"),
            _ => {}
        }
        if let Some(Polled::Assigned(partitions)) =
            second.poll(Duration::from_millis(20)).expect("polled")
        {
            second.accept(&partitions).expect("accepted");
            share.extend(partitions);
        }
    }
    assert_eq!(share.len(), 2);

    let left = Instant::now();
    first.close();
    assert!(left.elapsed() < CLOSING_MAX, "closing took {:?}", left.elapsed());
    share.extend(join(&mut second));
    assert_eq!(share.len(), 4);
    let took = left.elapsed();
    assert!(took < Duration::from_secs(20), "leaving must not wait for the session: {took:?}");
}

#[test]
fn a_lane_that_answers_nothing_closes_all_the_same() {
    let topic = topic(1);
    let mut broker = connect(&topic, &unique("group"));
    poll_for(&mut broker, |polled| matches!(polled, Polled::Assigned(_)).then_some(()));
    let closing = Instant::now();
    drop(broker);
    let took = closing.elapsed();
    assert!(took < CLOSING_MAX, "closing took {took:?}");
}

#[test]
fn a_position_beyond_the_end_is_out_of_range() {
    let topic = topic(1);
    fill(&topic, 10);
    let mut broker = connect(&topic, &unique("group"));
    join_and_start(&mut broker, 5000);
    poll_for(&mut broker, |polled| match polled {
        Polled::OutOfRange => Some(()),
        other => panic!("unexpected: {other:?}"),
    });
    assert_silent(&mut broker);
}

#[test]
fn a_position_below_the_logs_start_is_out_of_range() {
    let topic = topic(1);
    fill(&topic, 10);
    let mut gone = rdkafka::TopicPartitionList::new();
    gone.add_partition_offset(topic.as_str(), 0, rdkafka::Offset::Offset(6)).expect("an offset");
    // Alive until it has answered: nobody else would ever end the wait.
    let admin = admin(&kafka());
    let deleted = admin.delete_records(&gone, &AdminOptions::new());
    futures::executor::block_on(deleted).expect("deleted");
    let mut broker = connect(&topic, &unique("group"));
    join_and_start(&mut broker, 2);
    poll_for(&mut broker, |polled| match polled {
        Polled::OutOfRange => Some(()),
        other => panic!("unexpected: {other:?}"),
    });
    assert_eq!(locate(&mut broker, None).expect("located").log_start, Offset(6));
}

#[test]
fn keys_values_headers_and_times_arrive_as_they_were_written() {
    let topic = topic(1);
    let mut producer = TransactionalProducer::new(settings(), unique("txn")).expect("made");
    ready(&mut producer);
    let mut written = output(&topic, "value");
    written.key = Some(bytes::Bytes::new());
    written.timestamp = Some(longshore_schemas::Timestamp(1_700_000_000_000));
    written.headers.push("a", Some(bytes::Bytes::from_static(b"\x00\xff")));
    written.headers.push("empty", Some(bytes::Bytes::new()));
    written.headers.push("null", None);
    written.headers.push("a", Some(bytes::Bytes::from_static(b"again")));
    let mut tombstone = output(&topic, "");
    tombstone.value = None;
    let mut transaction =
        longshore_kafka::Transaction::begin(&mut producer, DEADLINE).expect("begun");
    transaction.produce(&written, 0).expect("produced");
    transaction.produce(&tombstone, 1).expect("produced");
    transaction.deliver().expect("delivered");
    assert!(matches!(transaction.commit(), Commit::Committed));

    let mut broker = connect(&topic, &unique("group"));
    join_and_start(&mut broker, 0);
    let (records, _) = read_to_end(&mut broker);
    assert_eq!(records[0].headers, written.headers);
    assert_eq!(records[0].key, written.key);
    assert_eq!(records[0].value, written.value);
    assert_eq!(records[0].timestamp, written.timestamp);
    assert_eq!((&records[1].key, &records[1].value), (&None, &None));
}

#[test]
fn a_header_with_any_bytes_in_it_does_no_harm() {
    let topic = topic(1);
    let value: &[u8] = &[0xC3, 0x28];
    write_plainly(&topic, [("v", BTreeMap::from([("h", value)]))].into_iter());
    let mut broker = connect(&topic, &unique("group"));
    join_and_start(&mut broker, 0);
    let (records, _) = read_to_end(&mut broker);
    assert_eq!(records[0].headers.get("h").map(|it| &**it), Some(value));
}

#[test]
fn a_topic_that_is_not_there_stops_the_connection_with_its_name() {
    let missing = unique("missing");
    let failure = KafkaBroker::connect(options(settings(), &missing.clone().into(), "g"))
        .expect_err("no such topic");
    assert_eq!(failure.remedy, Remedy::Stop);
    assert!(failure.to_string().contains(&missing), "{failure}");
}

#[test]
fn a_topic_that_is_deleted_under_the_lane_stops_it() {
    let topic = topic(1);
    fill(&topic, 10);
    let mut settings = settings();
    settings.override_property("topic.metadata.refresh.interval.ms", "1000").expect("allowed");
    let mut broker =
        KafkaBroker::connect(options(settings, &topic, &unique("group"))).expect("connected");
    join_and_start(&mut broker, 0);
    read_to_end(&mut broker);
    let deleted = admin(&kafka());
    let deleted = deleted.delete_topics(&[topic.as_str()], &AdminOptions::new());
    futures::executor::block_on(deleted).expect("deleted");
    let until = Instant::now() + DEADLINE;
    let failure = loop {
        match broker.poll(Duration::from_millis(20)) {
            Err(failure) => break failure,
            Ok(Some(Polled::Revoked { partitions, .. })) => {
                broker.release(&partitions).expect("released");
            }
            Ok(_) => assert!(Instant::now() < until, "it goes on without its topic"),
        }
    };
    assert_eq!(failure.remedy, Remedy::Stop);
    assert!(failure.to_string().contains(topic.as_str()), "{failure}");
}
