//! `plan`: says what a pipeline needs on Kafka, and how that differs from what is there.

use std::fmt;

use longshore_kafka::admin::Admin;
use serde::Serialize;

use crate::assemble::topics;
use crate::pipeline::{Differences, Plan};
use crate::session::Session;
use crate::{CommandError, Exit};

/// The plan, and what is to be done about it where a Kafka is known.
#[derive(Debug, Serialize)]
struct Planned {
    plan: Plan,
    #[serde(skip_serializing_if = "Option::is_none")]
    differences: Option<Differences>,
}

/// Needs no Kafka; where one is named or runs, the plan is compared with it.
pub(super) fn run(session: &mut Session<'_>) -> Result<Exit, CommandError> {
    let plan = session.pipeline()?.plan();
    let differences = match session.kafka_if_any()? {
        None => None,
        Some(kafka) => Some(topics::compare(&Admin::connect(&kafka)?, &plan)?.differences),
    };
    let unfit = differences.as_ref().is_some_and(|differences| !differences.wrong.is_empty());
    session.out.answer(&Planned { plan, differences })?;
    Ok(if unfit { Exit::Unfit } else { Exit::Done })
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plan.fmt(f)?;
        match &self.differences {
            None => write!(f, "\nNot compared: no Kafka is named, and none runs on this machine"),
            Some(differences) => write!(f, "\n{differences}"),
        }
    }
}
