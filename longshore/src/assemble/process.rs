//! The process around its lanes: telemetry first, then every lane; the first that fails ends all.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::FuturesUnordered;
use longshore_handler::{Handlers, Service, at_work};
use longshore_kafka::Settings as KafkaSettings;
use longshore_telemetry::{LogValue, Shutdown, Telemetry};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::pipeline::{Join, Pipeline, Stage};
use crate::session::Session;
use crate::{CommandError, Exit};

use super::lane::Common;
use super::topics::{self, Topics};
use super::{Lanes, joins, stages};

/// A lane turns every few milliseconds; the longest it may be held up is a call to a broker that is
/// away, repeated until the transaction's outcome counts as unknown.
const BEAT_LIMIT: Duration = Duration::from_secs(60);
/// What handlers that ignored the drain may still take: their outcomes are lost anyway.
const STOP_LIMIT: Duration = Duration::from_secs(1);

/// Runs these lanes until the process is asked to stop and has drained, or one of them fails: a
/// supervisor starts the process again, and what was not committed is done again.
pub(crate) fn run(session: &Session<'_>, lanes: &Lanes<'_>) -> Result<Exit, CommandError> {
    let kafka = session.kafka()?;
    let topics = topics::require(&kafka, &lanes.pipeline.plan())?;
    let runtime = Runtime::new().map_err(CommandError::system("start the threads of handlers"))?;
    let result = runtime.block_on(watched(session, lanes, &kafka, &topics));
    runtime.shutdown_timeout(STOP_LIMIT);
    result.map(|()| Exit::Done)
}

async fn watched(
    session: &Session<'_>,
    lanes: &Lanes<'_>,
    kafka: &KafkaSettings,
    topics: &Topics,
) -> Result<(), CommandError> {
    let shutdown = Shutdown::listen().map_err(CommandError::system("listen for signals"))?;
    let telemetry =
        Telemetry::start(session.settings.telemetry.clone(), item_at_work, shutdown).await?;
    let process = Process {
        pipeline: lanes.pipeline,
        handlers: &session.fleet.registry().handlers,
        common: Common::of(&session.settings, kafka.clone(), topics, lanes.count()),
        telemetry: &telemetry,
    };
    let stages = lanes.stages.iter().map(|stage| process.stage(stage));
    let joins = lanes.joins.iter().map(|join| process.join(join));
    let patience = session.settings.drain_timeout + BEAT_LIMIT;
    let running = stages.chain(joins).collect();
    let result = until_all_end(running, telemetry.draining(), patience).await;
    telemetry.stop().await;
    result
}

/// A lane, until it ends.
type Running<'a> = BoxFuture<'a, Result<(), CommandError>>;

/// What every line logged within an attempt says of its item.
fn item_at_work(tell: &mut dyn FnMut(&'static str, LogValue<'_>)) {
    at_work(|group, cx| {
        tell("group", LogValue::Text(group));
        tell("topic", LogValue::Text(cx.origin.topic.as_str()));
        tell("partition", LogValue::Number(cx.origin.partition.into()));
        tell("offset", LogValue::Number(cx.origin.offset));
        tell("stage", LogValue::Text(cx.stage.as_str()));
        tell("attempt", LogValue::Number(cx.attempt.into()));
        tell("trace_id", LogValue::Text(cx.trace_id()));
        tell("span_id", LogValue::Text(cx.span_id()));
    });
}

/// All that the lanes of a process share.
struct Process<'a> {
    pipeline: &'a Pipeline,
    handlers: &'a Handlers,
    common: Common<'a>,
    telemetry: &'a Telemetry,
}

impl Process<'_> {
    fn stage(&self, stage: &Stage) -> Running<'_> {
        let config = stages::config(&self.common, self.pipeline, stage);
        let connect = self.common.connect(&config.lane);
        let health = self.telemetry.health().register(format!("stage {}", stage.name), BEAT_LIMIT);
        let draining = self.telemetry.draining();
        let worker = longshore_worker::run(config, self.handlers, connect, health, draining);
        worker.map(|ended| Ok(ended?)).boxed()
    }

    fn join(&self, join: &Join) -> Running<'_> {
        let config = joins::config(&self.common, self.pipeline, join, self.gather(join));
        let connect = self.common.connect(&config.1);
        let health = self.telemetry.health().register(format!("join {}", join.name), BEAT_LIMIT);
        let draining = self.telemetry.draining();
        let kafka = self.common.kafka();
        let coordinator = longshore_coordinator::run(config, kafka, connect, health, draining);
        coordinator.map(|ended| Ok(ended?)).boxed()
    }

    fn gather(&self, join: &Join) -> Arc<dyn Service> {
        let registered = self.handlers.get(&join.gather);
        let registered = registered.expect("a checked pipeline names only gathers that there are");
        Arc::clone(&registered.service)
    }
}

