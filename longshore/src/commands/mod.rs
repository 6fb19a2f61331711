//! The command line: one file for each command.

mod options;

pub mod apply;
pub mod config;
pub mod coordinate;
pub mod down;
pub mod plan;
pub mod run;
pub mod status;
pub mod up;
pub mod work;

use clap::{Parser, Subcommand};

use crate::exit::EXIT_CODES;
use crate::session::Session;
use crate::{CommandError, Exit};

pub use options::Options;

/// An exactly-once worker fleet for Apache Kafka.
#[derive(Clone, Debug, Parser)]
#[command(name = "longshore", version, after_help = EXIT_CODES)]
pub struct CommandLine {
    /// What holds for every command.
    #[command(flatten)]
    pub options: Options,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What a fleet can be asked to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Start a Kafka on this machine, and leave it running
    Up,
    /// Stop the Kafka that `up` started; its topics are kept
    Down,
    /// Say whether the Kafka of `up` runs
    Status,
    /// Say what a pipeline needs on Kafka, and how that differs from what is there
    Plan,
    /// Create the topics of a pipeline
    Apply,
    /// Run a whole pipeline in this process; creates its topics first
    Run,
    /// Run stages of a pipeline in this process
    Work(work::Args),
    /// Run joins of a pipeline in this process
    Coordinate(coordinate::Args),
    /// Check or show the settings
    #[command(subcommand)]
    Config(config::Command),
}

/// Runs a command.
pub(crate) fn execute(command: &Command, session: &mut Session<'_>) -> Result<Exit, CommandError> {
    match command {
        Command::Up => up::run(session),
        Command::Down => down::run(session),
        Command::Status => status::run(session),
        Command::Plan => plan::run(session),
        Command::Apply => apply::run(session),
        Command::Run => run::run(session),
        Command::Work(args) => work::run(args, session),
        Command::Coordinate(args) => coordinate::run(args, session),
        Command::Config(command) => config::run(command, session),
    }
}

#[cfg(test)]
mod tests;
