//! `apply`: creates the topics of a pipeline. Those that exist are checked, and never altered.

use crate::assemble::topics;
use crate::session::Session;
use crate::{CommandError, Exit};

pub(super) fn run(session: &mut Session<'_>) -> Result<Exit, CommandError> {
    let plan = session.pipeline()?.plan();
    let applied = topics::apply(&session.kafka()?, &plan)?;
    session.out.answer(&applied)?;
    Ok(Exit::Done)
}
