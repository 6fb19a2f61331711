//! What the coordinator of a join is told.

use std::sync::Arc;
use std::time::Duration;

use longshore_coordinator::{JoinConfig, JoinTopics};
use longshore_handler::{Service, StackSettings, stack};
use longshore_kafka::lane::config::{LaneConfig, Ordering};
use longshore_kafka::lane::start::StartPolicy;

use crate::pipeline::{Join, Pipeline};

use super::lane::{Common, Reads};

/// How long finished closings wait for company: nobody waits long for a result, and a transaction
/// carries many.
const COMMIT_INTERVAL: Duration = Duration::from_millis(100);
/// A gather computes from what it is given; one that takes longer than this hangs.
const GATHER_TIMEOUT: Duration = Duration::from_secs(30);
/// Attempts at a gather before its result is FAILED: the group waits for it and holds back replay.
const ATTEMPTS_MAX: u32 = 5;
/// The wait before the second attempt; it doubles with each further one.
const BACKOFF_INITIAL: Duration = Duration::from_millis(100);
/// The longest wait between two attempts.
const BACKOFF_MAX: Duration = Duration::from_secs(10);
/// Inbox records that are absorbed and not yet committed, at most four times as many.
const RECORDS_AT_ONCE: usize = 2_500;
/// Gathers at work at once.
const CONCURRENCY: usize = 256;

/// The settings of a join's coordinator, whose gather is this handler, and of its lane.
pub(super) fn config(
    common: &Common<'_>,
    pipeline: &Pipeline,
    join: &Join,
    gather: Arc<dyn Service>,
) -> (JoinConfig, LaneConfig) {
    let (group, topics) = (pipeline.join_group(join), topics(pipeline, join));
    let settings = StackSettings {
        topic: topics.inbox.clone(),
        group: group.clone(),
        item_timeout: GATHER_TIMEOUT,
    };
    let reads = Reads {
        topic: topics.inbox.clone(),
        group: group.clone(),
        // The join takes records in the order of the log and gives them back in that order, by
        // itself: the lane needn't wait for one before it hands over the next.
        ordering: Ordering::None,
        start: Some(StartPolicy::Earliest),
        commit_interval: COMMIT_INTERVAL,
        concurrency: RECORDS_AT_ONCE,
    };
    let config = JoinConfig {
        join: join.name.as_str().into(),
        group,
        topics,
        rules: join.rules.clone(),
        gather: stack(gather, &settings),
        attempts_max: ATTEMPTS_MAX,
        backoff_initial: BACKOFF_INITIAL,
        backoff_max: BACKOFF_MAX,
        concurrency: CONCURRENCY,
    };
    (config, common.lane(reads))
}

fn topics(pipeline: &Pipeline, join: &Join) -> JoinTopics {
    JoinTopics {
        inbox: pipeline.inbox(join),
        journal: pipeline.journal(join),
        conflicts: pipeline.conflicts(join),
        orphans: pipeline.orphans(join),
        late: pipeline.late(join),
        cancels: pipeline.cancels(join),
        results: pipeline.results(join),
    }
}
