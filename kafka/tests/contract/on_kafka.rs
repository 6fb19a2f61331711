//! The real client and a real Kafka behind the harness.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, OnceLock};
use std::thread;
use std::time::Duration;

use longshore_kafka::admin::{Admin, GroupProgress, NewTopic, Stability};
use longshore_kafka::client::{BrokerOptions, KafkaBroker, TransactionalProducer};
use longshore_kafka::lane::broker::{Committed, Sent};
use longshore_kafka::reader::Reader;
use longshore_kafka::{Offset, Partition, Record, Settings, admin};
use longshore_local::{Cluster, Environment, find_or_start};
use longshore_schemas::TopicName;

use super::harness::{Harness, Isolation, Who};
use super::plain_client;
use super::proxied::Proxied;

/// One Kafka serves all tests of this process: the one that is given, or one that ends with it.
static KAFKA: OnceLock<Cluster> = OnceLock::new();

/// How long a group waits for a member that is silent.
pub(super) const SESSION: Duration = Duration::from_secs(10);

/// A connection for each behaviour.
pub struct OnKafka<Proxy> {
    settings: Settings,
    pub(super) admin: Admin,
    /// What stands between Kafka and the clients that are exposed to trouble.
    pub(super) proxy: Proxy,
}

/// Beside others.
pub type Shared = OnKafka<()>;

/// With a Kafka behind a proxy, for as long as the behaviour takes.
pub type Alone = OnKafka<MutexGuard<'static, Proxied>>;

impl Shared {
    pub fn shared() -> Self {
        let kafka = KAFKA.get_or_init(|| {
            let environment = Environment::from_process().expect("there is a cache folder");
            find_or_start(&environment, &mut |_| {}).expect("a Kafka is found or started")
        });
        Self::at(&kafka.bootstrap_servers(), ())
    }
}

impl Alone {
    pub fn alone() -> Self {
        let proxied = Proxied::alone();
        Self::at(&proxied.direct(), proxied)
    }
}

impl<Proxy> OnKafka<Proxy> {
    fn at(servers: &str, proxy: Proxy) -> Self {
        let settings = short(Settings::new(servers));
        let admin = Admin::connect(&settings).expect("Kafka answers");
        Self { settings, admin, proxy }
    }

    fn create(&self, name: &TopicName, partitions: i32, settings: BTreeMap<String, String>) {
        let topic = NewTopic { name: name.clone(), partitions, replication: None, settings };
        self.admin.create_topics(&[topic]).expect("the topic can be created");
    }

    fn progress(
        &self,
        group: &str,
        topic: &TopicName,
        at: Partition,
        stability: Stability,
    ) -> Option<Committed> {
        let progress = GroupProgress::open(&self.settings, group).expect("Kafka answers");
        let all = progress.read(topic, stability).expect("progress can be read");
        all.into_iter().find(|(partition, _)| *partition == at).and_then(|(_, found)| found)
    }
}

/// Short times, because some behaviours wait for them, in the order that lanes keep.
pub(super) fn short(mut settings: Settings) -> Settings {
    settings.transaction_timeout = Duration::from_secs(8);
    settings.session_timeout = SESSION;
    settings.max_poll_interval = Duration::from_secs(12);
    settings
}

/// A member of a group, reached by these settings.
pub(super) fn member(settings: Settings, who: &Who) -> KafkaBroker {
    let Who { group, topic, transactional_id, slot } = who.clone();
    let options = BrokerOptions { settings, topic, group, slot, transactional_id };
    KafkaBroker::connect(options).expect("connects")
}

/// A producer of an id, reached by these settings.
pub(super) fn producer(settings: Settings, transactional_id: &str) -> TransactionalProducer {
    TransactionalProducer::new(settings, transactional_id).expect("the settings are sound")
}

impl<Proxy> Harness for OnKafka<Proxy> {
    type Member = KafkaBroker;
    type Producer = TransactionalProducer;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn topic_limited(&self, partitions: i32, message_bytes_max: usize) -> TopicName {
        let name = TopicName::from(self.name("topic"));
        let limit = ("max.message.bytes".to_owned(), message_bytes_max.to_string());
        self.create(&name, partitions, [limit].into());
        name
    }

    fn name(&self, kind: &str) -> String {
        format!("contract-{kind}-{:016x}", rand::random::<u64>())
    }

    fn member(&self, who: &Who) -> KafkaBroker {
        member(self.settings.clone(), who)
    }

    fn producer(&self, transactional_id: &str) -> TransactionalProducer {
        producer(self.settings.clone(), transactional_id)
    }

    fn read(&self, topic: &TopicName, isolation: Isolation) -> Vec<Record> {
        let isolation = match isolation {
            Isolation::Committed => admin::Isolation::Committed,
            Isolation::Uncommitted => admin::Isolation::Uncommitted,
        };
        let mut reader = Reader::open(&self.settings, topic, isolation).expect("the topic opens");
        let reading = reader.read_all(Self::PATIENCE).expect("the topic can be read");
        reading.map(|record| record.expect("the topic can be read")).collect()
    }

    fn ends(&self, topic: &TopicName, partition: Partition) -> (Offset, Offset) {
        let all = self.admin.watermarks(topic).expect("Kafka answers");
        let found = all.into_iter().find(|it| it.partition == partition);
        found.map(|it| (it.last_stable, it.high)).expect("the partition is there")
    }

    fn stable_progress(&self, group: &str, topic: &TopicName, at: Partition) -> Option<Committed> {
        self.progress(group, topic, at, Stability::Stable)
    }

    fn written_progress(&self, group: &str, topic: &TopicName, at: Partition) -> Option<Committed> {
        self.progress(group, topic, at, Stability::AsWritten)
    }

    fn delete_records(&self, topic: &TopicName, partition: Partition, below: Offset) {
        self.admin.delete_records(topic, &[(partition, below)]).expect("records can be deleted");
    }

    fn make_topic_anew(&self, topic: &TopicName, partitions: i32) {
        self.admin.delete_topics(std::slice::from_ref(topic)).expect("it can be deleted");
        self.create(topic, partitions, BTreeMap::new());
    }

    fn commit_without_membership(&self, who: &Who, progress: &[Sent]) -> Result<(), String> {
        let servers = &self.settings.bootstrap_servers;
        plain_client::commit_without_membership(servers, who, progress)
            .map_err(|error| error.to_string())
    }

    fn pause(&self) {
        thread::sleep(Duration::from_millis(100));
    }
}
