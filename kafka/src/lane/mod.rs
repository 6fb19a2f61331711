//! The lane: read, work, commit, exactly once.
//!
//! A lane is one thread that owns one member of a consumer group and one transactional producer. It
//! reads records, hands them to its [`step::Step`], and commits outcomes and progress together.

pub mod broker;
pub mod config;
mod control;
pub(crate) mod marks;
pub mod progress;
pub mod start;
pub mod step;

mod error;
mod run;
mod thread;

mod core;
mod guard;
mod partition;
mod queues;
mod ready;
mod siblings;

pub use control::{Control, Status};
pub use error::LaneError;
pub use run::{Lane, run};
pub use siblings::Siblings;
pub use thread::run_on_thread;
