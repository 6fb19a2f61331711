//! The inputs: which stretches of them were read, and so what it means that no item was found.

use std::collections::BTreeMap;

use longshore_kafka::reader::Range;
use longshore_schemas::TopicName;

use super::facts::Spot;

/// An input topic, as committed readers see it.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) topic: TopicName,
    stretches: BTreeMap<i32, Range>,
}

/// What it means that no record was found at an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    /// None was committed: a transaction's marker, an aborted record, or nothing at all.
    Never,
    /// It is deleted: nobody can say.
    Expired,
    /// It was written after the audit began.
    Newer,
}

impl Input {
    pub(super) fn new(topic: TopicName) -> Self {
        Self { topic, stretches: BTreeMap::new() }
    }

    /// These stretches are read.
    pub(super) fn reads(&mut self, ranges: &[Range]) {
        self.stretches = ranges.iter().map(|it| (it.partition.0, *it)).collect();
    }

    /// Why there is no record at this spot.
    pub(super) fn absent(&self, spot: Spot) -> Absent {
        match self.stretches.get(&spot.partition) {
            None => Absent::Never,
            Some(stretch) if spot.offset >= stretch.to.0 => Absent::Newer,
            Some(stretch) if spot.offset < stretch.from.0 => Absent::Expired,
            Some(_) => Absent::Never,
        }
    }
}
