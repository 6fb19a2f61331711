//! The inbox's tail: how much stands between two offsets, and since when.

use std::collections::VecDeque;

use longshore_schemas::Timestamp;
use longshore_schemas::records::{Expect, InboxRecord};

use super::parts::{Slot, content_bytes};

/// What a record takes beside its content: its headers and ids, in the inbox as in the journal.
pub(super) const RECORD_BYTES: usize = 64;
/// Marks that are kept; then every other one is dropped.
const MARKS_MAX: usize = 4_096;

/// What has been absorbed since `low`, in as few marks as will do.
#[derive(Debug)]
pub(super) struct Tail {
    marks: VecDeque<Mark>,
    /// Marks stand at least this many offsets apart.
    stride: i64,
    /// Of all records so far.
    bytes: u64,
}

/// A record of the inbox.
#[derive(Clone, Copy, Debug)]
struct Mark {
    offset: i64,
    /// Of all records before it.
    before: u64,
    appended: Timestamp,
}

impl Default for Tail {
    fn default() -> Self {
        Self { marks: VecDeque::new(), stride: 1, bytes: 0 }
    }
}

impl Tail {
    /// Takes note of a record.
    pub(super) fn add(&mut self, offset: i64, appended: Timestamp, bytes: usize) {
        if self.marks.back().is_none_or(|last| offset - last.offset >= self.stride) {
            self.marks.push_back(Mark { offset, before: self.bytes, appended });
        }
        self.bytes += bytes as u64;
        if self.marks.len() > MARKS_MAX {
            self.stride = self.stride.saturating_mul(2);
            let mut index = 0;
            self.marks.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
    }

    /// Nobody asks for what lies before `low` any more.
    pub(super) fn prune(&mut self, low: i64) {
        while self.marks.get(1).is_some_and(|mark| mark.offset <= low) {
            self.marks.pop_front();
        }
        if self.marks.len() <= 1 {
            self.stride = 1;
        }
    }

    /// How many bytes the records from `from` to before `to` took, or less; without `to` all of
    /// them.
    pub(super) fn bytes_between(&self, from: i64, to: Option<i64>) -> u64 {
        let at = |index: usize| self.marks.get(index).map_or(self.bytes, |mark| mark.before);
        let begin = at(self.marks.partition_point(|mark| mark.offset < from));
        let end = to.map_or(self.bytes, |to| {
            let behind = self.marks.partition_point(|mark| mark.offset <= to);
            behind.checked_sub(1).map_or(0, at)
        });
        end.saturating_sub(begin)
    }

    /// When the record at `offset` was appended, or earlier; none if there is no record so old.
    pub(super) fn appended(&self, offset: i64) -> Option<Timestamp> {
        let behind = self.marks.partition_point(|mark| mark.offset <= offset);
        self.marks.get(behind.saturating_sub(1)).map(|mark| mark.appended)
    }
}

/// What an inbox record takes, as far as a group that carries it has to write it again.
pub(super) fn record_bytes(record: &InboxRecord) -> usize {
    RECORD_BYTES
        + match record {
            InboxRecord::Open(opening) => match &opening.expect {
                Expect::Parts(parts) => parts.len() * size_of::<Slot>(),
                Expect::Count(_) | Expect::OpenEnded => 0,
            },
            InboxRecord::Outcome(outcome) => {
                content_bytes(outcome.payload.as_ref(), outcome.error.as_ref())
            }
            InboxRecord::Seal(_) | InboxRecord::Tick(_) => 0,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(records: i64) -> Tail {
        let mut tail = Tail::default();
        for offset in 0..records {
            tail.add(offset, Timestamp(offset * 2), 10);
        }
        tail
    }

    #[test]
    fn a_short_tail_is_known_to_the_byte() {
        let tail = tail(100);
        assert_eq!(tail.bytes_between(10, Some(15)), 50);
        assert_eq!(tail.bytes_between(90, None), 100);
        assert_eq!((tail.bytes_between(15, Some(10)), tail.bytes_between(100, None)), (0, 0));
        assert_eq!(tail.appended(7), Some(Timestamp(14)));
        assert_eq!(Tail::default().appended(7), None);
    }

    #[test]
    fn a_long_one_is_bounded_and_never_said_to_be_longer_than_it_is() {
        let mut tail = tail(1_000_000);
        assert!(tail.marks.len() <= MARKS_MAX + 1);
        let bytes = tail.bytes_between(300_001, Some(800_001));
        assert!((4_980_000..=5_000_000).contains(&bytes), "{bytes}");
        assert!(tail.appended(500_001).is_some_and(|time| time <= Timestamp(1_000_002)));
        tail.prune(999_999);
        assert!(tail.marks.len() <= 2, "{}", tail.marks.len());
    }
}
