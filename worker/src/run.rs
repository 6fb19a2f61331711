//! One stage in one process: its lane's thread, from start to stop.

use std::sync::Arc;
use std::thread;

use longshore_handler::{Handlers, Service, Takes};
use longshore_kafka::Failure;
use longshore_kafka::lane::broker::Broker;
use longshore_kafka::lane::{self, Control, Status};
use longshore_telemetry::{Component, Readiness};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
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
    let control = DrainOnDrop(Control::new());
    let step = WorkerStep::new(&config, handler, Handle::current());
    let (ending, mut ended) = oneshot::channel();
    let lane = Lane { config, step, control: control.0.clone(), health };
    thread::Builder::new()
        .name(format!("lane {stage}"))
        .spawn(move || ending.send(lane.run(connect)))
        .map_err(|error| WorkerError::Thread { stage: stage.clone(), error })?;
    let result = tokio::select! {
        result = &mut ended => result,
        () = draining.cancelled() => {
            control.0.drain();
            ended.await
        }
    };
    result.unwrap_or(Err(WorkerError::Panicked { stage }))
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

/// All that goes to the lane's thread.
struct Lane {
    config: WorkerConfig,
    step: WorkerStep,
    control: Control,
    health: Component,
}

impl Lane {
    fn run<B: Broker>(
        self,
        connect: impl FnOnce() -> Result<B, Failure>,
    ) -> Result<(), WorkerError> {
        let stage = self.config.wiring.stage;
        let broker =
            connect().map_err(|failure| WorkerError::Connect { stage: stage.clone(), failure })?;
        let observe = |status| observe(&self.health, status);
        lane::run(broker, self.step, self.config.lane, &self.control, observe)
            .map_err(|error| WorkerError::Lane { stage, error: Box::new(error) })?;
        self.health.finish();
        Ok(())
    }
}

fn observe(health: &Component, status: Status) {
    health.beat();
    health.set(match status {
        Status { connected: false, .. } => Readiness::Disconnected,
        Status { joined: false, .. } => Readiness::Unassigned,
        Status { .. } => Readiness::Ready,
    });
}

struct DrainOnDrop(Control);

impl Drop for DrainOnDrop {
    fn drop(&mut self) {
        self.0.drain();
    }
}
