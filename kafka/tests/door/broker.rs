//! The Kafka that the tests share, topics of their own, and producers that leave things open.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use longshore_kafka::admin::{Admin, NewTopic};
use longshore_kafka::client::TransactionalProducer;
use longshore_kafka::{Outgoing, Partition, Settings, Transactions};
use longshore_local::{Cluster, Environment, find_or_start};
use longshore_schemas::{Headers, TopicName};

/// How long anything here may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Settings for the shared Kafka.
pub(crate) fn settings() -> Settings {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    let cluster = CLUSTER.get_or_init(|| {
        let environment = Environment::from_process().expect("the environment is sound");
        find_or_start(&environment, &mut |_| {}).expect("a Kafka")
    });
    Settings::new(cluster.bootstrap_servers())
}

/// An administrator of it.
pub(crate) fn admin() -> Admin {
    Admin::connect(&settings()).expect("connected")
}

/// A name that no other test and no earlier run uses.
pub(crate) fn fresh(name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("door-{name}-{}-{count}", std::process::id())
}

/// A topic to be created.
pub(crate) fn wanted(name: &TopicName, partitions: i32, settings: &[(&str, &str)]) -> NewTopic {
    let settings: BTreeMap<_, _> =
        settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    NewTopic { name: name.clone(), partitions, replication: None, settings }
}

/// A new topic.
pub(crate) fn topic(name: &str, partitions: i32, settings: &[(&str, &str)]) -> TopicName {
    let name = TopicName::from(fresh(name));
    admin().create_topics(&[wanted(&name, partitions, settings)]).expect("created");
    name
}

/// A record for one partition.
pub(crate) fn outgoing(topic: &TopicName, partition: i32, key: &str, value: &str) -> Outgoing {
    Outgoing {
        topic: topic.clone(),
        partition: Some(Partition(partition)),
        key: Some(key.to_owned().into()),
        value: Some(value.to_owned().into()),
        headers: Headers::new(),
        timestamp: None,
    }
}

/// A producer that has written these records into a transaction that is still open.
pub(crate) fn open_transaction(records: &[Outgoing]) -> TransactionalProducer {
    let mut settings = settings();
    settings.transaction_timeout = Duration::from_secs(30);
    let mut producer = TransactionalProducer::new(settings, fresh("id")).expect("a producer");
    until("the producer is ready", || producer.ready(Duration::from_secs(1)).expect("ready"));
    producer.begin().expect("begun");
    for (tag, record) in records.iter().enumerate() {
        producer.produce(record, tag).expect("produced");
    }
    assert_eq!(producer.deliveries(PATIENCE).pending, 0, "all is delivered");
    producer
}

/// Writes records in a transaction that is committed.
pub(crate) fn write(records: &[Outgoing]) {
    open_transaction(records).commit(PATIENCE).expect("committed");
}

/// Waits for a condition.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
