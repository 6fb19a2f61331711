//! A lane on a thread of its own: Kafka's client blocks, so no runtime's thread may run it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::thread;

use futures::channel::oneshot;
use futures::future::{Either, select};

use super::broker::Broker;
use super::config::LaneConfig;
use super::control::{Control, Status};
use super::error::LaneError;
use super::run::run;
use super::step::Step;
use crate::Failure;

/// Runs a lane on a thread named `name` until `draining` is over and it has drained, or it can't go
/// on. `connect` is called on that thread, where the broker stays. Dropped before the end, it asks
/// the lane to drain and doesn't wait.
pub async fn run_on_thread<B: Broker, S: Step + Send + 'static>(
    name: &str,
    (step, config): (S, LaneConfig),
    connect: impl FnOnce() -> Result<B, Failure> + Send + 'static,
    draining: impl Future<Output = ()>,
    observe: impl FnMut(Status) + Send + 'static,
) -> Result<(), LaneError> {
    let control = DrainOnDrop(Control::new());
    let (topic, group) = (config.topic.clone(), config.group.clone());
    let place = move |failure| LaneError::Kafka { topic, group, failure };
    let on_thread = {
        let control = control.0.clone();
        move || run(connect().map_err(place)?, step, config, &control, observe)
    };
    let (sender, ended) = oneshot::channel();
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(on_thread));
        // Without a receiver nobody asks any more how it ended.
        let _ = sender.send(result.unwrap_or(Err(LaneError::Panicked)));
    });
    spawned.map_err(LaneError::Thread)?;
    let ended = match select(ended, pin!(draining)).await {
        Either::Left((ended, _)) => ended,
        Either::Right(((), ended)) => {
            control.0.drain();
            ended.await
        }
    };
    ended.unwrap_or(Err(LaneError::Panicked))
}

struct DrainOnDrop(Control);

impl Drop for DrainOnDrop {
    fn drop(&mut self) {
        self.0.drain();
    }
}
