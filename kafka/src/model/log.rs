//! The log of one partition: records and markers, and how far it can be read.

use longshore_schemas::Timestamp;

use super::transactional_id::ProducerId;
use crate::{Offset, Record};

/// Everything that was ever appended; what lies below `start` counts as deleted.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: Vec<Entry>,
    start: i64,
    /// How many entries there are before the first whose transaction is open: looking for it at
    /// each poll would take most of a simulation's time.
    decided: usize,
}

#[derive(Debug)]
enum Entry {
    Data {
        record: Record,
        fate: Fate,
    },
    /// The end of a transaction. It takes an offset, has a time, and is never delivered.
    Marker {
        at: Timestamp,
    },
}

/// What has become of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Its transaction is open.
    Open(ProducerId),
    /// It counts.
    Committed,
    /// It never happened, though it keeps its offset.
    Aborted,
}

impl Log {
    /// Appends a record and gives it its offset.
    pub(super) fn append(&mut self, record: Record, fate: Fate) -> Offset {
        let offset = self.end();
        self.entries.push(Entry::Data { record: Record { offset, ..record }, fate });
        self.pass_decided();
        offset
    }

    /// Ends the producer's transaction here.
    pub(super) fn mark(&mut self, producer: ProducerId, ended: Fate, at: Timestamp) {
        for entry in &mut self.entries[self.decided..] {
            if let Entry::Data { fate, .. } = entry
                && *fate == Fate::Open(producer)
            {
                *fate = ended;
            }
        }
        self.entries.push(Entry::Marker { at });
        self.pass_decided();
    }

    fn pass_decided(&mut self) {
        let is_open = |entry: &Entry| matches!(entry, Entry::Data { fate: Fate::Open(_), .. });
        let ahead = &self.entries[self.decided..];
        self.decided += ahead.iter().position(is_open).unwrap_or(ahead.len());
    }

    /// Deletes everything below an offset, as retention does.
    pub(super) fn delete_below(&mut self, offset: Offset) {
        self.start = self.start.max(offset.0.min(self.end().0));
    }

    /// The first offset.
    pub(super) fn start(&self) -> Offset {
        Offset(self.start)
    }

    /// Behind the last offset (the high watermark: there are no replicas to wait for).
    pub(super) fn end(&self) -> Offset {
        Offset(i64::try_from(self.entries.len()).unwrap_or(i64::MAX))
    }

    /// Behind everything whose fate is known: the last stable offset.
    pub(super) fn stable_end(&self) -> Offset {
        // What is deleted is decided, or its deletion decides it.
        Offset(i64::try_from(self.decided).unwrap_or(i64::MAX).max(self.start))
    }

    /// The first record at this offset or behind it that a `read_committed` reader gets.
    pub(super) fn next_committed(&self, from: Offset) -> Option<&Record> {
        self.committed_from(from).next()
    }

    /// What a `read_committed` reader gets.
    pub(super) fn committed(&self) -> impl Iterator<Item = &Record> {
        self.committed_from(Offset(self.start))
    }

    /// The same from an offset on.
    pub(super) fn committed_from(&self, from: Offset) -> impl Iterator<Item = &Record> {
        let end = self.stable_end();
        self.data_from(from)
            .take_while(move |(record, _)| record.offset < end)
            .filter(|(_, fate)| *fate == Fate::Committed)
            .map(|(record, _)| record)
    }

    /// What is committed, readable or not, and what these producers have open.
    pub(super) fn decided(&self, committing: &[ProducerId]) -> impl Iterator<Item = &Record> {
        let counts = |fate| match fate {
            Fate::Committed => true,
            Fate::Open(producer) => committing.contains(&producer),
            Fate::Aborted => false,
        };
        self.data().filter(move |(_, fate)| counts(*fate)).map(|(record, _)| record)
    }

    /// What a `read_uncommitted` reader gets: aborted records and those of open transactions too.
    pub(super) fn uncommitted(&self) -> impl Iterator<Item = &Record> {
        self.data().map(|(record, _)| record)
    }

    /// The first offset at this time or later, which may be a marker's; the end of what can be read
    /// if there is none.
    pub(super) fn offset_at(&self, time: Timestamp) -> Offset {
        let late = |entry: &Entry| match entry {
            Entry::Data { record, .. } => record.timestamp.is_some_and(|at| at >= time),
            Entry::Marker { at } => *at >= time,
        };
        let found = self.remaining().position(late).and_then(|it| i64::try_from(it).ok());
        let end = self.stable_end();
        found.map_or(end, |index| Offset(self.start + index).min(end))
    }

    fn remaining(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().skip(usize::try_from(self.start).unwrap_or(0))
    }

    fn data(&self) -> impl Iterator<Item = (&Record, Fate)> {
        self.data_from(Offset(self.start))
    }

    fn data_from(&self, from: Offset) -> impl Iterator<Item = (&Record, Fate)> {
        let from = usize::try_from(from.0.max(self.start)).unwrap_or(0);
        self.entries.get(from..).unwrap_or_default().iter().filter_map(|entry| match entry {
            Entry::Data { record, fate } => Some((record, *fate)),
            Entry::Marker { .. } => None,
        })
    }
}
