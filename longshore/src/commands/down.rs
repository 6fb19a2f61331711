//! `down`: stops the Kafka that `up` started.

use longshore_local::{Down, Environment};

use crate::session::Session;
use crate::{CommandError, Exit};

use super::up::{Seen, tell};

pub(super) fn run(session: &mut Session<'_>) -> Result<Exit, CommandError> {
    let seen = match longshore_local::down(&Environment::from_process()?, &mut tell)? {
        Down::Stopped(broker) => Seen::of("stopped", Some(&broker)),
        Down::NotRunning => Seen::of("not running", None),
    };
    session.out.answer(&seen)?;
    Ok(Exit::Done)
}
