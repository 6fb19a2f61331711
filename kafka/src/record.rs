//! Records as bytes: what a lane reads and what it writes.

use std::fmt;

use bytes::Bytes;
use longshore_schemas::{Headers, Timestamp, TopicName};

/// A partition of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(pub i32);

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The place of a record in its partition. Offsets grow, but not by one: transaction markers,
/// aborted data and compaction leave gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub i64);

impl Offset {
    /// The place right behind this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A record as it was read, detached from the client's fetch buffers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The topic it was read from.
    pub topic: TopicName,
    /// Its partition.
    pub partition: Partition,
    /// Its offset.
    pub offset: Offset,
    /// Its key.
    pub key: Option<Bytes>,
    /// Its value; none is a tombstone.
    pub value: Option<Bytes>,
    /// Its headers.
    pub headers: Headers,
    /// Its timestamp: the append time where the topic says so, the producer's otherwise.
    pub timestamp: Option<Timestamp>,
}

impl Record {
    /// Bytes of key, value and headers.
    pub fn bytes(&self) -> usize {
        payload_bytes(self.key.as_ref(), self.value.as_ref(), &self.headers)
    }

    /// About what it takes in memory while a lane holds it.
    pub fn held_bytes(&self) -> usize {
        self.bytes() + HELD_OVERHEAD
    }
}

/// A record to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The topic to write to.
    pub topic: TopicName,
    /// Its partition; none lets the partitioner choose by the key, as Java's does.
    pub partition: Option<Partition>,
    /// Its key.
    pub key: Option<Bytes>,
    /// Its value.
    pub value: Option<Bytes>,
    /// Its headers.
    pub headers: Headers,
    /// Its timestamp; none is the time of writing.
    pub timestamp: Option<Timestamp>,
}

impl Outgoing {
    /// About what it takes in memory while a lane holds it.
    pub fn held_bytes(&self) -> usize {
        self.bytes() + HELD_OVERHEAD
    }

    /// Bytes of key, value and headers.
    pub fn bytes(&self) -> usize {
        payload_bytes(self.key.as_ref(), self.value.as_ref(), &self.headers)
    }
}

/// What a record takes beside its bytes while a lane holds it: the record itself, its headers'
/// list, its places in queues, and the task that works on it (measured on records with ten
/// headers).
const HELD_OVERHEAD: usize = 1_024;

fn payload_bytes(key: Option<&Bytes>, value: Option<&Bytes>, headers: &Headers) -> usize {
    key.map_or(0, Bytes::len) + value.map_or(0, Bytes::len) + headers.bytes()
}
