//! What a worker is told. Every value is given by its caller.

use std::num::NonZeroUsize;
use std::time::Duration;

use longshore_handler::StackSettings;
use longshore_kafka::lane::config::LaneConfig;

use crate::{Retry, Wiring};

/// The settings of one stage in one process.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// How the stage is connected.
    pub wiring: Wiring,
    /// The name under which its handler was registered.
    pub handler: String,
    /// How an attempt that failed is tried again.
    pub retry: Retry,
    /// The time one attempt may take.
    pub item_timeout: Duration,
    /// Attempts under way at once. Items between two attempts don't count, so it may be far below
    /// the lane's `in_flight_max`.
    pub concurrency: NonZeroUsize,
    /// Tasks among which the items of one partition are divided: as many as there are cores, so
    /// that handlers which compute have all of them.
    pub executors: NonZeroUsize,
    /// Its lane.
    pub lane: LaneConfig,
}

impl WorkerConfig {
    /// What the layers around the handler are told.
    pub(crate) fn stack_settings(&self) -> StackSettings {
        StackSettings {
            topic: self.lane.topic.clone(),
            group: self.lane.group.clone(),
            item_timeout: self.item_timeout,
        }
    }
}
