//! The journal: read on a thread of its own when a partition is taken over, and remembered by where
//! it stood.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use longshore_kafka::admin::Isolation;
use longshore_kafka::reader::{Range, ReadError, ReadFrom, Reader};
use longshore_kafka::{Offset, Partition, Settings};
use longshore_schemas::records::JournalRecord;
use longshore_schemas::{GroupId, Timestamp, TopicName};

/// A dead owner's open transaction is waited for as long as the broker lets it live.
const PATIENCE: Duration = Duration::from_secs(60);
/// Marks of the journal's end that are kept; then every other one is dropped.
const MARKS_MAX: usize = 4_096;

/// Which part of a journal's partition is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalFrom {
    /// From this offset on,
    pub offset: i64,
    /// or from the first record of this time, whichever is older.
    pub since: Option<Timestamp>,
}

/// What the journal says.
#[derive(Clone, Debug, Default)]
pub struct JournalRead {
    /// The records, in order.
    pub records: Vec<JournalRecord>,
    /// Where the journal ended.
    pub end: i64,
}

/// Why a journal isn't known.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It has fewer partitions than the inbox.
    #[error("journal {topic} has no partition {partition}: give it as many as its inbox")]
    NoPartition {
        /// The journal.
        topic: TopicName,
        /// What it lacks.
        partition: Partition,
    },
    /// Somebody else writes to it.
    #[error("journal {topic}/{partition}/{offset} holds a record that is none of ours: {reason}")]
    Foreign {
        /// The journal.
        topic: TopicName,
        /// Where in it.
        partition: Partition,
        /// Where in the partition.
        offset: Offset,
        /// What it is instead.
        reason: String,
    },
    /// A defect of ours.
    #[error("reading journal {topic}/{partition} panicked: please report it with the log")]
    Panicked {
        /// The journal.
        topic: TopicName,
        /// Where in it.
        partition: Partition,
    },
}

impl JournalError {
    /// Whether the journal may be read a while later, with nobody's help.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Read(error) if error.may_pass())
    }
}

/// Reads a partition of the journal up to the end that was written when this began: transactions
/// that are open below it are waited for, not under-read.
pub fn read(
    settings: &Settings,
    topic: &TopicName,
    partition: Partition,
    from: JournalFrom,
) -> Result<JournalRead, JournalError> {
    let mut reader = Reader::open(settings, topic, Isolation::Committed)?;
    let all = range_of(&reader, &ReadFrom::LogStart, partition)?;
    let since = from.since.map(|since| range_of(&reader, &ReadFrom::Time(since), partition));
    let since = since.transpose()?.map(|range| range.from);
    let range = Range { from: begin(Offset(from.offset), since, &all), ..all };
    let mut kept = Kept::default();
    for record in reader.read(&[range], PATIENCE)? {
        let record = record?;
        let decoded = match &record.value {
            Some(value) => JournalRecord::decode(value).map_err(|error| error.to_string()),
            None => Err("it has no value".to_owned()),
        };
        let (topic, offset) = (topic.clone(), record.offset);
        kept.take(decoded.map_err(|reason| JournalError::Foreign {
            topic,
            partition,
            offset,
            reason,
        })?);
    }
    Ok(JournalRead { records: kept.into_records(), end: range.to.0 })
}

/// Where to begin in a journal that has all this: at the offset, or where the time begins if that
/// is older. What expired is older than anything that is still waited for: the journal keeps twice
/// that.
fn begin(offset: Offset, since: Option<Offset>, all: &Range) -> Offset {
    since.map_or(offset, |since| since.min(offset)).clamp(all.from, all.to)
}

/// The records of a journal without those that later ones make void: what was carried of a group
/// that closed since, or was carried again. So what is read takes no more memory than what is open.
#[derive(Default)]
struct Kept {
    records: Vec<Option<JournalRecord>>,
    carried: HashMap<GroupId, Vec<usize>>,
}

impl Kept {
    fn take(&mut self, record: JournalRecord) {
        match &record {
            JournalRecord::Closed(closed) => self.void(&closed.group_id),
            JournalRecord::Carried(carried) => {
                let group_id = carried.opening.group_id.clone();
                if !carried.continues {
                    self.void(&group_id);
                }
                self.carried.entry(group_id).or_default().push(self.records.len());
            }
            JournalRecord::Orphaned(_) | JournalRecord::Reopened(_) => {}
        }
        self.records.push(Some(record));
    }

    fn void(&mut self, group_id: &GroupId) {
        for index in self.carried.remove(group_id).unwrap_or_default() {
            self.records[index] = None;
        }
    }

    fn into_records(self) -> Vec<JournalRecord> {
        self.records.into_iter().flatten().collect()
    }
}

/// What belongs to other partitions isn't asked for: they may be without a leader.
fn range_of(reader: &Reader, from: &ReadFrom, partition: Partition) -> Result<Range, JournalError> {
    match reader.range_in(partition, from) {
        Err(ReadError::NoPartition { topic, partition }) => {
            Err(JournalError::NoPartition { topic, partition })
        }
        found => Ok(found?),
    }
}

/// Where the journal and the watermark stood when which inbox record was absorbed.
#[derive(Debug)]
pub struct JournalMarks {
    /// All three ascend.
    marks: VecDeque<JournalMark>,
}

