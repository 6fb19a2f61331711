//! What the worker of a stage is told.

use std::num::{NonZeroU32, NonZeroUsize};
use std::thread;

use longshore_worker::{FanOutRoute, Retry, Route, Trust, Wiring, WorkerConfig};

use crate::pipeline::{Destination, FanOut, Pipeline, Stage, StageInput};

use super::lane::{Common, Reads};
use super::topics::Topics;

/// The settings of a stage's worker.
pub(super) fn config(common: &Common<'_>, pipeline: &Pipeline, stage: &Stage) -> WorkerConfig {
    let reads = Reads {
        topic: pipeline.input(stage),
        group: pipeline.stage_group(stage),
        ordering: stage.ordering,
        start: stage.start,
        marks: pipeline.begun(),
        commit_interval: stage.commit_interval,
        concurrency: stage.concurrency as usize,
        crashes_max: stage.crashes_max,
    };
    WorkerConfig {
        wiring: wiring(pipeline, stage, common.topics),
        handler: stage.handler.clone(),
        retry: Retry {
            attempts_max: NonZeroU32::new(stage.attempts).unwrap_or(NonZeroU32::MIN),
            backoff_initial: stage.backoff.initial,
            backoff_max: stage.backoff.max,
        },
        item_timeout: stage.item_timeout,
        concurrency: at_least_one(stage.concurrency),
        executors: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        lane: common.lane(reads),
    }
}

fn wiring(pipeline: &Pipeline, stage: &Stage, topics: &Topics) -> Wiring {
    let joins = pipeline.joins().iter();
    let part_stages = joins.flat_map(|join| pipeline.part_stages(stage, join));
    Wiring {
        stage: stage.name.clone(),
        trust: match stage.from {
            StageInput::Source => Trust::Source,
            StageInput::Stage(_) => Trust::Pipeline,
        },
        route: route(pipeline, stage, topics),
        part_stages: part_stages.cloned().collect(),
        dead_letters: pipeline.stage_dead_letters(stage),
    }
}

fn route(pipeline: &Pipeline, stage: &Stage, topics: &Topics) -> Route {
    match (&stage.fan_out, &stage.to) {
        (Some(fan_out), _) => fan_out_route(pipeline, stage, fan_out, topics),
        (None, Destination::Join(_)) => Route::Join,
        (None, Destination::OwnTopic | Destination::Sink(_)) => {
            Route::Topic(pipeline.output(stage))
        }
    }
}

fn fan_out_route(pipeline: &Pipeline, stage: &Stage, fan_out: &FanOut, topics: &Topics) -> Route {
    let join =
        pipeline.join(&fan_out.join).expect("a checked pipeline names only joins that it has");
    let inbox = pipeline.inbox(join);
    // The join counts the parts of all its stages, the splitter those that each of them gets.
    let stages = u32::try_from(join.rules.of.len()).unwrap_or(u32::MAX).max(1);
    Route::FanOut(FanOutRoute {
        topic: pipeline.output(stage),
        inbox_partitions: topics.partitions(&inbox),
        inbox,
        timeout: join.rules.timeout,
        parts_max: at_least_one(join.rules.parts_max / stages).get(),
    })
}

fn at_least_one(count: u32) -> NonZeroUsize {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN)
}
