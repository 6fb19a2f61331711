//! Writes records of groups in the form that a program reads.

use anyhow::Result;
use longshore::kafka::Outgoing;
use longshore::schemas::TopicName;

use super::order::partition;
use super::{Form, Groups, Step, id};
use crate::fill::LINGER;
use crate::ground::Ground;
use crate::writer::Writer;

/// Writes these records behind what is in the topic, in their order.
pub(crate) fn fill(
    ground: &Ground,
    topic: &TopicName,
    form: &dyn Form,
    groups: &Groups,
    records: impl Iterator<Item = (u64, Step)>,
) -> Result<()> {
    let writer = Writer::open(ground, LINGER)?;
    for (group, step) in records {
        let (value, headers) = form.record(groups, group, step)?;
        writer.send(&Outgoing {
            topic: topic.clone(),
            partition: Some(partition(group)),
            key: Some(id(group).into()),
            value: Some(value),
            headers,
            timestamp: None,
        })?;
    }
    writer.flush()
}