/// Inbox records from an offset on were absorbed after the journal had come to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalMark {
    /// The first of these inbox records.
    pub from: i64,
    /// That end.
    pub end: i64,
    /// The watermark by then.
    pub watermark: Timestamp,
}

impl JournalMarks {
    /// All that is known at first.
    pub fn new(first: JournalMark) -> Self {
        Self { marks: VecDeque::from([first]) }
    }

    /// The journal has come further.
    pub fn advance(&mut self, mark: JournalMark) {
        if self.marks.back().is_some_and(|known| mark.end <= known.end) {
            return;
        }
        if self.marks.len() >= MARKS_MAX {
            // An older end is read from too early, never too late.
            let mut index = 0;
            self.marks.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
        self.marks.push_back(mark);
    }

    /// Where both stood, or before, when all below `low` was absorbed, and the record at `low` not
    /// yet. A group that was carried at `low` was so by then or later: a mark of `low` itself may
    /// stand behind what the journal says of it.
    pub fn at(&self, low: i64) -> Option<JournalMark> {
        let behind = self.marks.partition_point(|mark| mark.from < low);
        self.marks.get(behind.saturating_sub(1)).copied()
    }

    /// `low` is committed: nobody asks for what lies before it any more.
    pub fn prune(&mut self, low: i64) {
        while self.marks.get(1).is_some_and(|mark| mark.from < low) {
            self.marks.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use longshore_schemas::Revision;
    use longshore_schemas::records::{Carried, Expect, GroupOpen};

    use super::*;
    use crate::fixture;

    #[test]
    fn a_journal_is_read_from_its_offset_or_its_time_whichever_is_older() {
        let all = Range { partition: Partition(0), from: Offset(10), to: Offset(90) };
        for (offset, since, expected) in [
            (50, None, 50),
            (50, Some(30), 30),
            (50, Some(70), 50),
            (5, Some(70), 10),
            (50, Some(5), 10),
            (95, None, 90),
        ] {
            assert_eq!(begin(Offset(offset), since.map(Offset), &all), Offset(expected));
        }
    }

    /// `a` is what was carried of a group, `+a` more of it, and `!a` its closing.
    fn record(word: &str) -> JournalRecord {
        let (name, continues) = (word.trim_start_matches(['+', '!']), word.starts_with('+'));
        let group_id = GroupId::from(name);
        if word.starts_with('!') {
            return JournalRecord::Closed(fixture::closing(group_id).closed);
        }
        JournalRecord::Carried(Carried {
            opening: GroupOpen {
                group_id,
                run_id: None,
                revision: Revision::FIRST,
                opened_at: Timestamp(0),
                timeout: Duration::ZERO,
                expect: Expect::OpenEnded,
                parent: None,
            },
            deadline: Timestamp(0),
            carried_at: 0,
            parts: Vec::new(),
            opened_offset: None,
            total: None,
            duplicates: 0,
            continues,
        })
    }

    fn word(record: &JournalRecord) -> String {
        match record {
            JournalRecord::Closed(closed) => format!("!{}", closed.group_id),
            JournalRecord::Carried(carried) => {
                let more = if carried.continues { "+" } else { "" };
                format!("{more}{}", carried.opening.group_id)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_carried_is_kept_whole_until_its_group_closes_or_is_carried_again() {
        for (read, kept) in [
            ("a +a +a", "a +a +a"),
            ("a b +a +b", "a b +a +b"),
            ("a +a +a a +a", "a +a"),
            ("a +a b !a", "b !a"),
            ("!a a +a", "!a a +a"),
            ("+a b", "+a b"),
        ] {
            let mut left = Kept::default();
            read.split_whitespace().for_each(|it| left.take(record(it)));
            let left: Vec<_> = left.into_records().iter().map(word).collect();
            assert_eq!(left.join(" "), kept, "of {read}");
        }
    }

    fn mark(from: i64, end: i64) -> JournalMark {
        JournalMark { from, end, watermark: Timestamp(from * 10) }
    }

    #[test]
    fn the_journal_is_read_from_where_it_stood_at_low() {
        let mut marks = JournalMarks::new(mark(100, 7));
        marks.advance(mark(150, 9));
        marks.advance(mark(160, 9));
        marks.advance(mark(200, 30));
        assert_eq!(marks.at(100), Some(mark(100, 7)));
        assert_eq!(marks.at(149), Some(mark(100, 7)));
        assert_eq!(marks.at(170), Some(mark(150, 9)));
        assert_eq!(marks.at(200), Some(mark(150, 9)), "what was carried at 200 stands before 30");
        assert_eq!(marks.at(201), Some(mark(200, 30)));
        assert_eq!(marks.at(100), Some(mark(100, 7)), "a transaction that failed asks again");
        marks.prune(200);
        assert_eq!(marks.at(200), Some(mark(150, 9)));
    }

    #[test]
    fn marks_are_bounded_and_err_on_the_early_side() {
        let mut marks = JournalMarks::new(mark(0, 0));
        for step in 1..100_000 {
            marks.advance(mark(step * 10, step));
        }
        assert!(marks.marks.len() <= MARKS_MAX + 1);
        assert!(marks.at(500_000).is_some_and(|mark| mark.end <= 50_000));
    }
}
