//! The words that the tests speak.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::executor::block_on;
use longshore_kafka::client::{BrokerOptions, KafkaBroker};
use longshore_kafka::lane::broker::{Broker, Committed, Locate, PartitionFacts, Polled, Sent};
use longshore_kafka::{
    Failure, Offset, Outgoing, Partition, Record, Settings, Transaction, Transactions,
};
use longshore_local::{Environment, OwnedBroker, start_owned};
use longshore_schemas::{Headers, TopicName};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{ClientConfig, Message, TopicPartitionList};

/// No condition may take longer.
pub const DEADLINE: Duration = Duration::from_secs(60);
/// One call waits so long.
pub const WAIT: Duration = Duration::from_secs(1);
pub const P0: Partition = Partition(0);

/// The broker that the tests share.
pub fn kafka() -> String {
    static OWNED: OnceLock<Mutex<OwnedBroker>> = OnceLock::new();
    match std::env::var("LONGSHORE_BOOTSTRAP_SERVERS") {
        Ok(servers) if !servers.is_empty() => servers,
        _ => {
            let owned = OWNED.get_or_init(|| Mutex::new(own_kafka()));
            owned.lock().expect("not poisoned").bootstrap_servers()
        }
    }
}

/// A broker of the test's own.
pub fn own_kafka() -> OwnedBroker {
    let environment = Environment::from_process().expect("a cache folder");
    start_owned(&environment, &mut |_| {}).expect("a Kafka on this machine")
}

/// A name that no other test, and no other run, uses.
pub fn unique(kind: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let run = std::process::id();
    let time = longshore_schemas::Timestamp::now().0;
    format!("{kind}-{time}-{run}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

pub fn admin(servers: &str) -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", servers).create().expect("an admin client")
}

pub fn topic_with(servers: &str, partitions: i32, configs: &[(&str, &str)]) -> TopicName {
    let name = unique("client");
    let mut topic = NewTopic::new(&name, partitions, TopicReplication::Fixed(1));
    for (key, value) in configs {
        topic = topic.set(key, value);
    }
    let options = AdminOptions::new().operation_timeout(Some(DEADLINE));
    let made = block_on(admin(servers).create_topics([&topic], &options)).expect("asked");
    made.into_iter().for_each(|it| drop(it.expect("made")));
    name.into()
}

pub fn topic(partitions: i32) -> TopicName {
    topic_with(&kafka(), partitions, &[])
}

pub fn settings() -> Settings {
    Settings::new(kafka())
}

pub fn options(settings: Settings, topic: &TopicName, group: &str) -> BrokerOptions {
    BrokerOptions {
        settings,
        topic: topic.clone(),
        group: group.to_owned(),
        slot: None,
        transactional_id: unique("txn"),
    }
}

pub fn connect(topic: &TopicName, group: &str) -> KafkaBroker {
    KafkaBroker::connect(options(settings(), topic, group)).expect("connected")
}

/// Polls until something is found.
pub fn poll_for<T>(broker: &mut KafkaBroker, mut find: impl FnMut(Polled) -> Option<T>) -> T {
    let until = Instant::now() + DEADLINE;
    while Instant::now() < until {
        let polled = broker.poll(Duration::from_millis(20)).expect("polled");
        if let Some(found) = polled.and_then(&mut find) {
            return found;
        }
    }
    panic!("nothing found within {DEADLINE:?}");
}

/// Waits for an assignment and accepts it.
pub fn join(broker: &mut KafkaBroker) -> Vec<Partition> {
    let assigned = poll_for(broker, |polled| match polled {
        Polled::Assigned(partitions) => Some(partitions),
        _ => None,
    });
    broker.accept(&assigned).expect("accepted");
    assigned
}

/// Joins, and reads partition 0 from here.
pub fn join_and_start(broker: &mut KafkaBroker, offset: i64) {
    assert_eq!(join(broker), [P0]);
    broker.start(P0, Offset(offset)).expect("started");
}

/// Reads until the partition's end: the records, and where the end is.
pub fn read_to_end(broker: &mut KafkaBroker) -> (Vec<Record>, Offset) {
    let mut records = Vec::new();
    let end = poll_for(broker, |polled| match polled {
        Polled::Record(record) => {
            records.push(record);
            None
        }
        Polled::EndOfPartition { partition: P0, position } => Some(position),
        other => panic!("unexpected: {other:?}"),
    });
    (records, end)
}

pub fn offsets(records: &[Record]) -> Vec<i64> {
    records.iter().map(|record| record.offset.0).collect()
}

pub fn locate(broker: &mut KafkaBroker, time: Option<i64>) -> Result<PartitionFacts, Failure> {
    broker.locate(Locate { time, ..Locate::progress(1, vec![P0]) });
    let mut facts = poll_for(broker, |polled| match polled {
        Polled::Located(located) => Some(located.partitions),
        _ => None,
    })?;
    Ok(facts.remove(0))
}

pub fn output(topic: &TopicName, value: &str) -> Outgoing {
    Outgoing {
        topic: topic.clone(),
        partition: Some(P0),
        key: None,
        value: Some(Bytes::copy_from_slice(value.as_bytes())),
        headers: Headers::new(),
        timestamp: None,
    }
}

pub fn sent(offset: i64, metadata: &str) -> Sent {
    let committed = Committed { offset: Offset(offset), metadata: metadata.to_owned() };
    Sent { partition: P0, committed }
}

/// Waits until the producer takes transactions.
pub fn ready<T: Transactions>(producer: &mut T) -> Duration {
    let started = Instant::now();
    while !producer.ready(WAIT).expect("ready") {
        assert!(started.elapsed() < DEADLINE, "not ready within {DEADLINE:?}");
    }
    started.elapsed()
}

/// A transaction that is open, with these values delivered into it.
pub fn open<'a, T: Transactions>(
    producer: &'a mut T,
    topic: &TopicName,
    values: &[&str],
) -> Transaction<'a, T> {
    ready(producer);
    let mut transaction = Transaction::begin(producer, DEADLINE).expect("begun");
    for (tag, value) in values.iter().enumerate() {
        transaction.produce(&output(topic, value), tag).expect("produced");
    }
    transaction.deliver().expect("delivered");
    transaction
}

