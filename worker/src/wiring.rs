//! How a stage is connected: where its items come from and where their outcomes go.

use std::time::Duration;

use longshore_schemas::{StageName, TopicName};

/// A stage's place in its pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wiring {
    /// The stage.
    pub stage: StageName,
    /// Who writes its input.
    pub trust: Trust,
    /// Where its outputs go.
    pub route: Route,
    /// The stages under whose names a join waits for items that are parts, and that end with them:
    /// the stage itself where its outcomes are gathered, those behind it where it lies before them.
    /// A part that this stage gives up or leaves out ends for each of these.
    pub part_stages: Vec<StageName>,
    /// Where items go that are given up.
    pub dead_letters: TopicName,
}

/// Who writes a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The pipeline alone: Longshore's headers are what it wrote itself.
    Pipeline,
    /// Anyone: Longshore's headers are taken away before anything is read.
    Source,
}

/// Where outputs go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// To a topic: the stage's own, or a sink's.
    Topic(TopicName),
    /// To the inbox that the item names.
    Join,
    /// To a topic, as the parts of a group.
    FanOut(FanOutRoute),
}

/// Where the parts of a group go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FanOutRoute {
    /// The topic of the parts.
    pub topic: TopicName,
    /// The inbox of the join that gathers them.
    pub inbox: TopicName,
    /// Its partitions, at least one.
    pub inbox_partitions: i32,
    /// How long a group waits for its parts.
    pub timeout: Duration,
    /// The most parts of a group: an item with more is given up.
    pub parts_max: usize,
}
