//! What is audited: the stages that have to do with the topics that were named, and where each of
//! them writes.

use std::collections::BTreeSet;

use longshore_kafka::lane::config::Ordering;
use longshore_schemas::{StageName, TopicName};
use thiserror::Error;

use crate::inspect::Consumer;
use crate::pipeline::{Join, Pipeline, Stage};

/// What is audited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub(super) stages: Vec<Audited>,
    pub(super) joins: Vec<AuditedJoin>,
    /// Every topic that is read for it, but inputs; journals last, so that the closing of each
    /// result that was read must be in them.
    pub(super) topics: Vec<Written>,
    /// Where the pipeline's groups keep what they have begun.
    pub(super) marks: Option<TopicName>,
}

/// A stage that is audited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Audited {
    pub(super) consumer: Consumer,
    pub(super) ordering: Ordering,
    /// In whose names it ends parts: its own, and those of stages behind it that a join waits for.
    /// Empty for one that is in no pipeline: any.
    pub(super) ends: BTreeSet<StageName>,
    /// Where it writes, inboxes and dead letters among them.
    pub(super) writes: BTreeSet<TopicName>,
}

/// A join that is audited: its consumer reads its inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AuditedJoin {
    pub(super) name: StageName,
    pub(super) consumer: Consumer,
    pub(super) journal: TopicName,
    pub(super) conflicts: TopicName,
    pub(super) results: TopicName,
}

/// A topic that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) topic: TopicName,
    pub(super) kind: Kind,
    /// Whether all its writers are audited, so that a record of none of them is a fault.
    pub(super) is_closed: bool,
}

/// What a topic holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Outputs of stages, results of joins.
    Outputs,
    /// Openings and outcomes.
    Inbox,
    /// Items that were given up.
    DeadLetters,
    /// What a join set aside of its inbox.
    Conflicts,
    /// The closings of a join's groups.
    Journal,
}

/// A stage that is in no pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByHand {
    /// Its consumer group.
    pub group: String,
    /// What it reads.
    pub input: TopicName,
    /// Where it writes.
    pub outputs: Vec<TopicName>,
    /// Where it gives up, if anywhere.
    pub dead_letters: Option<TopicName>,
    /// Which of its items wait for one another.
    pub ordering: Ordering,
}

/// What can't be audited.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PlanError {
    /// A topic of no stage.
    #[error(
        "no stage or join of pipeline {pipeline} reads or writes topic {topic}; its topics are \
         {known}, and of a stage in no pipeline --input and --group are needed"
    )]
    Foreign {
        /// The topic.
        topic: TopicName,
        /// The pipeline.
        pipeline: String,
        /// Which topics there are.
        known: String,
    },
}

impl Plan {
    /// The stages of a pipeline that read or write one of these topics; all, if none is named.
    pub fn of(pipeline: &Pipeline, topics: &[TopicName]) -> Result<Self, PlanError> {
        let mut stages: Vec<_> = pipeline.stages().iter().map(|it| audited(pipeline, it)).collect();
        let mut joins: Vec<_> = pipeline.joins().iter().map(|it| join(pipeline, it)).collect();
        check_known(pipeline, topics, &stages, &joins)?;
        let is_named = |topic: &TopicName| topics.is_empty() || topics.contains(topic);
        stages.retain(|it| is_named(&it.consumer.topic) || it.writes.iter().any(is_named));
        joins.retain(|it| it.named_by().into_iter().any(is_named));
        let mut read: BTreeSet<_> = stages.iter().flat_map(|it| it.writes.clone()).collect();
        read.extend(joins.iter().flat_map(|it| it.named_by().map(TopicName::clone)));
        read.extend(joins.iter().map(|it| it.conflicts.clone()));
        let written = |topic: TopicName| Written {
            kind: kind_of(pipeline, &topic),
            is_closed: is_named(&topic),
            topic,
        };
        let mut topics: Vec<_> = read.into_iter().map(written).collect();
        topics.sort_by_key(|it| it.kind == Kind::Journal);
        Ok(Self { stages, joins, topics, marks: Some(pipeline.begun()) })
    }

