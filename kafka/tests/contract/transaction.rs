//! Transactions the way a lane makes them: what says "again" is repeated.

use std::time::Duration;

use bytes::Bytes;
use longshore_kafka::lane::broker::{Broker, Committed, Sent};
use longshore_kafka::{Deliveries, Failure, Offset, Outgoing, Partition, Remedy, Transactions};
use longshore_schemas::{Headers, Timestamp, TopicName};

const WAIT: Duration = Duration::from_secs(1);
/// Repetitions of one call, a second each, after which the test is stuck.
const ATTEMPTS_MAX: usize = 60;

/// Repeats a call until it says something else than "again".
pub fn insist<T>(mut call: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
    for _ in 0..ATTEMPTS_MAX {
        match call() {
            Err(failure) if failure.remedy == Remedy::Retry => {}
            answer => return answer,
        }
    }
    panic!("a call has said \"again\" {ATTEMPTS_MAX} times");
}

/// Waits until the producer can begin.
pub fn make_ready(producer: &mut impl Transactions) {
    for _ in 0..ATTEMPTS_MAX {
        if insist(|| producer.ready(WAIT)).expect("the producer can be initialised") {
            return;
        }
    }
    panic!("the producer isn't ready after {ATTEMPTS_MAX} attempts");
}

/// Begins as a lane does: with a new producer if the old one may have requests under way.
pub fn begin(producer: &mut impl Transactions) {
    if producer.tainted() {
        producer.discard_producer();
    }
    make_ready(producer);
    producer.begin().expect("a ready producer begins");
}

/// A record for a partition.
pub fn record(topic: &TopicName, partition: i32, value: &str) -> Outgoing {
    Outgoing {
        topic: topic.clone(),
        partition: Some(Partition(partition)),
        key: None,
        value: Some(Bytes::copy_from_slice(value.as_bytes())),
        headers: Headers::new(),
        timestamp: None,
    }
}

/// The same with a time.
pub fn record_at(topic: &TopicName, partition: i32, time: i64) -> Outgoing {
    Outgoing { timestamp: Some(Timestamp(time)), ..record(topic, partition, &time.to_string()) }
}

/// Writes records into the open transaction and waits until all are answered for.
pub fn write(producer: &mut impl Transactions, records: &[Outgoing]) -> Deliveries {
    for (tag, record) in records.iter().enumerate() {
        producer.produce(record, tag).expect("there is room for a few records");
    }
    deliver(producer)
}

/// Waits until all records are answered for.
pub fn deliver(producer: &mut impl Transactions) -> Deliveries {
    for _ in 0..ATTEMPTS_MAX {
        let deliveries = producer.deliveries(WAIT);
        if deliveries.pending == 0 {
            return deliveries;
        }
    }
    panic!("records aren't answered for after {ATTEMPTS_MAX} attempts");
}

/// Commits.
pub fn commit(producer: &mut impl Transactions) -> Result<(), Failure> {
    insist(|| producer.commit(WAIT))
}

/// Aborts.
pub fn abort(producer: &mut impl Transactions) {
    insist(|| producer.abort(WAIT)).expect("the transaction can be aborted");
}

/// A transaction with these records, from its beginning to its commit.
pub fn commit_records(producer: &mut impl Transactions, records: &[Outgoing]) {
    begin(producer);
    let deliveries = write(producer, records);
    assert!(deliveries.failed.is_none() && deliveries.refused.is_empty(), "{deliveries:?}");
    commit(producer).expect("commits");
}

/// Adds progress to the open transaction.
pub fn send(broker: &mut impl Broker, progress: &[Sent]) -> Result<(), Failure> {
    insist(|| broker.send_progress(progress, WAIT))
}

/// A transaction with this progress alone.
pub fn commit_progress(broker: &mut impl Broker, progress: &[Sent]) {
    begin(broker);
    send(broker, progress).expect("sends");
    commit(broker).expect("commits");
}

/// Progress with its metadata.
pub fn progress(partition: i32, offset: i64, metadata: &str) -> Sent {
    let committed = Committed { offset: Offset(offset), metadata: metadata.to_owned() };
    Sent { partition: Partition(partition), committed }
}
