//! The records of a stage's input: where there is one, and which key it has.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use longshore_kafka::Record;
use longshore_kafka::reader::Range;
use longshore_schemas::TopicName;

/// Offsets of an input at most, all its partitions together: half a GiB of hashes.
pub(super) const OFFSETS_MAX: u64 = 64 << 20;

/// No record stands here.
const EMPTY: u64 = 0;
/// A record without a key.
const KEYLESS: u64 = 1;

/// An input topic, as committed readers see it.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) topic: TopicName,
    partitions: BTreeMap<i32, Stretch>,
}

/// The part of a partition that was read.
#[derive(Debug)]
struct Stretch {
    from: i64,
    to: i64,
    /// Of each offset from `from` on, the hash of the record's key.
    keys: Vec<u64>,
}

/// What stands at an offset of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A record, at this index from the log's start.
    Record(usize),
    /// None: a transaction's marker, an aborted record, or nothing at all.
    Nothing,
    /// It is deleted: nobody can say.
    Expired,
    /// It was written after the audit began.
    Newer,
}

impl Input {
    /// An input of which these stretches will be read.
    pub(super) fn new(topic: TopicName, ranges: &[Range]) -> Self {
        let stretch =
            |range: &Range| Stretch { from: range.from.0, to: range.to.0, keys: Vec::new() };
        let partitions = ranges.iter().map(|it| (it.partition.0, stretch(it)));
        Self { topic, partitions: partitions.collect() }
    }

    /// Takes note of a record.
    pub(super) fn take(&mut self, record: &Record) {
        let Some(stretch) = self.partitions.get_mut(&record.partition.0) else {
            return;
        };
        let Ok(index) = usize::try_from(record.offset.0 - stretch.from) else {
            return;
        };
        if index >= stretch.keys.len() {
            stretch.keys.resize(index + 1, EMPTY);
        }
        stretch.keys[index] = record.key.as_ref().map_or(KEYLESS, hash_of);
    }

    /// What stands there.
    pub(super) fn find(&self, partition: i32, offset: i64) -> Found {
        let Some(stretch) = self.partitions.get(&partition) else {
            return Found::Nothing;
        };
        if offset >= stretch.to {
            return Found::Newer;
        }
        let Ok(index) = usize::try_from(offset - stretch.from) else {
            return Found::Expired;
        };
        match stretch.keys.get(index) {
            None | Some(&EMPTY) => Found::Nothing,
            Some(_) => Found::Record(index),
        }
    }

    /// The hash of the key of the record at `index`, if it has one.
    pub(super) fn key(&self, partition: i32, index: usize) -> Option<u64> {
        let key = *self.partitions.get(&partition)?.keys.get(index)?;
        (key > KEYLESS).then_some(key)
    }

    /// Every record: its partition, its offset and its index from the log's start.
    pub(super) fn records(&self) -> impl Iterator<Item = (i32, i64, usize)> {
        self.partitions.iter().flat_map(|(partition, stretch)| {
            let keys = stretch.keys.iter().enumerate();
            keys.filter(|(_, key)| **key != EMPTY)
                .map(|(index, _)| (*partition, stretch.from + index as i64, index))
        })
    }
}

/// Two keys of one hash would be held for one: among ten million keys that happens once in half a
/// million audits.
pub(super) fn hash_of(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish().max(KEYLESS + 1)
}
