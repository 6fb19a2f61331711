//! The stages and joins of a pipeline as consumers: which group reads which topic.

use longshore_schemas::{StageName, TopicName};

use crate::pipeline::Pipeline;

/// A consumer group and the topic that it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// The stage's or join's name; the group's for one that is in no pipeline.
    pub name: StageName,
    /// What it is.
    pub kind: Kind,
    /// Its consumer group.
    pub group: String,
    /// What it reads.
    pub topic: TopicName,
}

/// What a consumer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A stage.
    Stage,
    /// A join: its committed state says where a replay of its groups starts.
    Join,
}

impl Consumer {
    /// Every stage and join of a pipeline, stages first.
    pub fn all(pipeline: &Pipeline) -> Vec<Self> {
        let stages = pipeline.stages().iter().map(|stage| Self {
            name: stage.name.clone(),
            kind: Kind::Stage,
            group: pipeline.stage_group(stage),
            topic: pipeline.input(stage),
        });
        let joins = pipeline.joins().iter().map(|join| Self {
            name: join.name.as_str().into(),
            kind: Kind::Join,
            group: pipeline.join_group(join),
            topic: pipeline.inbox(join),
        });
        stages.chain(joins).collect()
    }

    /// A group that is in no pipeline.
    pub fn by_hand(group: &str, topic: &str) -> Self {
        Self { name: group.into(), kind: Kind::Stage, group: group.to_owned(), topic: topic.into() }
    }
}
