//! Outcomes to result: a join gathers the outcomes of a group's parts into one result and writes it
//! downstream.
//!
//! Reading order: what a join is told, the pure gather, the file that it spills to, one partition
//! at work (its clock, what it carries and closes, its outputs, journal and state), the lane's
//! component, and how it is run.

mod config;
mod error;

pub mod gather;

mod spill;

mod broker_clock;
mod carrying;
mod closing;
mod journal;
mod journal_reads;
mod outputs;
mod refused;
mod state;
mod task;

mod step;

mod run;

#[cfg(test)]
mod fixture;

pub use closing::Block;
pub use config::{JoinConfig, JoinTopics};
pub use error::CoordinatorError;
pub use journal::{JournalError, JournalFrom, JournalRead, read as read_journal};
pub use run::run;
pub use state::{JoinState, JoinStateError};
pub use step::{Clocks, JoinStep, JournalAnswer, Now, ReadJournal};