/// Waits until every lane has ended. When the first does that wasn't asked to, the others drain. A
/// lane that hasn't drained within the patience is stuck: the process ends without it.
async fn until_all_end(
    mut running: FuturesUnordered<Running<'_>>,
    draining: CancellationToken,
    patience: Duration,
) -> Result<(), CommandError> {
    let mut result = Ok(());
    let mut overdue = pin!(async {
        draining.cancelled().await;
        tokio::time::sleep(patience).await;
    });
    loop {
        let ended = tokio::select! {
            ended = running.next() => ended,
            () = &mut overdue => return result.and(Err(CommandError::Stuck { patience })),
        };
        let Some(ended) = ended else { return result };
        if let Err(error) = &ended {
            tracing::error!(%error, "a lane has failed, the process ends");
        }
        draining.cancel();
        result = result.and(ended);
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use longshore_handler::{Answer, Context, HandlerError, Raw, Stack, StackSettings};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(90);

    /// Answers with what a line would say that is logged while it is called.
    struct Says;

    impl Service for Says {
        fn call<'a>(&'a self, _: Raw, _: &'a Context) -> Answer<'a> {
            let mut said = Vec::new();
            item_at_work(&mut |name, value| said.push(format!("{name}={value:?}")));
            Box::pin(ready(Err(HandlerError::permanent("said", said.join(" ")))))
        }
    }

    #[tokio::test]
    async fn what_is_logged_within_an_attempt_names_its_item() {
        let group = "orders.price".to_owned();
        let settings =
            StackSettings { topic: "lines".into(), group, item_timeout: Duration::from_secs(9) };
        let origin = "lines/3/17/0".parse().expect("an origin");
        let mut cx = Context::new("price", origin);
        cx.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into();
        let stack = Stack::new(Arc::new(Says), &settings);
        let said = stack.attempt(Raw::Record(None), &cx).await.expect_err("what it says");
        assert_eq!(
            said.message(),
            "group=Text(\"orders.price\") topic=Text(\"lines\") partition=Number(3) \
             offset=Number(17) stage=Text(\"price\") attempt=Number(1) \
             trace_id=Text(\"0af7651916cd43dd8448eb211c80319c\") \
             span_id=Text(\"b7ad6b7169203331\")"
        );
        item_at_work(&mut |name, _| panic!("{name} is said, and nothing is at work"));
    }

    fn lanes(all: Vec<Running<'static>>) -> FuturesUnordered<Running<'static>> {
        all.into_iter().collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_that_never_drains_does_not_keep_the_process() {
        let draining = CancellationToken::new();
        let began = tokio::time::Instant::now();
        let stuck = lanes(vec![pending().boxed(), ready(Ok(())).boxed()]);
        let ended = until_all_end(stuck, draining.clone(), PATIENCE).await;
        assert!(matches!(ended, Err(CommandError::Stuck { .. })), "{ended:?}");
        assert!(draining.is_cancelled() && began.elapsed() >= PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_hurried_who_was_not_asked_to_drain() {
        let long = PATIENCE * 100;
        let working = lanes(vec![tokio::time::sleep(long).map(Ok).boxed()]);
        let ended = until_all_end(working, CancellationToken::new(), PATIENCE).await;
        assert!(ended.is_ok(), "{ended:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_failure_is_told_though_another_lane_is_stuck() {
        let failure = || ready(Err(CommandError::NoPipeline)).boxed();
        let lanes = lanes(vec![pending().boxed(), failure()]);
        let ended = until_all_end(lanes, CancellationToken::new(), PATIENCE).await;
        assert!(matches!(ended, Err(CommandError::NoPipeline)), "{ended:?}");
    }
}
