//! The `longshore` binary: every command of the fleet with the handlers of the demo, and the demo.

mod demo;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use longshore::{Command, EXIT_CODES, Options};

/// An exactly-once worker fleet for Apache Kafka.
#[derive(Debug, Parser)]
#[command(name = "longshore", version, after_help = EXIT_CODES)]
struct CommandLine {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Asked,
}

/// What the binary can be asked to do.
#[derive(Debug, Subcommand)]
enum Asked {
    /// Watch a whole fleet settle orders on a real Kafka, and have the outcome proven
    Demo(demo::Args),
    /// The commands of every fleet.
    #[command(flatten)]
    Fleet(Command),
}

fn main() -> anyhow::Result<ExitCode> {
    let CommandLine { options, command } = CommandLine::parse();
    match command {
        Asked::Demo(args) => Ok(demo::run(&options, &args)),
        Asked::Fleet(command) => {
            let fleet = longshore_orders::fleet(demo::faults_of_process()?);
            Ok(fleet.pipeline(longshore_orders::PIPELINE).execute(&options, &command))
        }
    }
}
