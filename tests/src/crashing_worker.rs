//! The stage `work` as the fleet runs it, put together by hand around a broker that dies.
//!
//! Its group, topics and transactional id are those of the pipeline, so that an ordinary worker
//! takes over.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use anyhow::Context;
use longshore_kafka::Settings;
use longshore_kafka::client::{BrokerOptions, KafkaBroker};
use longshore_kafka::lane::config::{LaneConfig, Limits, Ordering};
use longshore_kafka::lane::start::StartPolicy;
use longshore_telemetry::Health;
use longshore_worker::{Retry, Route, Trust, Wiring, WorkerConfig};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::crash::{CrashAt, Phase};
use crate::process::{SESSION_TIMEOUT, TRANSACTION_TIMEOUT};
use crate::work;

const TRANSACTION_LIMIT: Duration = Duration::from_secs(10);

/// Works on the pipeline of this name, in this slot, until it is killed.
///
/// # Errors
/// If the worker ends in any other way.
pub fn crash_at(phase: Phase, servers: &str, pipeline: &str, slot: &str) -> anyhow::Result<()> {
    let config = config(pipeline);
    let mut settings = Settings::new(servers);
    settings.session_timeout = SESSION_TIMEOUT;
    settings.transaction_timeout = TRANSACTION_TIMEOUT;
    let options = BrokerOptions {
        settings,
        topic: config.lane.topic.clone(),
        group: config.lane.group.clone(),
        slot: Some(slot.to_owned()),
        transactional_id: format!("{}-{slot}-0", config.lane.group),
    };
    let connect = move || Ok(CrashAt::new(KafkaBroker::connect(options)?, phase));
    let draining = CancellationToken::new();
    let health = Health::new(draining.clone()).register("work", Duration::from_secs(60));
    let handlers = work::work()?;
    let worker = longshore_worker::run(config, &handlers, connect, health, draining);
    Runtime::new()?.block_on(worker).context("the worker ended before it was killed")
}

fn config(pipeline: &str) -> WorkerConfig {
    WorkerConfig {
        wiring: Wiring {
            stage: "work".into(),
            trust: Trust::Source,
            route: Route::Topic(format!("{pipeline}-done").as_str().into()),
            part_stages: Vec::new(),
            dead_letters: format!("{pipeline}-items-dlt").as_str().into(),
        },
        handler: "work".to_owned(),
        retry: Retry {
            attempts_max: NonZeroU32::MIN,
            backoff_initial: Duration::from_millis(10),
            backoff_max: Duration::from_millis(10),
        },
        item_timeout: Duration::from_secs(60),
        concurrency: NonZeroUsize::MIN.saturating_add(15),
        executors: NonZeroUsize::MIN,
        lane: LaneConfig {
            topic: format!("{pipeline}-items").as_str().into(),
            group: format!("{pipeline}.work"),
            ordering: Ordering::Key,
            start: Some(StartPolicy::Earliest),
            marks: None,
            owner: "crashing".to_owned(),
            commit_interval: Duration::from_millis(20),
            revoke_budget: Duration::from_secs(2),
            drain_timeout: Duration::from_secs(2),
            transaction_timeout: TRANSACTION_LIMIT,
            fenced_after: TRANSACTION_LIMIT,
            deaths_max: Some(5),
            siblings: Default::default(),
            limits: limits(),
        },
    }
}

/// Small, so that a few hundred items take many transactions.
fn limits() -> Limits {
    Limits {
        in_flight_max: 64,
        in_flight_most: 64,
        waiting_max: 1_000,
        held_bytes_max: 16 << 20,
        batch_items_max: 50,
        batch_bytes_max: 1 << 20,
    }
}
