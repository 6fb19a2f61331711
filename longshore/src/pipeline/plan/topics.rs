//! The topics of a pipeline, with the settings without which it would lose or double something.

use std::fmt;
use std::time::Duration;

use longshore_coordinator::gather::{OnFailed, OnLate};
use longshore_schemas::TopicName;
use serde::Serialize;

use crate::pipeline::defaults;
use crate::pipeline::names;
use crate::pipeline::shape::{Destination, Join, Pipeline, Stage, StageInput};

/// A topic that a pipeline needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TopicPlan {
    /// Its name.
    pub name: TopicName,
    /// What it is to the pipeline.
    pub role: Role,
    /// The part of the pipeline that it belongs to.
    pub owner: Owner,
    /// Its partitions, at least.
    pub partitions: u32,
    /// The topic whose partitions it has one for one: it has at least as many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follows: Option<TopicName>,
    /// Its settings; others are the broker's.
    pub settings: Vec<TopicSetting>,
    /// What it is for.
    pub why: String,
}

/// What a topic is to a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Work items enter here. Belongs to the user: made if missing, never altered.
    Source,
    /// Where producers stand.
    Cursors,
    /// Which partitions have been begun.
    Begun,
    /// Items between two stages, or the outputs of the last.
    Work,
    /// Records set aside: dead letters, conflicts, orphans, late parts.
    SetAside,
    /// Openings and outcomes of a join.
    Inbox,
    /// What a join's inbox alone doesn't say.
    Journal,
    /// Groups that failed fast.
    Cancels,
    /// Results leave here. Belongs to the user: made if missing, never altered.
    Sink,
}

/// The part of a pipeline that a topic belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// All of it.
    Pipeline,
    /// The source.
    Source,
    /// A stage.
    Stage(String),
    /// A join.
    Join(String),
    /// A sink.
    Sink(String),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pipeline => f.write_str("pipeline"),
            Self::Source => f.write_str("source"),
            Self::Stage(name) => write!(f, "stage `{name}`"),
            Self::Join(name) => write!(f, "join `{name}`"),
            Self::Sink(name) => write!(f, "sink `{name}`"),
        }
    }
}

/// A setting of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TopicSetting {
    /// Kafka's name of it.
    pub name: &'static str,
    /// The value that the topic is made with.
    pub value: String,
    /// What is asked of a topic that exists already.
    pub demand: Demand,
}

/// What is asked of a setting of a topic that exists already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Demand {
    /// This very value.
    Exactly,
    /// This number or a greater one; -1 is without limit.
    AtLeast(i64),
    /// So many bytes more than the same setting of another topic has, or more.
    Above {
        /// The other topic.
        topic: TopicName,
        /// How much more.
        bytes: u64,
    },
    /// Nothing: whoever runs the broker may have changed it.
    Nothing,
}

/// The topics of a pipeline, in data's way.
pub(in crate::pipeline) fn topics_of(pipeline: &Pipeline) -> Vec<TopicPlan> {
    let mut topics = of_source(pipeline);
    topics.push(begun(pipeline));
    for stage in &pipeline.stages {
        topics.extend(of_stage(pipeline, stage));
    }
    for join in &pipeline.joins {
        topics.extend(of_join(pipeline, join));
    }
    topics.extend(of_sinks(pipeline));
    topics
}

fn of_source(pipeline: &Pipeline) -> Vec<TopicPlan> {
    let source = &pipeline.source;
    let topic = TopicPlan {
        name: source.topic.clone(),
        role: Role::Source,
        owner: Owner::Source,
        partitions: source.partitions,
        follows: None,
        settings: Vec::new(),
        why: "work items enter here; yours, made only if missing".to_owned(),
    };
    let cursors = TopicPlan {
        name: source.cursors.clone(),
        role: Role::Cursors,
        partitions: 1,
        settings: vec![exactly("cleanup.policy", "compact")],
        why: "where producers stand in their inputs".to_owned(),
        ..topic.clone()
    };
    let dead_letters = dead_letters(&topic);
    vec![topic, cursors, dead_letters]
}

fn begun(pipeline: &Pipeline) -> TopicPlan {
    TopicPlan {
        name: pipeline.begun(),
        role: Role::Begun,
        owner: Owner::Pipeline,
        partitions: 1,
        follows: None,
        settings: vec![exactly("cleanup.policy", "compact")],
        why: "what each group has begun: offsets that are lost make it no new one".to_owned(),
    }
}

fn of_stage(pipeline: &Pipeline, stage: &Stage) -> Vec<TopicPlan> {
    if stage.to != Destination::OwnTopic {
        return Vec::new();
    }
    let reads = |reader: &&Stage| reader.from == StageInput::Stage(stage.name.clone());
    let readers: Vec<&str> =
        pipeline.stages.iter().filter(reads).map(|reader| reader.name.as_str()).collect();
    let why = match readers[..] {
        [] => format!("outputs of `{}`", stage.name),
        _ => format!("items from `{}` for {}", stage.name, readers.join(", ")),
    };
    let topic = TopicPlan {
        name: pipeline.own_topic(stage),
        role: Role::Work,
        owner: Owner::Stage(stage.name.to_string()),
        partitions: stage.partitions,
        follows: None,
        settings: vec![
            exactly("cleanup.policy", "delete"),
            exactly("retention.bytes", "-1"),
            made_with("retention.ms", defaults::RETENTION),
        ],
        why,
    };
    let dead_letters = (!readers.is_empty()).then(|| dead_letters(&topic));
    std::iter::once(topic).chain(dead_letters).collect()
}

