//! Whether the transactions in a topic end (LV-1): up to what was its end all becomes readable.
//!
//! Nothing is written for it. A marker of our own would be a record that every reader of a user's
//! topic gets, and one that is aborted would still move the log and the last stable offset under
//! test. The broker tells both ends, for the same price: ListOffsets answers with the last stable
//! offset at isolation level read_committed and with the high watermark at read_uncommitted, and a
//! record of ours could be read exactly when the first reached the second.

use std::collections::BTreeMap;
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use longshore_kafka::admin::{Isolation, OpenTransaction};
use longshore_kafka::reader::{Range, ReadFrom};
use longshore_kafka::{Offset, Partition};
use longshore_schemas::TopicName;
use longshore_schemas::headers::ORIGIN;

use super::fault::{Fault, Place};
use crate::inspect::{InspectError, Observer};

/// How often the broker is asked.
const ASK_EVERY: Duration = Duration::from_millis(100);
/// Reading what a broker has takes no longer.
const READING: Duration = Duration::from_secs(10);

/// Who holds a partition back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holders {
    /// These.
    Known(Vec<OpenTransaction>),
    /// The broker couldn't be asked: why, and of which partition.
    Unknown {
        /// What was answered.
        reason: String,
        /// The topic.
        topic: TopicName,
        /// The partition.
        partition: i32,
    },
}

impl fmt::Display for Holders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(held) if held.is_empty() => {
                f.write_str("it has ended meanwhile, or its producer has expired")
            }
            Self::Known(held) => {
                let said = |it: &OpenTransaction| {
                    format!(
                        "producer id {} epoch {}, open since offset {}",
                        it.producer_id, it.producer_epoch, it.first_offset.0
                    )
                };
                let said: Vec<_> = held.iter().map(said).collect();
                write!(f, "it is held by {}", said.join("; "))
            }
            Self::Unknown { reason, topic, partition } => write!(
                f,
                "its producer couldn't be asked for ({reason}): `kafka-transactions.sh \
                 describe-producers --topic {topic} --partition {partition}` names it"
            ),
        }
    }
}

/// Waits until all of these stretches are readable, at most `patience`: what is still held back
/// then, each a fault, and up to where the stretches can be read.
pub(super) fn readable(
    observer: &Observer,
    topic: &TopicName,
    ranges: Vec<Range>,
    patience: Duration,
) -> Result<(Vec<Range>, Vec<Fault>), InspectError> {
    let deadline = Instant::now() + patience;
    let mut told = false;
    let ends = loop {
        let ends = last_stable(observer, topic)?;
        let is_open = |it: &Range| ends.get(&it.partition).is_some_and(|end| *end < it.to);
        if !ranges.iter().any(is_open) || Instant::now() >= deadline {
            break ends;
        }
        if !std::mem::replace(&mut told, true) {
            tracing::info!(%topic, ?patience, "waits for an open transaction");
        }
        thread::sleep(ASK_EVERY);
    };
    let mut faults = Vec::new();
    let mut readable = Vec::with_capacity(ranges.len());
    for range in ranges {
        let end = ends.get(&range.partition).copied().unwrap_or(range.to);
        if end < range.to {
            faults.push(hanging(observer, topic, (range.partition, end), patience)?);
        }
        readable.push(Range { to: range.to.min(end).max(range.from), ..range });
    }
    Ok((readable, faults))
}

fn last_stable(
    observer: &Observer,
    topic: &TopicName,
) -> Result<BTreeMap<Partition, Offset>, InspectError> {
    let logs = observer.admin().watermarks(topic)?;
    Ok(logs.into_iter().map(|it| (it.partition, it.last_stable)).collect())
}

fn hanging(
    observer: &Observer,
    topic: &TopicName,
    (partition, first): (Partition, Offset),
    waited: Duration,
) -> Result<Fault, InspectError> {
    let holders = match observer.admin().open_transactions(topic, partition) {
        Ok(held) => Holders::Known(held),
        Err(error) => Holders::Unknown {
            reason: error.to_string(),
            topic: topic.clone(),
            partition: partition.0,
        },
    };
    let mut reader = observer.reader(topic, Isolation::Uncommitted)?;
    let ranges = reader.ranges(&ReadFrom::Offsets(vec![(partition, first)]))?;
    let ranges: Vec<_> = ranges.iter().map(|it| Range { to: first.next(), ..*it }).collect();
    let record = reader.read(&ranges, READING)?.next().transpose()?;
    let origin = record.and_then(|it| it.headers.text(ORIGIN).map(str::to_owned));
    let at = Place { topic: topic.clone(), partition: partition.0, offset: first.0 };
    Ok(Fault::Hanging { at, origin, holders, waited })
}
