//! The topics of a pipeline on a cluster: compared with the plan, created, or found wanting.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::{Duration, Instant};

use longshore_kafka::Settings as KafkaSettings;
use longshore_kafka::admin::{Admin, NewTopic, TimestampType, Topic};
use longshore_schemas::TopicName;
use serde::Serialize;

use crate::CommandError;
use crate::pipeline::{Differences, ExistingTopic, Plan, TopicPlan};

/// How long a topic may be unknown to one broker after another said that it was created.
const NEWS_WAIT: Duration = Duration::from_secs(2);
/// How often a topic that is missing is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A plan beside what a cluster has.
pub(crate) struct Compared {
    /// What there is to do.
    pub(crate) differences: Differences,
    found: Topics,
}

/// The topics of a pipeline as they are.
#[derive(Debug, Default)]
pub(super) struct Topics(BTreeMap<TopicName, Topic>);

impl Topics {
    /// How many partitions a topic has; none if it isn't there.
    pub(super) fn partitions(&self, name: &TopicName) -> i32 {
        let partitions = self.0.get(name).map_or(0, |topic| topic.partitions.len());
        i32::try_from(partitions).unwrap_or(i32::MAX)
    }

    /// The largest record that each topic takes.
    pub(super) fn size_limits(&self) -> HashMap<TopicName, usize> {
        let limit =
            |(name, topic): (&TopicName, &Topic)| (name.clone(), topic.settings.max_message_bytes);
        self.0.iter().map(limit).collect()
    }
}

/// What `apply` did.
#[derive(Debug, Serialize)]
pub(crate) struct Applied {
    servers: String,
    created: Vec<TopicName>,
    unchanged: Vec<TopicName>,
}

/// Compares a plan with what a cluster has.
pub(crate) fn compare(admin: &Admin, plan: &Plan) -> Result<Compared, CommandError> {
    let names: Vec<_> = plan.topics.iter().map(|topic| topic.name.clone()).collect();
    let found = admin.topics(&names)?;
    let existing: Vec<_> = found.iter().map(existing).collect();
    Ok(Compared {
        differences: plan.against(&existing),
        found: Topics(found.into_iter().map(|topic| (topic.name.clone(), topic)).collect()),
    })
}

/// Creates what is missing, if nothing that is there is wrong.
pub(crate) fn apply(kafka: &KafkaSettings, plan: &Plan) -> Result<Applied, CommandError> {
    let admin = Admin::connect(kafka)?;
    let Differences { create, ok, wrong } = compare(&admin, plan)?.differences;
    if !wrong.is_empty() {
        let differences = Differences { create, ok, wrong };
        let remedy = "nothing was created; mend what is wrong, then apply again";
        return Err(unfit(kafka, plan, differences, remedy));
    }
    admin.create_topics(&create.iter().map(new).collect::<Vec<_>>())?;
    Ok(Applied {
        servers: kafka.bootstrap_servers.clone(),
        created: create.into_iter().map(|topic| topic.name).collect(),
        unchanged: ok,
    })
}

/// The topics of a pipeline, if all of them are as they must be. The broker that is asked may hear
/// of a topic just created a moment later than the one that told its creator.
pub(super) fn require(kafka: &KafkaSettings, plan: &Plan) -> Result<Topics, CommandError> {
    let admin = Admin::connect(kafka)?;
    let deadline = Instant::now() + NEWS_WAIT;
    let mut compared = compare(&admin, plan)?;
    while !compared.differences.create.is_empty() && Instant::now() < deadline {
        std::thread::sleep(LOOK_EVERY);
        compared = compare(&admin, plan)?;
    }
    let Compared { differences, found } = compared;
    if !differences.wrong.is_empty() {
        return Err(unfit(kafka, plan, differences, "mend what is wrong"));
    }
    if !differences.create.is_empty() {
        return Err(unfit(kafka, plan, differences, "create them by `longshore apply`"));
    }
    Ok(found)
}

fn unfit(
    kafka: &KafkaSettings,
    plan: &Plan,
    differences: Differences,
    remedy: &'static str,
) -> CommandError {
    // What is right is no part of what is wrong.
    let differences = Differences { ok: Vec::new(), ..differences };
    CommandError::Unfit {
        servers: kafka.bootstrap_servers.clone(),
        pipeline: plan.pipeline.clone(),
        differences: Box::new(differences),
        remedy,
    }
}

fn new(topic: &TopicPlan) -> NewTopic {
    let settings = topic.settings.iter();
    NewTopic {
        name: topic.name.clone(),
        partitions: i32::try_from(topic.partitions).unwrap_or(i32::MAX),
        replication: None,
        settings: settings
            .map(|setting| (setting.name.to_owned(), setting.value.clone()))
            .collect(),
    }
}

/// A topic in Kafka's own words.
fn existing(topic: &Topic) -> ExistingTopic {
    let settings = &topic.settings;
    let unlimited = || "-1".to_owned();
    let timestamps = match settings.timestamp_type {
        TimestampType::CreateTime => "CreateTime",
        TimestampType::LogAppendTime => "LogAppendTime",
    };
    let retention = settings.retention.map(|retention| retention.as_millis().to_string());
    let retention_bytes = settings.retention_bytes.map(|bytes| bytes.to_string());
    let settings = [
        ("max.message.bytes", settings.max_message_bytes.to_string()),
        ("message.timestamp.type", timestamps.to_owned()),
        ("cleanup.policy", settings.cleanup_policy.clone()),
        ("retention.ms", retention.unwrap_or_else(unlimited)),
        ("retention.bytes", retention_bytes.unwrap_or_else(unlimited)),
    ];
    ExistingTopic {
        name: topic.name.clone(),
        partitions: u32::try_from(topic.partitions.len()).unwrap_or(u32::MAX),
        settings: settings.map(|(name, value)| (name.to_owned(), value)).into(),
    }
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for topic in &self.created {
            writeln!(f, "created    {topic}")?;
        }
        for topic in &self.unchanged {
            writeln!(f, "unchanged  {topic}")?;
        }
        write!(f, "the topics at {} are as they must be", self.servers)
    }
}
