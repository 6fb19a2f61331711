//! The one terminal outcome of a part, as a record of its inbox.

use bytes::Bytes;
use longshore_kafka::{Outgoing, Partition};
use longshore_schemas::records::{InboxRecord, PartError, PartOutcome, PartStatus};
use longshore_schemas::{EncodeError, PartHeaders, StageName};

use super::Hop;

/// How a part ends that goes no further.
pub(super) struct End {
    pub(super) status: PartStatus,
    pub(super) error: Option<PartError>,
}

/// An outcome without payload or error.
pub(super) fn of(part: &PartHeaders, stage: &StageName, status: PartStatus) -> PartOutcome {
    PartOutcome {
        group_id: part.group_id.clone(),
        revision: part.revision,
        opened_at: part.opened_at,
        stage: stage.clone(),
        part_id: part.part_id,
        attempt: part.attempt,
        status,
        payload: None,
        error: None,
    }
}

/// The record that tells the part's inbox; `index` is its place among the item's outputs.
pub(super) fn written(
    part: &PartHeaders,
    outcome: PartOutcome,
    hop: Hop<'_>,
    index: u32,
) -> Result<Outgoing, EncodeError> {
    Ok(Outgoing {
        topic: part.inbox.topic.clone(),
        partition: Some(Partition(part.inbox.partition)),
        key: Some(Bytes::copy_from_slice(part.group_id.as_str().as_bytes())),
        value: Some(InboxRecord::Outcome(outcome).encode()?),
        headers: hop.about_item(index),
        timestamp: None,
    })
}

/// Ends the part for each stage that a join would otherwise wait for. Nothing, if the item is none.
pub(super) fn for_each_stage(
    stages: &[StageName],
    hop: Hop<'_>,
    end: &End,
    first_index: u32,
) -> Result<Vec<Outgoing>, EncodeError> {
    let Some(part) = &hop.envelope.part else {
        return Ok(Vec::new());
    };
    let outcome = |stage| PartOutcome { error: end.error.clone(), ..of(part, stage, end.status) };
    (first_index..)
        .zip(stages)
        .map(|(index, stage)| written(part, outcome(stage), hop, index))
        .collect()
}
