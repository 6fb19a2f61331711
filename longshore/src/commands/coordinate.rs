//! `coordinate`: joins of a pipeline, one lane each, in this process.

use crate::assemble::{Lanes, process};
use crate::session::Session;
use crate::{CommandError, Exit};

/// Which joins.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// A join to run, by its name; all without it. May be given several times
    #[arg(long = "join", value_name = "JOIN")]
    pub joins: Vec<String>,
}

pub(super) fn run(args: &Args, session: &mut Session<'_>) -> Result<Exit, CommandError> {
    let pipeline = session.pipeline()?;
    process::run(session, &Lanes::joins(&pipeline, &args.joins)?)
}
