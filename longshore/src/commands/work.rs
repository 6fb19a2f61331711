//! `work`: stages of a pipeline, one lane each, in this process.

use crate::assemble::{Lanes, process};
use crate::session::Session;
use crate::{CommandError, Exit};

/// Which stages.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// A stage to run, by its name; all without it. May be given several times
    #[arg(long = "stage", value_name = "STAGE")]
    pub stages: Vec<String>,
}

pub(super) fn run(args: &Args, session: &mut Session<'_>) -> Result<Exit, CommandError> {
    let pipeline = session.pipeline()?;
    process::run(session, &Lanes::stages(&pipeline, &args.stages)?)
}
