//! Outputs for a topic: the stage's own, or a sink's.

use longshore_handler::{HandlerError, Output};
use longshore_kafka::Outgoing;
use longshore_schemas::TopicName;

use super::Hop;
use super::ending::misfit;

/// One record for each output. A single one is still the same item, with its id; several are items
/// of their own, with ids `<id>/0`, `<id>/1`, ...
///
/// Their timestamps are the time of writing: forwarded ones would let the retention of a topic
/// delete what was made of old items before anyone read it.
pub(super) fn outputs(
    topic: &TopicName,
    hop: Hop<'_>,
    outputs: Vec<Output>,
) -> Result<Vec<Outgoing>, HandlerError> {
    let count = outputs.len();
    if hop.envelope.part.is_some() && count > 1 {
        return Err(misfit(format!(
            "the item is a part of a group, and a part stays one item: {count} outputs were made"
        )));
    }
    let written = |(index, output): (u32, Output)| Outgoing {
        topic: topic.clone(),
        partition: None,
        key: output.key.resolve(hop.envelope.key.as_ref()),
        value: Some(output.value),
        headers: match count {
            1 => hop.same_item(index),
            _ => hop.other_item(index, index),
        },
        timestamp: None,
    };
    Ok((0..).zip(outputs).map(written).collect())
}