fn of_join(pipeline: &Pipeline, join: &Join) -> Vec<TopicPlan> {
    let inbox = inbox(pipeline, join);
    let journal = TopicPlan {
        name: pipeline.journal(join),
        role: Role::Journal,
        follows: Some(inbox.name.clone()),
        settings: kept(join).into_iter().chain([room_above(&inbox.name)]).collect(),
        why: "what the inbox alone doesn't say: closings, orphans and carried groups".to_owned(),
        ..inbox.clone()
    };
    let late = (join.rules.late == OnLate::Topic).then(|| {
        set_aside(&inbox, pipeline.late(join), "parts that came after their group closed")
    });
    let cancels =
        (join.rules.on_failed == OnFailed::FailFast).then(|| cancels(pipeline, join, &inbox));
    let conflicts = "second openings, unexpected parts, duplicates that differ";
    let conflicts = set_aside(&inbox, pipeline.conflicts(join), conflicts);
    let orphans = set_aside(&inbox, pipeline.orphans(join), "parts whose group never opened");
    let mut topics = vec![inbox, journal, conflicts, orphans];
    topics.extend(late.into_iter().chain(cancels));
    topics
}

fn inbox(pipeline: &Pipeline, join: &Join) -> TopicPlan {
    let mut settings = kept(join);
    // Deadlines go by the broker's clock: a worker whose clock is wrong must not move them.
    settings.push(exactly("message.timestamp.type", "LogAppendTime"));
    TopicPlan {
        name: pipeline.inbox(join),
        role: Role::Inbox,
        owner: Owner::Join(join.name.clone()),
        partitions: join.partitions,
        follows: None,
        settings,
        why: "openings of groups and outcomes of their parts".to_owned(),
    }
}

fn lifetime_of(join: &Join) -> Duration {
    defaults::lifetime(join.rules.timeout, join.rules.closed_retention)
}

/// The settings of a topic that a join lives from.
fn kept(join: &Join) -> Vec<TopicSetting> {
    let needed = lifetime_of(join);
    let retention = TopicSetting {
        value: millis(needed.max(defaults::RETENTION)).to_string(),
        demand: Demand::AtLeast(millis(needed)),
        name: "retention.ms",
    };
    vec![exactly("cleanup.policy", "delete"), exactly("retention.bytes", "-1"), retention]
}

fn cancels(pipeline: &Pipeline, join: &Join, inbox: &TopicPlan) -> TopicPlan {
    TopicPlan {
        name: pipeline.cancels(join),
        role: Role::Cancels,
        partitions: 1,
        settings: vec![
            exactly("cleanup.policy", "delete"),
            made_with("retention.ms", lifetime_of(join)),
        ],
        why: "groups that failed fast, so that their parts can be skipped".to_owned(),
        ..inbox.clone()
    }
}

fn of_sinks(pipeline: &Pipeline) -> impl Iterator<Item = TopicPlan> {
    pipeline.sinks.iter().map(|sink| TopicPlan {
        name: sink.topic.clone(),
        role: Role::Sink,
        owner: Owner::Sink(sink.name.clone()),
        partitions: sink.partitions,
        follows: None,
        settings: Vec::new(),
        why: "results leave here; yours, made only if missing".to_owned(),
    })
}

fn dead_letters(topic: &TopicPlan) -> TopicPlan {
    let why = format!("items of `{}` that failed for good", topic.name);
    set_aside(topic, names::dead_letters(&topic.name), &why)
}

/// A topic for records of another one, whole, with headers added that say why they are here.
fn set_aside(of: &TopicPlan, name: TopicName, why: &str) -> TopicPlan {
    TopicPlan {
        name,
        role: Role::SetAside,
        follows: Some(of.name.clone()),
        settings: vec![
            exactly("cleanup.policy", "delete"),
            made_with("retention.ms", defaults::SET_ASIDE_RETENTION),
            room_above(&of.name),
        ],
        why: why.to_owned(),
        ..of.clone()
    }
}

/// A record of that topic has room, whatever is added that says why it is here.
fn room_above(topic: &TopicName) -> TopicSetting {
    let bytes = defaults::DEAD_LETTER_HEADROOM;
    TopicSetting {
        name: "max.message.bytes",
        value: (defaults::MESSAGE_BYTES_MAX + bytes).to_string(),
        demand: Demand::Above { topic: topic.clone(), bytes },
    }
}

fn exactly(name: &'static str, value: &str) -> TopicSetting {
    TopicSetting { name, value: value.to_owned(), demand: Demand::Exactly }
}

fn made_with(name: &'static str, duration: Duration) -> TopicSetting {
    TopicSetting { name, value: millis(duration).to_string(), demand: Demand::Nothing }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
