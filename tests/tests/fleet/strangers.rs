//! Who is none of a fleet: plants records in its topics, and holds them back.

use std::time::{Duration, Instant};

use longshore_kafka::client::TransactionalProducer;
use longshore_kafka::{Commit, Outgoing, Record, Transaction, Transactions};
use longshore_tests::{DEADLINE, Fleet};

/// No broker ends a transaction earlier that holds something back.
const OPEN_MAX: Duration = Duration::from_secs(60);

/// A producer that is none of the fleet's, under a name of its own.
pub fn stranger(fleet: &Fleet, name: &str) -> TransactionalProducer {
    let mut settings = fleet.settings();
    (settings.transaction_timeout, settings.session_timeout) = (OPEN_MAX, OPEN_MAX * 3 / 2);
    let id = format!("{}-{name}", fleet.name());
    let mut producer = TransactionalProducer::new(settings, id).expect("a producer");
    let started = Instant::now();
    while !producer.ready(Duration::from_secs(1)).expect("ready") {
        assert!(started.elapsed() < DEADLINE, "not ready within {DEADLINE:?}");
    }
    producer
}

/// The record once more, for the same partition.
pub fn copy(record: &Record) -> Outgoing {
    Outgoing {
        topic: record.topic.clone(),
        partition: Some(record.partition),
        key: record.key.clone(),
        value: record.value.clone(),
        headers: record.headers.clone(),
        timestamp: None,
    }
}

/// Writes a record in a transaction that stays open, and is aborted when it is dropped.
pub fn hold<'a>(
    producer: &'a mut TransactionalProducer,
    record: &Outgoing,
) -> Transaction<'a, TransactionalProducer> {
    let mut open = Transaction::begin(producer, DEADLINE).expect("begun");
    open.produce(record, 0).expect("produced");
    open.deliver().expect("delivered");
    open
}

/// Writes a record in a transaction of nobody's: where it stands then.
pub fn plant(fleet: &Fleet, record: Outgoing) -> String {
    let (topic, partition) = (record.topic.clone(), record.partition);
    let mut producer = stranger(fleet, "plants");
    assert!(matches!(hold(&mut producer, &record).commit(), Commit::Committed));
    let there = fleet.records(&topic);
    let planted = there.iter().rfind(|it| Some(it.partition) == partition);
    let planted = planted.expect("it is there");
    format!("{topic}/{}/{}", planted.partition, planted.offset)
}
