//! Which outputs an outcome has, by the route of the stage.

use longshore_handler::{HandlerError, Outcome, class};
use longshore_kafka::Outgoing;
use longshore_kafka::lane::step::Verdict;
use longshore_schemas::Timestamp;
use longshore_schemas::records::PartStatus;

use super::part_outcome::{self, End};
use super::{Hop, fan_out, to_join, to_topic};
use crate::{Route, Wiring};

/// How an item ended.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) outputs: Vec<Outgoing>,
    pub(crate) verdict: Verdict,
}

/// What is written for an item that was handled.
///
/// # Errors
/// If the stage has no place for such an outcome, or it can't be encoded: the item is given up.
pub(crate) fn of(
    wiring: &Wiring,
    hop: Hop<'_>,
    outcome: Outcome,
    now: Timestamp,
) -> Result<Ending, HandlerError> {
    let outputs = match (outcome, &wiring.route) {
        (Outcome::Skipped, _) => {
            return Ok(Ending { outputs: left_out(wiring, hop)?, verdict: Verdict::Skipped });
        }
        (Outcome::Done(outputs), Route::Topic(_)) if outputs.is_empty() => left_out(wiring, hop)?,
        (Outcome::Done(outputs), Route::Topic(topic)) => to_topic::outputs(topic, hop, outputs)?,
        (Outcome::Done(outputs), Route::Join) => to_join::outputs(&wiring.stage, hop, outputs)?,
        (Outcome::FanOut(parts), Route::FanOut(route)) => {
            fan_out::outputs(route, hop, &parts, now)?
        }
        (Outcome::FanOut(_), Route::Topic(_) | Route::Join) => {
            return Err(misfit("the handler fans out, and its stage has no `fan_out`"));
        }
        (Outcome::Done(_), Route::FanOut(_)) => {
            return Err(misfit(
                "the stage fans out, and its handler made no parts; answer `Outcome::fan_out`, or \
                 `Outcome::skipped` where there is nothing to split",
            ));
        }
    };
    Ok(Ending { outputs, verdict: Verdict::Done })
}

/// An outcome that the stage has no place for: an error in the pipeline or its handler.
pub(super) fn misfit(message: impl Into<String>) -> HandlerError {
    HandlerError::permanent(class::MISFIT, message)
}

/// Nothing goes on from here: a join that waits for the item, if one does, learns so.
fn left_out(wiring: &Wiring, hop: Hop<'_>) -> Result<Vec<Outgoing>, HandlerError> {
    let end = End { status: PartStatus::Skipped, error: None };
    Ok(part_outcome::for_each_stage(&wiring.part_stages, hop, &end, 0)?)
}