    /// One stage that is in no pipeline.
    pub fn by_hand(stage: ByHand) -> Self {
        let outputs = stage.outputs.iter().map(|it| (it, Kind::Outputs));
        let dead_letters = stage.dead_letters.iter().map(|it| (it, Kind::DeadLetters));
        let written = |(topic, kind): (&TopicName, Kind)| Written {
            topic: topic.clone(),
            kind,
            is_closed: kind == Kind::Outputs,
        };
        let topics: Vec<_> = outputs.chain(dead_letters).map(written).collect();
        let audited = Audited {
            consumer: Consumer::by_hand(&stage.group, stage.input.as_str()),
            ordering: stage.ordering,
            ends: BTreeSet::new(),
            writes: topics.iter().map(|it| it.topic.clone()).collect(),
        };
        Self { stages: vec![audited], joins: Vec::new(), topics, marks: None }
    }

    /// The consumers whose progress is looked at: stages first.
    pub(super) fn consumers(&self) -> impl Iterator<Item = &Consumer> {
        let stages = self.stages.iter().map(|it| &it.consumer);
        stages.chain(self.joins.iter().map(|it| &it.consumer))
    }
}

impl AuditedJoin {
    /// The topics by which it can be named.
    fn named_by(&self) -> [&TopicName; 3] {
        [&self.consumer.topic, &self.journal, &self.results]
    }
}

impl Audited {
    /// Whether records about an end in this stage's name may be its.
    pub(super) fn ends(&self, stage: &StageName) -> bool {
        self.ends.is_empty() || self.ends.contains(stage)
    }

    /// Whether dead letters of this stage are its.
    pub(super) fn is(&self, stage: &StageName) -> bool {
        self.ends.is_empty() || self.consumer.name == *stage
    }
}

fn check_known(
    pipeline: &Pipeline,
    topics: &[TopicName],
    stages: &[Audited],
    joins: &[AuditedJoin],
) -> Result<(), PlanError> {
    let of_stages = stages.iter().flat_map(|it| it.writes.iter().chain([&it.consumer.topic]));
    let of_joins = joins.iter().flat_map(AuditedJoin::named_by);
    let known: BTreeSet<_> = of_stages.chain(of_joins).collect();
    match topics.iter().find(|topic| !known.contains(topic)) {
        None => Ok(()),
        Some(topic) => Err(PlanError::Foreign {
            topic: topic.clone(),
            pipeline: pipeline.name().to_owned(),
            known: known.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", "),
        }),
    }
}

fn audited(pipeline: &Pipeline, stage: &Stage) -> Audited {
    let writes = [pipeline.output(stage), pipeline.stage_dead_letters(stage)];
    let parts = |join| pipeline.part_stages(stage, join);
    let tells = |join: &&Join| opens(stage, join) || !pipeline.part_stages(stage, join).is_empty();
    let inboxes = pipeline.joins().iter().filter(tells).map(|it| pipeline.inbox(it));
    let ends = pipeline.joins().iter().flat_map(parts).chain([&stage.name]);
    Audited {
        consumer: Consumer {
            name: stage.name.clone(),
            kind: crate::inspect::Kind::Stage,
            group: pipeline.stage_group(stage),
            topic: pipeline.input(stage),
        },
        ordering: stage.ordering,
        ends: ends.cloned().collect(),
        writes: writes.into_iter().chain(inboxes).collect(),
    }
}

fn join(pipeline: &Pipeline, join: &Join) -> AuditedJoin {
    let name = StageName::from(join.name.as_str());
    AuditedJoin {
        consumer: Consumer {
            name: name.clone(),
            kind: crate::inspect::Kind::Join,
            group: pipeline.join_group(join),
            topic: pipeline.inbox(join),
        },
        name,
        journal: pipeline.journal(join),
        conflicts: pipeline.conflicts(join),
        results: pipeline.results(join),
    }
}

fn opens(stage: &Stage, join: &Join) -> bool {
    stage.fan_out.as_ref().is_some_and(|it| it.join == join.name)
}

fn kind_of(pipeline: &Pipeline, topic: &TopicName) -> Kind {
    let is = |of: fn(&Pipeline, &Join) -> TopicName| {
        pipeline.joins().iter().any(|it| of(pipeline, it) == *topic)
    };
    let mut stages = pipeline.stages().iter();
    if is(Pipeline::inbox) {
        Kind::Inbox
    } else if is(Pipeline::journal) {
        Kind::Journal
    } else if is(Pipeline::conflicts) {
        Kind::Conflicts
    } else if stages.any(|it| pipeline.stage_dead_letters(it) == *topic) {
        Kind::DeadLetters
    } else {
        Kind::Outputs
    }
}
