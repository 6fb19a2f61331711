//! The pipeline once it is checked: every name leads somewhere, every setting has its value.

use std::time::Duration;

use longshore_coordinator::gather::Rules;
use longshore_kafka::lane::config::Ordering;
use longshore_kafka::lane::start::StartPolicy;
use longshore_schemas::{StageName, TopicName};

/// A pipeline that passed every check. Made by [`super::load`], [`super::read`] or
/// [`super::PipelineDraft::build`] alone, so what it says holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) stages: Vec<Stage>,
    pub(super) joins: Vec<Join>,
    pub(super) sinks: Vec<Sink>,
}

impl Pipeline {
    /// Its name, with which the names of its topics and groups begin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its work items come from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Its stages, in the order in which they were written.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Its joins, in the order in which they were written.
    pub fn joins(&self) -> &[Join] {
        &self.joins
    }

    /// Its sinks, in the order in which they were written.
    pub fn sinks(&self) -> &[Sink] {
        &self.sinks
    }

    /// The stage of this name.
    pub fn stage(&self, name: &StageName) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.name == *name)
    }

    /// The join of this name.
    pub fn join(&self, name: &str) -> Option<&Join> {
        self.joins.iter().find(|join| join.name == name)
    }

    /// The sink of this name.
    pub fn sink(&self, name: &str) -> Option<&Sink> {
        self.sinks.iter().find(|sink| sink.name == name)
    }
}

/// Where work items come from: a topic that belongs to the user.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The topic that producers publish to.
    pub topic: TopicName,
    /// The name under which the items' type was registered.
    pub schema: String,
    /// The field of an item that is its key; without it items have no order.
    pub key: Option<String>,
    /// The topic of the producers' cursors.
    pub cursors: TopicName,
    /// Partitions of the topic and its dead letters, if they don't exist yet.
    pub partitions: u32,
}

/// One handler between its input and its output.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Its name.
    pub name: StageName,
    /// Where its items come from.
    pub from: StageInput,
    /// The name under which its handler was registered.
    pub handler: String,
    /// Where its outputs go.
    pub to: Destination,
    /// How it makes one item into a group of parts, if it does.
    pub fan_out: Option<FanOut>,
    /// Attempts at an item before it is dead-lettered, at least 1.
    pub attempts: u32,
    /// How often an item may kill its process, at least 1. None: deaths aren't counted.
    pub crashes_max: Option<u32>,
    /// The time one attempt may take.
    pub item_timeout: Duration,
    /// The wait between attempts.
    pub backoff: Backoff,
    /// Which items wait for one another.
    pub ordering: Ordering,
    /// Handlers at work at once in a lane, at least 1.
    pub concurrency: u32,
    /// Partitions of its own topic, at least 1.
    pub partitions: u32,
    /// Where it begins at its very first start; None: it must not begin without being told.
    pub start: Option<StartPolicy>,
    /// The age at which its transactions are committed.
    pub commit_interval: Duration,
}

/// Where a stage's items come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StageInput {
    /// The pipeline's source.
    Source,
    /// Another stage's own topic.
    Stage(StageName),
}

/// Where a stage's outputs go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To its own topic.
    OwnTopic,
    /// To the inbox of this join.
    Join(String),
    /// To the topic of this sink.
    Sink(String),
}

/// How a stage makes one item into a group of parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FanOut {
    /// What the parts are called where people read of them.
    pub parts: String,
    /// The join that gathers them.
    pub join: String,
}

/// The wait between attempts: it doubles from `initial` up to `max`. A stage waits for any part of
/// it, so that items which failed together don't come back together; a join for all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait.
    pub initial: Duration,
    /// The longest wait, at least `initial`.
    pub max: Duration,
}

/// What gathers the outcomes of a group's parts into one result.
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    /// Its name.
    pub name: String,
    /// What completes a group, and what becomes of parts that don't fit.
    pub rules: Rules,
    /// The name under which its gather was registered.
    pub gather: String,
    /// Attempts at a gather before the group's result is FAILED, at least 1.
    pub attempts: u32,
    /// How often a gather may kill its process, at least 1. None: deaths aren't counted.
    pub crashes_max: Option<u32>,
    /// The time one attempt at a gather may take.
    pub item_timeout: Duration,
    /// The wait between attempts at a gather.
    pub backoff: Backoff,
    /// The sink of its results.
    pub into: String,
    /// Partitions of its inbox, at least 1.
    pub partitions: u32,
}

/// Where results leave the pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// Its name.
    pub name: String,
    /// Its topic.
    pub topic: TopicName,
    /// Partitions of the topic, if it doesn't exist yet.
    pub partitions: u32,
}
