//! One stage in one process: its lane's thread, from start to stop.

use std::sync::Arc;

use longshore_handler::{Handlers, Service, Takes};
use longshore_kafka::Failure;
use longshore_kafka::lane::broker::Broker;
use longshore_kafka::lane::{Status, run_on_thread};
use longshore_telemetry::{Component, Readiness};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::{WorkerConfig, WorkerError, WorkerStep};

/// Runs a stage until `draining` is cancelled and it has drained, or it can't go on. `connect` is
/// called on the lane's own thread, where the broker stays. Handlers run on the runtime of the
/// caller. Dropped before its end, it asks the lane to drain and doesn't wait for it.
///
/// # Errors
/// Whatever keeps the stage from starting, or stopped it.
pub async fn run<B: Broker>(
    config: WorkerConfig,
    handlers: &Handlers,
    connect: impl FnOnce() -> Result<B, Failure> + Send + 'static,
    health: Component,
    draining: CancellationToken,
) -> Result<(), WorkerError> {
    let stage = config.wiring.stage.clone();
    let handler = handler(&config, handlers)?;
    let step = WorkerStep::new(&config, handler, Handle::current());
    let health = Arc::new(health);
    let observe = {
        let health = Arc::clone(&health);
        move |status| tell(&health, status)
    };
    let (name, draining) = (format!("lane {stage}"), draining.cancelled_owned());
    let ended = run_on_thread(&name, (step, config.lane), connect, draining, observe).await;
    // Ended in order, it is no longer expected to beat.
    if let (Ok(()), Some(health)) = (&ended, Arc::into_inner(health)) {
        health.finish();
    }
    ended.map_err(|reason| WorkerError::Lane { stage, reason: Box::new(reason) })
}

fn handler(config: &WorkerConfig, handlers: &Handlers) -> Result<Arc<dyn Service>, WorkerError> {
    let stage = || config.wiring.stage.clone();
    let registered = handlers
        .get(&config.handler)
        .map_err(|error| WorkerError::UnknownHandler { stage: stage(), error })?;
    match registered.takes {
        Takes::Item { .. } | Takes::Bytes => Ok(Arc::clone(&registered.service)),
        Takes::Group => {
            Err(WorkerError::TakesGroups { stage: stage(), handler: config.handler.clone() })
        }
    }
}

fn tell(health: &Component, status: Status) {
    health.beat();
    health.set(match status {
        Status { connected: false, .. } => Readiness::Disconnected,
        Status { joined: false, .. } => Readiness::Unassigned,
        Status { .. } => Readiness::Ready,
    });
}
