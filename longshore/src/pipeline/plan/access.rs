//! What each component must be allowed to do on the broker, and nothing more.

use std::collections::BTreeSet;

use longshore_coordinator::gather::{OnFailed, OnLate};
use longshore_schemas::TopicName;
use serde::Serialize;

use crate::pipeline::shape::{Join, Pipeline, Stage};

use super::topics::topics_of;

/// What one component must be allowed to do, in the words of Kafka's ACLs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Access {
    /// The component: give each a principal of its own, or those of one process one together.
    pub component: String,
    /// Operations and what they are on. Reading and writing include describing.
    pub allow: Vec<String>,
}

pub(super) fn of(pipeline: &Pipeline) -> Vec<Access> {
    let stages = pipeline.stages.iter().map(|stage| of_stage(pipeline, stage));
    let joins = pipeline.joins.iter().map(|join| of_join(pipeline, join));
    [of_apply(pipeline), of_producer(pipeline)].into_iter().chain(stages).chain(joins).collect()
}

fn of_apply(pipeline: &Pipeline) -> Access {
    let topics = topics_of(pipeline);
    let allow = topics.iter().map(|topic| format!("Create, DescribeConfigs topic {}", topic.name));
    Access { component: "apply".to_owned(), allow: allow.collect() }
}

fn of_producer(pipeline: &Pipeline) -> Access {
    let source = &pipeline.source;
    Access {
        component: "producer".to_owned(),
        allow: vec![
            write(&source.topic),
            write(&source.dead_letters()),
            format!("Read, {}", write(&source.cursors)),
            transactions(&pipeline.producer_group()),
        ],
    }
}

fn of_stage(pipeline: &Pipeline, stage: &Stage) -> Access {
    let group = pipeline.stage_group(stage);
    let mut allow = vec![
        read(&pipeline.input(stage)),
        format!("Read group {group}"),
        format!("Read, {}", write(&pipeline.begun())),
        write(&pipeline.output(stage)),
        write(&pipeline.stage_dead_letters(stage)),
    ];
    for join in joins_of(pipeline, stage) {
        allow.push(write(&pipeline.inbox(join)));
        if join.rules.on_failed == OnFailed::FailFast {
            allow.push(read(&pipeline.cancels(join)));
        }
    }
    allow.push(transactions(&group));
    // The inbox of the join that a stage writes to is its output, too.
    let mut seen = BTreeSet::new();
    allow.retain(|right| seen.insert(right.clone()));
    Access { component: format!("stage {}", stage.name), allow }
}

/// The joins to which a stage reports: it opens their groups, or works on their parts and must tell
/// when it gives up on one.
fn joins_of<'a>(pipeline: &'a Pipeline, stage: &'a Stage) -> impl Iterator<Item = &'a Join> {
    pipeline.joins.iter().filter(|join| {
        let opens = stage.fan_out.as_ref().is_some_and(|fan_out| fan_out.join == join.name);
        opens || !pipeline.part_stages(stage, join).is_empty()
    })
}

fn of_join(pipeline: &Pipeline, join: &Join) -> Access {
    let group = pipeline.join_group(join);
    let mut allow = vec![
        format!("Read, {}", write(&pipeline.inbox(join))),
        format!("Read, {}", write(&pipeline.journal(join))),
        format!("Read group {group}"),
        format!("Read, {}", write(&pipeline.begun())),
        write(&pipeline.results(join)),
        write(&pipeline.conflicts(join)),
        write(&pipeline.orphans(join)),
    ];
    if join.rules.late == OnLate::Topic {
        allow.push(write(&pipeline.late(join)));
    }
    if join.rules.on_failed == OnFailed::FailFast {
        allow.push(write(&pipeline.cancels(join)));
    }
    allow.push(transactions(&group));
    Access { component: format!("join {}", join.name), allow }
}

fn read(topic: &TopicName) -> String {
    format!("Read topic {topic}")
}

/// Sizes are checked before producing, so a writer must see the topic's settings.
fn write(topic: &TopicName) -> String {
    format!("Write, DescribeConfigs topic {topic}")
}

fn transactions(group: &str) -> String {
    format!("Write transactional-id {group}-*")
}
