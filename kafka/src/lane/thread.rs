//! A lane on a thread of its own: Kafka's client blocks, so no runtime's thread may run it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use futures::channel::oneshot;

use super::broker::Broker;
use super::config::LaneConfig;
use super::control::{Control, Status};
use super::error::LaneError;
use super::run::run;
use super::step::Step;
use crate::Failure;

/// Runs a lane on a thread named `name` and waits for its end. `connect` is called on that thread,
/// where the broker stays. Dropped before the end, it asks the lane to drain and doesn't wait.
pub async fn run_on_thread<B: Broker, S: Step + Send + 'static>(
    name: &str,
    (step, config): (S, LaneConfig),
    connect: impl FnOnce() -> Result<B, Failure> + Send + 'static,
    control: Control,
    observe: impl FnMut(Status) + Send + 'static,
) -> Result<(), LaneError> {
    let (topic, group) = (config.topic.clone(), config.group.clone());
    let place = move |failure| LaneError::Kafka { topic, group, failure };
    let on_thread = {
        let (control, place) = (control.clone(), place.clone());
        move || run(connect().map_err(place)?, step, config, &control, observe)
    };
    let (sender, ended) = oneshot::channel();
    let _drain = DrainOnDrop(control);
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(on_thread));
        // Without a receiver nobody asks any more how it ended.
        let _ = sender.send(result.unwrap_or(Err(LaneError::Panicked)));
    });
    spawned.map_err(LaneError::Thread)?;
    ended.await.unwrap_or(Err(LaneError::Panicked))
}

struct DrainOnDrop(Control);

impl Drop for DrainOnDrop {
    fn drop(&mut self) {
        self.0.drain();
    }
}
