//! The command line: one file for each command.

mod options;
mod which;

pub mod apply;
pub mod audit;
pub mod chaos;
pub mod config;
pub mod coordinate;
pub mod dlq;
pub mod down;
pub mod groups;
pub mod lag;
pub mod plan;
pub mod produce;
pub mod progress;
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
    /// Publish work items to the pipeline's source, each once
    Produce(produce::Args),
    /// Run stages of a pipeline in this process
    Work(work::Args),
    /// Run joins of a pipeline in this process
    Coordinate(coordinate::Args),
    /// Say how many records each stage and join has still to finish
    Lag(lag::Args),
    /// List or show the open groups of joins
    #[command(subcommand)]
    Groups(groups::Command),
    /// List the items that were given up
    #[command(subcommand)]
    Dlq(dlq::Command),
    /// Show or mend the committed progress of a stage or join
    #[command(subcommand)]
    Progress(progress::Command),
    /// Check from topics and progress that nothing was lost, doubled, leaked or put out of order
    Audit(audit::Args),
    /// Run a pipeline in peace and under faults, on a Kafka of its own, and compare the outcomes
    Chaos(chaos::Args),
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
        Command::Produce(args) => produce::run(args, session),
        Command::Work(args) => work::run(args, session),
        Command::Coordinate(args) => coordinate::run(args, session),
        Command::Lag(args) => lag::run(args, session),
        Command::Groups(command) => groups::run(command, session),
        Command::Dlq(command) => dlq::run(command, session),
        Command::Progress(command) => progress::run(command, session),
        Command::Audit(args) => audit::run(args, session),
        Command::Chaos(args) => chaos::run(args, session),
        Command::Config(command) => config::run(command, session),
    }
}

#[cfg(test)]
mod tests;
