//! The words that the tests speak.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use longshore_kafka::admin::{Admin, Isolation, NewTopic};
use longshore_kafka::reader::Reader;
use longshore_kafka::{Record, Settings};
use longshore_local::{Environment, OwnedBroker, start_owned};
use longshore_producer::{Input, ProducerConfig, ProducerError, Progress, Summary, Topics, run};
use longshore_schemas::TopicName;
use tokio_util::sync::CancellationToken;

/// No condition may take longer.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// An item with a number.
pub const NUMBERS: &str = r#"{"type": "record", "name": "Number", "fields": [
    {"name": "n", "type": "long"}, {"name": "text", "type": "string", "default": ""}]}"#;

/// Partitions of every topic of items.
pub const PARTITIONS: i32 = 5;

pub fn settings() -> Settings {
    Settings::new(bootstrap_servers())
}

fn bootstrap_servers() -> String {
    static OWNED: OnceLock<OwnedBroker> = OnceLock::new();
    match std::env::var("LONGSHORE_BOOTSTRAP_SERVERS") {
        Ok(servers) if !servers.is_empty() => servers,
        _ => OWNED.get_or_init(own_kafka).bootstrap_servers(),
    }
}

fn own_kafka() -> OwnedBroker {
    let environment = Environment::from_process().expect("a cache folder");
    start_owned(&environment, &mut |_| {}).expect("a Kafka on this machine")
}

/// Topics of one test.
pub struct Scene {
    pub topics: Topics,
}

impl Scene {
    /// With these settings of the items' topic.
    pub fn new(name: &str, items: &[(&str, &str)]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let (run, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let name = format!("producer-{name}-{run}-{count}");
        let topics = Topics {
            items: name.clone().into(),
            dead_letters: format!("{name}-dlt").into(),
            cursors: format!("{name}.cursors").into(),
        };
        let created = [
            new_topic(&topics.items, PARTITIONS, items),
            new_topic(&topics.dead_letters, PARTITIONS, &[]),
            new_topic(&topics.cursors, 1, &[("cleanup.policy", "compact")]),
        ];
        Admin::connect(&settings()).expect("connected").create_topics(&created).expect("created");
        Self { topics }
    }

    pub fn config(&self, input: Input, schema: &str, key: &str) -> ProducerConfig {
        ProducerConfig {
            input,
            source_id: None,
            topics: self.topics.clone(),
            group: self.topics.items.to_string(),
            schema: schema.to_owned(),
            key: Some(key.to_owned()),
            idempotency_key: None,
            rate: None,
            batch_items_max: 1_000,
            commit_interval: Duration::from_millis(100),
            line_bytes_max: 1 << 20,
        }
    }

    pub fn numbers(&self, file: &tempfile::NamedTempFile) -> ProducerConfig {
        let input = Input::JsonLines { path: file.path().to_owned() };
        self.config(input, NUMBERS, "n")
    }

    /// What a reader of committed records finds.
    pub fn items(&self) -> Vec<Record> {
        committed(&self.topics.items)
    }

    pub fn dead_letters(&self) -> Vec<Record> {
        committed(&self.topics.dead_letters)
    }
}

fn new_topic(name: &TopicName, partitions: i32, settings: &[(&str, &str)]) -> NewTopic {
    let settings: BTreeMap<_, _> =
        settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    NewTopic { name: name.clone(), partitions, replication: None, settings }
}

pub fn committed(topic: &TopicName) -> Vec<Record> {
    let mut reader = Reader::open(&settings(), topic, Isolation::Committed).expect("opened");
    reader.read_all(PATIENCE).expect("reads").map(|record| record.expect("a record")).collect()
}

/// Runs to the end.
pub fn publish(config: &ProducerConfig) -> Result<Summary, ProducerError> {
    run(config, &settings(), &CancellationToken::new(), &mut |_| {})
}

/// Runs until the progress is enough.
pub fn publish_until(config: &ProducerConfig, enough: impl Fn(&Progress) -> bool) -> Summary {
    let draining = CancellationToken::new();
    run(config, &settings(), &draining, &mut |progress| {
        if enough(progress) {
            draining.cancel();
        }
    })
    .expect("runs")
}

pub fn file(lines: &[String]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    for line in lines {
        writeln!(file, "{line}").expect("written");
    }
    file
}

pub fn numbers(count: usize) -> Vec<String> {
    (1..=count).map(|n| format!(r#"{{"n": {n}}}"#)).collect()
}

/// The keys of records, as numbers in order.
pub fn keys(records: &[Record]) -> Vec<i64> {
    let key = |record: &Record| {
        let key = record.key.clone().expect("a key");
        std::str::from_utf8(&key).ok().and_then(|key| key.parse().ok()).expect("a number")
    };
    let mut keys: Vec<_> = records.iter().map(key).collect();
    keys.sort_unstable();
    keys
}
