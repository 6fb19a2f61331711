//! An exactly-once worker fleet for Apache Kafka: the one crate that its users depend on.
//!
//! Reading order: the fleet that a user builds; the pipeline that it runs; the settings of a
//! process and where each comes from; the commands of the command line; how a pipeline becomes
//! lanes; how it is looked at from outside.

pub use longshore_kafka as kafka;
pub use longshore_local as local;
pub use longshore_schemas as schemas;

pub mod prelude;

mod fleet;
mod registry;

pub mod pipeline;

pub mod settings;

mod error;
mod exit;
mod output;
mod session;
mod table;

mod assemble;

pub mod audit;
pub mod inspect;

pub mod chaos;
pub mod staff;

pub mod commands;

pub use commands::{Command, CommandLine, Options};
pub use error::CommandError;
pub use exit::{EXIT_CODES, Exit};
pub use fleet::Fleet;
pub use output::Format;
pub use session::Session;

/// Lanes, handlers and the Kafka client allocate on dozens of threads. The C library keeps an arena
/// for each, so a worker's memory doubles; and it takes longer.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
