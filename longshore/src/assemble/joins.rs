//! What the coordinator of a join is told.

use std::sync::Arc;
use std::time::Duration;

use longshore_coordinator::{JoinConfig, JoinTopics};
use longshore_handler::{Service, Stack, StackSettings};
use longshore_kafka::lane::config::{LaneConfig, Ordering};
use longshore_kafka::lane::start::StartPolicy;

use crate::pipeline::{Join, Pipeline};

use super::lane::{Common, Reads};

/// How long finished closings wait for company: nobody waits long for a result, and a transaction
/// carries many.
const COMMIT_INTERVAL: Duration = Duration::from_millis(100);
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
        item_timeout: join.item_timeout,
    };
    let reads = Reads {
        topic: topics.inbox.clone(),
        group: group.clone(),
        // The join takes records in the order of the log and gives them back in that order, by
        // itself: the lane needn't wait for one before it hands over the next.
        ordering: Ordering::None,
        start: Some(StartPolicy::Earliest),
        marks: pipeline.begun(),
        commit_interval: COMMIT_INTERVAL,
        concurrency: RECORDS_AT_ONCE,
        crashes_max: join.crashes_max,
    };
    let config = JoinConfig {
        join: join.name.as_str().into(),
        group,
        topics,
        rules: join.rules.clone(),
        gather: Arc::new(Stack::new(gather, &settings)),
        attempts_max: join.attempts,
        backoff_initial: join.backoff.initial,
        backoff_max: join.backoff.max,
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

#[cfg(test)]
mod tests {
    use clap::Parser;
    use longshore_handler::prelude::*;
    use longshore_handler::{Raw, class};
    use longshore_kafka::Settings as KafkaSettings;
    use longshore_schemas::records::{CompletedBy, Counts, GroupStatus};
    use longshore_schemas::{Origin, Revision};
    use tokio::time::Instant;

    use super::*;
    use crate::assemble::topics::Topics;
    use crate::commands::CommandLine;
    use crate::settings::{Environment, Settings};
    use crate::{Fleet, Options};

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Line {}

    impl WorkItem for Line {
        const SCHEMA: &'static str = r#"{"type": "record", "name": "Line", "fields": []}"#;
    }

    struct Pass;

    impl Handler for Pass {
        type Item = Line;

        async fn handle(&self, line: Line, _: &Context) -> Result<Outcome, HandlerError> {
            Outcome::done(&line)
        }
    }

    struct Hang;

    impl Handler for Hang {
        type Item = Group;

        async fn handle(&self, _: Group, _: &Context) -> Result<Outcome, HandlerError> {
            std::future::pending().await
        }
    }

    const FILE: &str = "
pipeline: p
source: {topic: lines, schema: Line, key: key}
stages:
  split: {from: source, handler: pass, fan_out: {parts: bits, join: j}}
  bit: {from: split, handler: pass, to: j}
joins:
  j:
    of: [bit]
    timeout: 1h
    open_bytes_max: 3MiB
    gather: hang
    attempts: 7
    item_timeout: 45s
    backoff: {initial: 2s, max: 9s}
    into: out
sinks:
  out: {topic: results}
";

    /// What the coordinator of `FILE`'s join is told.
    fn told() -> JoinConfig {
        let fleet = Fleet::new().item::<Line>("Line").handler("pass", Pass).handler("hang", Hang);
        let fleet = fleet.pipeline(FILE);
        let pipeline = fleet.default_pipeline().unwrap();
        let join = pipeline.join("j").unwrap();
        let gather = Arc::clone(&fleet.registry().handlers.get("hang").unwrap().service);
        let settings = Settings::resolve(&options(), &Environment::default()).unwrap();
        let topics = Topics::default();
        let common = Common::of(&settings, KafkaSettings::new("nowhere:9092"), &topics, 1);
        config(&common, &pipeline, join, gather).0
    }

    fn options() -> Options {
        CommandLine::try_parse_from(["longshore", "status"]).unwrap().options
    }

    fn group() -> Group {
        Group {
            group_id: "g".into(),
            revision: Revision::FIRST,
            run_id: None,
            status: GroupStatus::Complete,
            completed_by: CompletedBy::All,
            counts: Counts::default(),
            missing: Vec::new(),
            parts: Vec::new(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_file_says_of_a_join_is_what_its_coordinator_is_told() {
        let config = told();
        assert_eq!(config.attempts_max, 7);
        assert_eq!(config.backoff_initial, Duration::from_secs(2));
        assert_eq!(config.backoff_max, Duration::from_secs(9));
        assert_eq!(config.rules.open_bytes_max, 3 << 20);

        let origin = Origin { topic: "p.j.inbox".into(), partition: 0, offset: 0, index: 0 };
        let (begun, cx) = (Instant::now(), Context::new("j", origin));
        let answer = config.gather.call(Raw::Group(Box::new(group())), &cx).await;
        assert_eq!(answer.map_err(|error| error.class()), Err(class::TIMEOUT));
        assert_eq!(begun.elapsed(), Duration::from_secs(45));
    }
}
