//! The words that the tests speak: a stage of one's own, its topics, and the command line.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Parser;
use longshore::{CommandLine, Exit, Fleet};
use longshore_kafka::admin::{Admin, GroupProgress, NewTopic};
use longshore_kafka::client::TransactionalProducer;
use longshore_kafka::lane::broker::{Committed, Sent};
use longshore_kafka::lane::progress::{FinishedMap, Metadata};
use longshore_kafka::{Commit, Offset, Outgoing, Partition, Settings, Transaction, Transactions};
use longshore_local::{Environment, OwnedBroker, start_owned};
use longshore_schemas::headers::ORIGIN;
use longshore_schemas::{Headers, Timestamp, TopicName};
use serde_json::Value;

pub const DEADLINE: Duration = Duration::from_secs(60);
pub const P0: Partition = Partition(0);

/// The broker that the tests share.
pub fn kafka() -> String {
    static OWNED: OnceLock<Mutex<OwnedBroker>> = OnceLock::new();
    match std::env::var("LONGSHORE_BOOTSTRAP_SERVERS") {
        Ok(servers) if !servers.is_empty() => servers,
        _ => {
            let start = || {
                let environment = Environment::from_process().expect("a cache folder");
                Mutex::new(start_owned(&environment, &mut |_| {}).expect("a Kafka on this machine"))
            };
            let owned = OWNED.get_or_init(start).lock().expect("not poisoned");
            owned.bootstrap_servers()
        }
    }
}

pub fn settings() -> Settings {
    Settings::new(kafka())
}

/// A name that no other test, and no other run, uses.
pub fn unique(kind: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let (time, run) = (Timestamp::now().0, std::process::id());
    format!("{kind}-{time}-{run}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A topic with one partition.
pub fn topic(kind: &str) -> TopicName {
    let name = TopicName::from(unique(kind));
    create(&name, &[]);
    name
}

pub fn create(name: &TopicName, topic_settings: &[(&str, &str)]) {
    let settings_of =
        topic_settings.iter().map(|(key, value)| (key.to_string(), value.to_string()));
    let new = NewTopic {
        name: name.clone(),
        partitions: 1,
        replication: Some(1),
        settings: settings_of.collect(),
    };
    admin().create_topics(&[new]).expect("created");
}

pub fn admin() -> Admin {
    Admin::connect(&settings()).expect("a Kafka")
}

/// A record for partition 0.
pub fn record(topic: &TopicName, key: &str) -> Outgoing {
    Outgoing {
        topic: topic.clone(),
        partition: Some(P0),
        key: Some(Bytes::copy_from_slice(key.as_bytes())),
        value: Some(Bytes::from_static(b"value")),
        headers: Headers::new(),
        timestamp: None,
    }
}

/// The output of index 0 of an item.
pub fn output(topic: &TopicName, input: &TopicName, offset: i64) -> Outgoing {
    output_of(topic, input, (offset, 0))
}

/// The output of an index of an item.
pub fn output_of(topic: &TopicName, input: &TopicName, (offset, index): (i64, u32)) -> Outgoing {
    let mut record = record(topic, "any");
    record.headers.set_text(ORIGIN, format!("{input}/0/{offset}/{index}"));
    record
}

/// How a transaction ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    Commit,
    Abort,
}

/// A producer that can begin a transaction.
pub fn producer() -> TransactionalProducer {
    let mut producer = TransactionalProducer::new(settings(), unique("txn")).expect("a producer");
    let started = Instant::now();
    while !producer.ready(Duration::from_secs(1)).expect("ready") {
        assert!(started.elapsed() < DEADLINE, "not ready within {DEADLINE:?}");
    }
    producer
}

/// Writes records in one transaction.
pub fn write(records: &[Outgoing], end: End) {
    let mut producer = producer();
    let mut transaction = Transaction::begin(&mut producer, DEADLINE).expect("begun");
    for (tag, record) in records.iter().enumerate() {
        transaction.produce(record, tag).expect("produced");
    }
    transaction.deliver().expect("delivered");
    match end {
        End::Commit => assert!(matches!(transaction.commit(), Commit::Committed)),
        End::Abort => drop(transaction),
    }
}

/// Commits progress as a lane would: a position, and what is finished ahead of it.
pub fn commit(group: &str, topic: &TopicName, position: i64, ahead: &[(i64, i64)]) {
    commit_state(group, topic, position, (ahead, ""));
}

pub fn commit_state(
    group: &str,
    topic: &TopicName,
    position: i64,
    (ahead, state): (&[(i64, i64)], &str),
) {
    let mut finished = FinishedMap::default();
    for &(from, to) in ahead {
        finished.push(Offset(from), Offset(to));
    }
    let metadata = Metadata {
        base: Offset(position),
        owner: "test".into(),
        seq: 1,
        order: "k".into(),
        topic: None,
        guard: "-".into(),
        state: state.into(),
        finished,
    };
    let committed = Committed { offset: Offset(position), metadata: metadata.to_string() };
    let sent = Sent { partition: P0, committed };
    let progress = GroupProgress::open(&settings(), group).expect("connected");
    progress.write(topic, &[sent]).expect("written");
}

/// What a command line comes to: its exit, and its answer.
pub fn run(fleet: &Fleet, arguments: &[&str]) -> (Result<Exit, String>, String) {
    let kafka = kafka();
    let line = ["longshore", "-b", &kafka].into_iter().chain(arguments.iter().copied());
    let CommandLine { options, command } = CommandLine::try_parse_from(line).expect("a command");
    let mut answer = Vec::new();
    let exit = fleet.try_execute(&options, &command, &mut answer);
    let answer = String::from_utf8(answer).expect("text");
    (exit.map_err(|error| error.to_string()), answer)
}

/// The same without a pipeline, its answer as JSON.
pub fn run_json(arguments: &[&str]) -> (Exit, Value) {
    let arguments: Vec<_> = arguments.iter().copied().chain(["-o", "json"]).collect();
    let (exit, answer) = run(&Fleet::new(), &arguments);
    let exit = exit.unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
    (exit, serde_json::from_str(&answer).expect("JSON"))
}
