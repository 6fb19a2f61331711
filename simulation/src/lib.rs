//! Deterministic simulation: lanes of a worker's stage or a coordinator's join over the model of
//! Kafka, where a seed decides what happens and when. The same history always runs alike.
//!
//! Reading order: what can happen, a history of it, the processes and what must hold of them; what
//! they do (a stage, a join with its oracle); how a history is run and shortened.

mod action;
mod history;

mod clockwork;
mod fleet;
mod progress;
mod running;
mod subject;

mod deed;
mod stage;

mod gathering;
mod inbox;
mod join;
mod oracle;

mod run;

pub use action::{Action, Slot};
pub use history::{History, Subject};
pub use run::{Report, run, shorten};
