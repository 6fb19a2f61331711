//! `run`: a whole pipeline in one process, its topics created first.

use crate::assemble::{Lanes, process, topics};
use crate::session::Session;
use crate::{CommandError, Exit};

pub(super) fn run(session: &mut Session<'_>) -> Result<Exit, CommandError> {
    let pipeline = session.pipeline()?;
    topics::apply(&session.kafka()?, &pipeline.plan())?;
    process::run(session, &Lanes::all(&pipeline))
}