/// The values of partition 0 that a reader of this isolation finds.
pub fn values(servers: &str, topic: &TopicName, isolation: &str) -> Vec<String> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", servers)
        .set("group.id", "values")
        .set("enable.auto.commit", "false")
        .set("isolation.level", isolation)
        .set("enable.partition.eof", "true")
        .create()
        .expect("a consumer");
    let mut start = TopicPartitionList::new();
    start
        .add_partition_offset(topic.as_str(), 0, rdkafka::Offset::Beginning)
        .and_then(|()| consumer.assign(&start))
        .expect("assigned");
    let mut values = Vec::new();
    let until = Instant::now() + DEADLINE;
    while Instant::now() < until {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Err(KafkaError::PartitionEOF(0))) => return values,
            Some(Ok(message)) => {
                let value = message.payload().unwrap_or_default();
                values.push(String::from_utf8_lossy(value).into_owned());
            }
            Some(Err(_)) | None => {}
        }
    }
    panic!("no end of {topic} within {DEADLINE:?}");
}

pub fn committed_values(topic: &TopicName) -> Vec<String> {
    values(&kafka(), topic, "read_committed")
}

/// Also what was aborted, or is open yet: what a hidden record is compared with.
pub fn all_values(topic: &TopicName) -> Vec<String> {
    values(&kafka(), topic, "read_uncommitted")
}

/// Writes records `0..count` to partition 0, each with its number as its value.
pub fn fill(topic: &TopicName, count: usize) {
    let values: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    write_plainly(topic, values.iter().map(|value| (value.as_str(), BTreeMap::new())));
}

/// Writes records without a transaction.
pub fn write_plainly<'a>(
    topic: &TopicName,
    records: impl Iterator<Item = (&'a str, BTreeMap<&'a str, &'a [u8]>)>,
) {
    use rdkafka::message::{Header, OwnedHeaders};
    use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", kafka()).create().expect("a producer");
    for (value, headers) in records {
        let headers = headers.iter().fold(OwnedHeaders::new(), |all, (key, value)| {
            all.insert(Header { key, value: Some(*value) })
        });
        let record = BaseRecord::<(), str>::to(topic.as_str()).partition(0);
        producer.send(record.payload(value).headers(headers)).expect("room in the queue");
    }
    producer.flush(DEADLINE).expect("written");
}
