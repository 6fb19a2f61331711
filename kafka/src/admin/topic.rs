//! Topics: what they are, and what they are to be.

use std::collections::BTreeMap;
use std::time::Duration;

use longshore_schemas::TopicName;
use rdkafka::admin::ConfigResource;

use super::error::AdminError;
use crate::Partition;

/// A topic to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: TopicName,
    /// How many partitions.
    pub partitions: i32,
    /// How many copies of each; none leaves it to the broker.
    pub replication: Option<i32>,
    /// Its settings by Kafka's names, such as `retention.ms`; what isn't named is the broker's
    /// default.
    pub settings: BTreeMap<String, String>,
}

/// A topic that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: TopicName,
    /// Its partitions, in order.
    pub partitions: Vec<Partition>,
    /// Its settings.
    pub settings: TopicSettings,
}

/// The settings of a topic that matter to a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSettings {
    /// The largest batch, and so the largest record (`max.message.bytes`).
    pub max_message_bytes: usize,
    /// Whose clock stamps its records (`message.timestamp.type`).
    pub timestamp_type: TimestampType,
    /// `delete`, `compact` or both (`cleanup.policy`).
    pub cleanup_policy: String,
    /// How long records are kept at least (`retention.ms`); none is for ever.
    pub retention: Option<Duration>,
    /// How many bytes of a partition are kept at least (`retention.bytes`); none is all.
    pub retention_bytes: Option<u64>,
}

/// Whose clock stamps records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer's.
    CreateTime,
    /// The broker's, when it appends.
    LogAppendTime,
}

/// The settings of one topic as the broker gives them.
pub(super) struct Described<'a> {
    topic: &'a TopicName,
    config: &'a ConfigResource,
}

impl<'a> Described<'a> {
    pub(super) fn new(topic: &'a TopicName, config: &'a ConfigResource) -> Self {
        Self { topic, config }
    }

    /// Those that matter.
    pub(super) fn settings(&self) -> Result<TopicSettings, AdminError> {
        Ok(TopicSettings {
            max_message_bytes: self.parse("max.message.bytes", |it| it.parse().ok())?,
            timestamp_type: self.parse("message.timestamp.type", |it| match it {
                "CreateTime" => Some(TimestampType::CreateTime),
                "LogAppendTime" => Some(TimestampType::LogAppendTime),
                _ => None,
            })?,
            cleanup_policy: self.parse("cleanup.policy", |it| Some(it.to_owned()))?,
            retention: self.parse("retention.ms", bounded)?.map(Duration::from_millis),
            retention_bytes: self.parse("retention.bytes", bounded)?,
        })
    }

    /// In what the topic differs from the one that is wanted.
    pub(super) fn differences(&self, wanted: &NewTopic, partitions: usize) -> Vec<String> {
        let count = (!usize::try_from(wanted.partitions).is_ok_and(|it| it == partitions))
            .then(|| format!("has {partitions} partitions instead of {}", wanted.partitions));
        let settings = wanted.settings.iter().filter_map(|(name, value)| {
            let found = self.get(name).unwrap_or_default();
            (found != value).then(|| format!("has {name}={found} instead of {value}"))
        });
        count.into_iter().chain(settings).collect()
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.config.get(name)?.value.as_deref()
    }

    fn parse<T>(
        &self,
        setting: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, AdminError> {
        let value = self.get(setting);
        value.and_then(read).ok_or_else(|| AdminError::Unreadable {
            topic: self.topic.clone(),
            setting,
            value: value.unwrap_or_default().to_owned(),
        })
    }
}

/// A bound that Kafka lifts by -1.
fn bounded(text: &str) -> Option<Option<u64>> {
    if text == "-1" { Some(None) } else { text.parse().ok().map(Some) }
}
