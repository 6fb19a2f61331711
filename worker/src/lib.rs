//! Work item to outcome: read, handle, retry, dead-letter, fan out.
//!
//! Reading order: how a stage is connected and what it is told; an item as its handler sees it; the
//! attempts at it; what is written for it; how many items are worked on at once; the stage on its
//! lane.

mod config;
mod error;
mod wiring;

mod envelope;
mod trace_headers;

mod retry;
mod workshop;

mod outputs;

mod crew;
mod step;

mod run;

pub use config::WorkerConfig;
pub use error::WorkerError;
pub use retry::Retry;
pub use run::run;
pub use step::WorkerStep;
pub use wiring::{FanOutRoute, Route, Trust, Wiring};

#[cfg(test)]
mod samples;
