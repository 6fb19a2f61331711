//! The Kafka that is measured on.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use longshore::kafka::Settings;
use longshore::kafka::admin::{Admin, AdminError, NewTopic};
use longshore::local::{Environment, OwnedBroker, start_owned};
use longshore::schemas::TopicName;

/// Partitions of every topic.
pub(crate) const PARTITIONS: i32 = 8;
/// How long members may be in a group after they were asked to end: some don't leave it, and Kafka
/// waits for them for a session (45 s by the clients' default).
pub(crate) const LEFT_MAX: Duration = Duration::from_secs(90);
/// How often it is looked whether they have left.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A Kafka of one's own, which ends with its owner.
pub(crate) struct Ground {
    broker: OwnedBroker,
    admin: Admin,
    settings: Settings,
}

impl Ground {
    /// Starts it, installing Kafka first where there is none.
    pub(crate) fn start() -> Result<Self> {
        let environment = Environment::from_process()?;
        let broker = start_owned(&environment, &mut |_| {})?;
        let settings = Settings::new(broker.bootstrap_servers());
        let admin = Admin::connect(&settings)?;
        Ok(Self { broker, admin, settings })
    }

    /// Where it is.
    pub(crate) fn servers(&self) -> String {
        self.broker.bootstrap_servers()
    }

    /// How clients of ours reach it.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Its version.
    pub(crate) fn version(&self) -> &str {
        self.broker.version()
    }

    /// Its process.
    pub(crate) fn pid(&self) -> Result<u32> {
        self.broker.pid().context("the broker has ended")
    }

    /// Makes a topic, unless it is there.
    pub(crate) fn make_topic(&self, name: &TopicName) -> Result<()> {
        if !self.admin.topics(std::slice::from_ref(name))?.is_empty() {
            return Ok(());
        }
        let topic = NewTopic {
            name: name.clone(),
            partitions: PARTITIONS,
            replication: None,
            settings: [("retention.ms".to_owned(), "-1".to_owned())].into(),
        };
        Ok(self.admin.create_topics(&[topic])?)
    }

    /// Where the partitions of a topic end, in their order.
    pub(crate) fn ends(&self, topic: &TopicName) -> Result<Vec<i64>> {
        Ok(self.admin.watermarks(topic)?.into_iter().map(|it| it.high.0).collect())
    }

    /// Whether nothing was ever written to a topic.
    pub(crate) fn is_empty(&self, topic: &TopicName) -> Result<bool> {
        Ok(self.ends(topic)?.into_iter().all(|end| end == 0))
    }

    /// Makes room on the disk: deletes the topics that are not wanted any more.
    pub(crate) fn delete_topics(&self, unwanted: impl Fn(&TopicName) -> bool) -> Result<()> {
        let names = self.admin.topic_names()?.into_iter().map(|(name, _)| name);
        Ok(self.admin.delete_topics(&names.filter(unwanted).collect::<Vec<_>>())?)
    }

    /// Deletes a group and its progress once its members have left it.
    pub(crate) fn delete_group(&self, name: &str) -> Result<()> {
        let deadline = Instant::now() + LEFT_MAX;
        loop {
            match self.admin.delete_group(name) {
                Err(AdminError::GroupLive { .. }) if Instant::now() < deadline => {
                    thread::sleep(LOOK_EVERY);
                }
                result => return Ok(result?),
            }
        }
    }
}
