//! A result that no topic takes becomes a FAILED one without its payload.

use longshore_kafka::{Outgoing, Refusal};
use longshore_schemas::Codec;
use longshore_schemas::records::{GroupResult, GroupStatus, JournalRecord, PartError};

use crate::config::JoinConfig;

/// The same outputs with every result stripped and failed, and the journal saying so too. None if
/// there is no result among them: nothing can be made smaller.
pub fn without_payload(
    config: &JoinConfig,
    outputs: &[Outgoing],
    refusal: &Refusal,
) -> Option<Vec<Outgoing>> {
    let is_result = |output: &Outgoing| output.topic == config.topics.results;
    if !outputs.iter().any(is_result) {
        return None;
    }
    let replace = |output: &Outgoing| match () {
        () if is_result(output) => failed_result(output, refusal),
        () if output.topic == config.topics.journal => failed_journal(output),
        () => Some(output.clone()),
    };
    outputs.iter().map(replace).collect()
}

fn failed_result(output: &Outgoing, refusal: &Refusal) -> Option<Outgoing> {
    let codec = Codec::<GroupResult>::shared().ok()?;
    let mut result = codec.decode(output.value.as_ref()?).ok()?;
    result.status = GroupStatus::Failed;
    result.payload = None;
    result.error = Some(PartError::new("refused", &refusal.message));
    Some(Outgoing { value: Some(codec.encode(&result).ok()?), ..output.clone() })
}

fn failed_journal(output: &Outgoing) -> Option<Outgoing> {
    let mut record = JournalRecord::decode(output.value.as_ref()?).ok()?;
    if let JournalRecord::Closed(closed) = &mut record {
        closed.status = GroupStatus::Failed;
    }
    Some(Outgoing { value: Some(record.encode().ok()?), ..output.clone() })
}
