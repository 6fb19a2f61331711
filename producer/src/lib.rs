//! Work items enter: sources, keys, partitioning, pacing, publishing.
//!
//! Reading order: what a producer is told; the sources and what they yield; JSON to Avro; an entry
//! as the record that is written for it; a transaction's worth of them; the pace; the cursor that
//! makes a restart go on where it was; publishing, and the run that puts these together.

mod config;
mod error;

pub mod source;

pub mod avro;

mod dead_letter;
mod recipe;

mod batch;
mod pace;

mod cursors;
mod progress;

mod publishing;

mod run;

pub use config::{Input, ProducerConfig, Topics};
pub use error::ProducerError;
pub use progress::{Ending, Progress, Summary};
pub use run::run;

#[cfg(test)]
mod samples;
