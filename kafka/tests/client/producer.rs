//! Transactions of one id, without a consumer.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use longshore_kafka::client::TransactionalProducer;
use longshore_kafka::{
    Commit, Offset, ProduceError, Refusal, Remedy, Spoiled, Transaction, Transactions,
};

use crate::harness::*;

/// What a call that waits for nothing may take on a busy machine. Closing a client takes seconds.
const BLOCKING_MAX: Duration = Duration::from_secs(1);

fn producer() -> TransactionalProducer {
    TransactionalProducer::new(settings(), unique("txn")).expect("made")
}

#[test]
fn committed_records_are_seen_and_aborted_ones_are_hidden() {
    let topic = topic(1);
    let mut producer = producer();
    let kept = open(&mut producer, &topic, &["kept"]);
    assert!(matches!(kept.commit(), Commit::Committed));
    drop(open(&mut producer, &topic, &["aborted"]));
    let also = open(&mut producer, &topic, &["also kept"]);
    assert!(matches!(also.commit(), Commit::Committed));
    assert_eq!(committed_values(&topic), ["kept", "also kept"]);
    assert_eq!(all_values(&topic), ["kept", "aborted", "also kept"]);
    assert!(!producer.tainted(), "every call was Ok at once");
}

#[test]
fn deliveries_tell_how_far_each_partition_was_written() {
    let topic = topic(2);
    let mut producer = producer();
    ready(&mut producer);
    producer.begin().expect("begun");
    for (tag, partition) in [0, 1, 0, 0, 1].into_iter().enumerate() {
        let mut record = output(&topic, "v");
        record.partition = Some(longshore_kafka::Partition(partition));
        producer.produce(&record, tag).expect("produced");
    }
    let mut deliveries = producer.deliveries(DEADLINE);
    deliveries.written.sort();
    let expected = [(0, 2), (1, 1)];
    let expected = expected.map(|(partition, offset)| {
        (topic.clone(), longshore_kafka::Partition(partition), Offset(offset))
    });
    assert_eq!(deliveries.written, expected);
    assert_eq!((deliveries.pending, deliveries.refused.len()), (0, 0));
    producer.abort(DEADLINE).expect("aborted");
}

#[test]
fn a_small_transaction_costs_milliseconds() {
    let topic = topic(1);
    let mut producer = producer();
    let mut whole = Vec::new();
    let mut commits = Vec::new();
    for _ in 0..50 {
        let begun = Instant::now();
        let transaction = open(&mut producer, &topic, &["v"]);
        let committing = Instant::now();
        assert!(matches!(transaction.commit(), Commit::Committed));
        commits.push(committing.elapsed());
        whole.push(begun.elapsed());
    }
    commits.sort();
    whole.sort();
    // The crate's own flush would add 100 ms to each.
    assert!(commits[25] < Duration::from_millis(50), "median commit {:?}", commits[25]);
    assert!(whole[25] < Duration::from_millis(90), "median transaction {:?}", whole[25]);
}

#[test]
fn the_next_producer_of_an_id_ends_the_transaction_of_the_last() {
    let topic = topic(1);
    let id = unique("txn");
    let mut dead = TransactionalProducer::new(settings(), id.clone()).expect("made");
    ready(&mut dead);
    dead.begin().expect("begun");
    dead.produce(&output(&topic, "of the dead"), 0).expect("produced");
    assert_eq!(dead.deliveries(DEADLINE).pending, 0);

    let mut next = TransactionalProducer::new(settings(), id).expect("made");
    let took = ready(&mut next);
    assert!(took < Duration::from_secs(10), "it must not wait for the timeout: {took:?}");
    let live = open(&mut next, &topic, &["of the living"]);
    assert!(matches!(live.commit(), Commit::Committed));

    let fenced = dead.commit(DEADLINE).expect_err("fenced");
    assert_eq!(fenced.remedy, Remedy::Rebuild, "{fenced}");
    assert!(dead.tainted());
    assert_eq!(committed_values(&topic), ["of the living"]);
    assert_eq!(all_values(&topic), ["of the dead", "of the living"]);
}

#[test]
fn a_producer_that_is_given_up_is_replaced_and_its_transaction_ends() {
    let topic = topic(1);
    let mut producer = producer();
    ready(&mut producer);
    producer.begin().expect("begun");
    producer.produce(&output(&topic, "given up"), 0).expect("produced");
    assert_eq!(producer.deliveries(DEADLINE).pending, 0);
    let discarding = Instant::now();
    producer.discard_producer();
    let took = discarding.elapsed();
    assert!(took < BLOCKING_MAX, "it must not block the lane: {took:?}");
    let next = open(&mut producer, &topic, &["next"]);
    assert!(matches!(next.commit(), Commit::Committed));
    assert_eq!(committed_values(&topic), ["next"]);
    assert_eq!(all_values(&topic), ["given up", "next"]);
}

