//! `status`: says whether the Kafka of `up` runs. Its exit code says it, too.

use longshore_local::{Environment, Status};

use crate::session::Session;
use crate::{CommandError, Exit};

use super::up::Seen;

pub(super) fn run(session: &mut Session<'_>) -> Result<Exit, CommandError> {
    let (seen, exit) = match longshore_local::status(&Environment::from_process()?)? {
        Status::Running(broker) => (Seen::of("running", Some(&broker)), Exit::Done),
        Status::Stopped => (Seen::of("not running", None), Exit::Unreachable),
        Status::Stale(broker) => (Seen::of("dead", Some(&broker)), Exit::Unreachable),
    };
    session.out.answer(&seen)?;
    Ok(exit)
}
