//! The items that are relayed, written as another team's producer would: no headers of ours.

use std::time::Duration;

use anyhow::Result;
use longshore::kafka::Outgoing;
use longshore::schemas::{Codec, Headers, TopicName};

use crate::Work;
use crate::ground::Ground;
use crate::workload::Items;
use crate::writer::Writer;

/// How long a record may wait for company: nobody waits for it yet.
pub(crate) const LINGER: Duration = Duration::from_millis(20);
/// What an item takes beside its payload: schema, numbers.
const AROUND_PAYLOAD: usize = 24;

/// Writes items, unless they are there already.
pub(crate) fn fill(ground: &Ground, topic: &TopicName, items: &Items) -> Result<()> {
    if !ground.is_empty(topic)? {
        return Ok(());
    }
    let writer = Writer::open(ground, LINGER)?;
    let codec = Codec::<Work>::new()?;
    let payload = "x".repeat(items.bytes.saturating_sub(AROUND_PAYLOAD));
    let mut sequences = vec![0_i64; usize::try_from(items.keys)?];
    for number in 0..items.count {
        let key = usize::try_from(scattered(number) % items.keys)?;
        let sequence = sequences[key];
        sequences[key] += 1;
        let item = Work { key: i64::try_from(key)?, sequence, sent: 0, payload: payload.clone() };
        writer.send(&record(topic, &codec, &item)?)?;
    }
    writer.flush()
}

/// An item as a record: its key in text, as people who look at a topic like it.
pub(crate) fn record(topic: &TopicName, codec: &Codec<Work>, item: &Work) -> Result<Outgoing> {
    Ok(Outgoing {
        topic: topic.clone(),
        partition: None,
        key: Some(item.key.to_string().into()),
        value: Some(codec.encode(item)?),
        headers: Headers::new(),
        timestamp: None,
    })
}

/// Keys in no order: neighbours of one item belong to others (Fibonacci hashing).
fn scattered(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20
}