#[test]
fn a_broker_refuses_a_record_that_is_too_large_by_its_tag() {
    let topic = topic_with(&kafka(), 1, &[("max.message.bytes", "10000")]);
    let mut producer = producer();
    ready(&mut producer);
    producer.begin().expect("begun");
    producer.produce(&output(&topic, &"x".repeat(20_000)), 7).expect("taken: limits unknown");
    let deliveries = producer.deliveries(DEADLINE);
    let [(7, refusal)] = deliveries.refused.as_slice() else {
        panic!("one refusal: {deliveries:?}");
    };
    assert_eq!((&refusal.topic, refusal.code.as_str()), (&topic, "MSG_SIZE_TOO_LARGE"));
    producer.abort(DEADLINE).expect("aborted");
    // The next transaction of this producer would fail: the refused record left a hole.
    assert!(producer.tainted());
    producer.discard_producer();
    let after = open(&mut producer, &topic, &["fits"]);
    assert!(matches!(after.commit(), Commit::Committed));
    assert_eq!(committed_values(&topic), ["fits"]);
}

/// The largest value that the topic takes, by the client's own reckoning.
fn refused_size(producer: &mut TransactionalProducer, value: &str, topic: &str) -> Option<Refusal> {
    match producer.produce(&output(&topic.into(), value), 0) {
        Ok(()) => None,
        Err(ProduceError::Refused(refusal)) => Some(refusal),
        Err(other) => panic!("unexpected: {other:?}"),
    }
}

#[test]
fn the_clients_reckoning_of_a_records_size_is_the_brokers() {
    let topic = topic_with(&kafka(), 1, &[("max.message.bytes", "10000")]);
    let mut producer = producer();
    producer.set_size_limits(HashMap::from([(topic.clone(), 10_000)]));
    ready(&mut producer);
    producer.begin().expect("begun");
    let largest = (9_800..10_000)
        .rev()
        .find(|size| refused_size(&mut producer, &"x".repeat(*size), topic.as_str()).is_none())
        .expect("something fits");
    // The broker takes what the client let pass...
    let deliveries = producer.deliveries(DEADLINE);
    assert!(deliveries.refused.is_empty() && deliveries.failed.is_none(), "{deliveries:?}");
    producer.commit(DEADLINE).expect("committed");
    // ... and not one byte more.
    producer.set_size_limits(HashMap::new());
    producer.begin().expect("begun");
    producer.produce(&output(&topic, &"x".repeat(largest + 1)), 3).expect("taken");
    let refused = producer.deliveries(DEADLINE).refused;
    assert_eq!(refused.first().map(|it| it.0), Some(3), "{refused:?}");
    producer.abort(DEADLINE).expect("aborted");
}

#[test]
fn many_small_records_fit_a_strict_topic_because_batches_do() {
    let topic = topic_with(&kafka(), 1, &[("max.message.bytes", "2000")]);
    let mut producer = producer();
    producer.set_size_limits(HashMap::from([(topic.clone(), 2000)]));
    let value = "x".repeat(300);
    let values = vec![value.as_str(); 200];
    let transaction = open(&mut producer, &topic, &values);
    assert!(matches!(transaction.commit(), Commit::Committed));
    assert_eq!(committed_values(&topic).len(), 200);
}

#[test]
fn an_unknown_topic_stops_instead_of_draining_into_dead_letters() {
    let mut producer = producer();
    ready(&mut producer);
    let mut transaction = Transaction::begin(&mut producer, DEADLINE).expect("begun");
    let missing = unique("missing").into();
    let failed = transaction
        .produce(&output(&missing, "v"), 0)
        .and_then(|()| transaction.deliver().map(drop))
        .expect_err("no such topic");
    let Spoiled::Failed(failure) = failed else { panic!("not refused: {failed:?}") };
    assert_eq!(failure.remedy, Remedy::Stop, "{failure}");
}

#[test]
fn records_keep_their_order_through_a_full_queue() {
    let topic = topic(1);
    let mut settings = settings();
    settings.buffers = 128 << 10;
    let mut producer = TransactionalProducer::new(settings, unique("txn")).expect("made");
    ready(&mut producer);
    // Twice as much as the queue takes at least: it is large enough for any record.
    let values: Vec<String> = (0..5000).map(|it| format!("{it:01000}")).collect();
    let mut full = 0;
    producer.begin().expect("begun");
    for (tag, value) in values.iter().enumerate() {
        while let Err(error) = producer.produce(&output(&topic, value), tag) {
            assert!(matches!(error, ProduceError::Full), "{error:?}");
            full += 1;
            producer.deliveries(Duration::from_millis(5));
        }
    }
    assert_eq!(producer.deliveries(DEADLINE).pending, 0);
    producer.commit(DEADLINE).expect("committed");
    assert!(full > 0, "the queue was never full: nothing was shown");
    assert_eq!(committed_values(&topic), values);
}
