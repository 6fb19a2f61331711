//! What is remembered of each record that was read: as little as the checks need, in the order in
//! which they need it.

use std::hash::{DefaultHasher, Hash, Hasher};

use longshore_kafka::Record;
use longshore_schemas::Headers;
use longshore_schemas::headers::Failure;
use serde::{Deserialize, Serialize};

/// A place in an input: its number in the audit, the partition and the offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Spot {
    pub(super) input: u16,
    pub(super) partition: i32,
    pub(super) offset: i64,
}

/// Something that is known of an item: sorted, the item itself comes first, then what was made of
/// it, stage by stage and output by output.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct ItemFact {
    pub(super) item: Spot,
    pub(super) what: About,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum About {
    /// It is there.
    Item {
        /// The hash of its key, if it has one.
        key: Option<u64>,
        /// The hash of all of it.
        content: u64,
    },
    /// A stage wrote this.
    Made(Made),
}

/// A record that a stage made of an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Made {
    /// The stage's number in the audit.
    pub(super) stage: u16,
    /// Which of the item's outputs it is.
    pub(super) index: u32,
    /// Where it stands: the topic's number in the audit, the partition and the offset.
    pub(super) topic: u16,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) end: End,
}

/// How a record ends its item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum End {
    Done,
    GivenUp,
    /// Its dead letter, with the hash of the item in it.
    DeadLetter(u64),
}

/// An output in its line: those of a stage, in a partition, of the items of a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Output {
    pub(super) line: Line,
    /// Where in its partition it stands.
    pub(super) offset: i64,
    /// The offset of its item.
    pub(super) item: i64,
    /// Which of the item's outputs it is.
    pub(super) index: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) stage: u16,
    pub(super) topic: u16,
    pub(super) partition: i32,
    /// The partition of its items.
    pub(super) of: i32,
    pub(super) key: u64,
}

/// Two keys of one hash would be held for one: among ten million keys that happens once in half a
/// million audits.
pub(super) fn hash_of(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The hash of all that a dead letter must keep of an item: key, value and headers.
pub(super) fn content_of(record: &Record) -> u64 {
    content(record, record.headers.len())
}

/// The hash of the item in a dead letter: all but the failure that was written behind its headers.
pub(super) fn content_within(dead_letter: &Record) -> u64 {
    let mut failure = Headers::new();
    if let Ok(Some(found)) = Failure::read(&dead_letter.headers) {
        found.write(&mut failure);
    }
    content(dead_letter, dead_letter.headers.len().saturating_sub(failure.len()))
}

fn content(record: &Record, headers: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&record.key, &record.value).hash(&mut hasher);
    for (name, value) in record.headers.iter().take(headers) {
        (name, value).hash(&mut hasher);
    }
    hasher.finish()
}
