//! One join in one process: its lane's thread, from start to stop.

use std::sync::Arc;
use std::time::Instant;

use longshore_kafka::lane::broker::Broker;
use longshore_kafka::lane::config::LaneConfig;
use longshore_kafka::lane::{Status, run_on_thread};
use longshore_kafka::{Failure, Settings};
use longshore_schemas::Timestamp;
use longshore_telemetry::{Component, Readiness};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::journal_reads;
use crate::{CoordinatorError, JoinConfig, JoinStep, Now};

/// Runs a join until `draining` is cancelled and it has drained, or it can't go on. `connect` is
/// called on the lane's own thread, where the broker stays; `settings` are for reading the journal.
/// Gathers run on the runtime of the caller.
pub async fn run<B: Broker>(
    (config, lane): (JoinConfig, LaneConfig),
    settings: Settings,
    connect: impl FnOnce() -> Result<B, Failure> + Send + 'static,
    health: Component,
    draining: CancellationToken,
) -> Result<(), CoordinatorError> {
    let join = config.join.clone();
    config
        .rules
        .check()
        .map_err(|reason| CoordinatorError::Rules { join: join.clone(), reason })?;
    let runtime = Handle::current();
    let read_journal = {
        let (topic, draining) = (config.topics.journal.clone(), draining.clone());
        journal_reads::reader(settings, topic, runtime.clone(), draining)
    };
    let began = Instant::now();
    let clocks = move || Now { steady: began.elapsed(), wall: Timestamp::now() };
    let step = JoinStep::new(config, runtime, read_journal, Arc::new(clocks));
    let health = Arc::new(health);
    let observe = {
        let health = Arc::clone(&health);
        move |status| tell(&health, status)
    };
    let (name, draining) = (format!("lane {join}"), draining.cancelled_owned());
    let ended = run_on_thread(&name, (step, lane), connect, draining, observe).await;
    // Ended in order, it is no longer expected to beat.
    if let (Ok(()), Some(health)) = (&ended, Arc::into_inner(health)) {
        health.finish();
    }
    ended.map_err(|reason| CoordinatorError::Lane { join, reason })
}

fn tell(health: &Component, status: Status) {
    health.beat();
    health.set(match status {
        Status { connected: false, .. } => Readiness::Disconnected,
        Status { joined: false, .. } => Readiness::Unassigned,
        Status { .. } => Readiness::Ready,
    });
}
