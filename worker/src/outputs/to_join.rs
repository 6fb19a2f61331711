//! The outcome of a part, for the join that waits for it.

use longshore_handler::{HandlerError, Output};
use longshore_kafka::Outgoing;
use longshore_schemas::StageName;
use longshore_schemas::records::{PartOutcome, PartStatus};

use super::ending::misfit;
use super::{Hop, part_outcome};

/// The part is done, with what the handler made of it as its payload.
pub(super) fn outputs(
    stage: &StageName,
    hop: Hop<'_>,
    outputs: Vec<Output>,
) -> Result<Vec<Outgoing>, HandlerError> {
    let Some(part) = &hop.envelope.part else {
        return Err(misfit(
            "the stage's outcomes go to a join, and the item is no part of a group; let the stage \
             read what a stage with `fan_out` writes",
        ));
    };
    let count = outputs.len();
    if count > 1 {
        return Err(misfit(format!(
            "a part has one payload in its join, and {count} outputs were made"
        )));
    }
    let done = PartOutcome {
        payload: outputs.into_iter().next().map(|output| output.value),
        ..part_outcome::of(part, stage, PartStatus::Done)
    };
    Ok(vec![part_outcome::written(part, done, hop, 0)?])
}
