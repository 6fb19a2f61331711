//! True lag: how many records of a partition aren't finished, exactly where that can be known.

use longshore_kafka::admin::{Isolation, Stability};
use longshore_kafka::reader::{Range, Reader};
use longshore_kafka::{Offset, Partition, Record};
use longshore_schemas::Timestamp;
use serde::Serialize;

use super::consumer::Consumer;
use super::error::InspectError;
use super::observer::{Observer, PATIENCE};
use super::standing::Standing;

/// Records between position and end are counted one by one if they lie within this many offsets:
/// more would take longer than people wait, and the bound is then close enough.
const COUNTED_SPAN: u64 = 20_000;

/// The lag of a stage or join.
#[derive(Clone, Debug, Serialize)]
pub struct Lag {
    /// Its name.
    pub name: String,
    /// Its consumer group.
    pub group: String,
    /// What it reads.
    pub topic: String,
    /// Each partition of that.
    pub partitions: Vec<PartitionLag>,
    /// The next unfinished record of the partition with the most unfinished ones.
    pub worst: Option<Worst>,
}

/// The lag of one partition.
#[derive(Clone, Debug, Serialize)]
pub struct PartitionLag {
    /// Which.
    pub partition: i32,
    /// The next offset that isn't finished.
    pub position: Option<i64>,
    /// The end of what committed readers can read.
    pub end: i64,
    /// Records that aren't finished.
    pub unfinished: Unfinished,
}

/// How many records aren't finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unfinished {
    /// So many.
    Exactly(u64),
    /// So many, or fewer: transaction markers, aborted and compacted records among the offsets are
    /// counted too.
    AtMost(u64),
    /// It can't be known, for this reason. Not zero.
    Unknown(String),
}

/// The next unfinished record of a partition.
#[derive(Clone, Debug, Serialize)]
pub struct Worst {
    /// Which partition.
    pub partition: i32,
    /// The record's offset.
    pub offset: i64,
    /// Its key, as far as it is text.
    pub key: Option<String>,
    /// How long ago it was written.
    pub age_ms: Option<u64>,
    /// How many offsets lie between the log's start and it: once the log's start passes it, it is
    /// lost.
    pub log_start_offsets: i64,
    /// How much younger than the first record that is still there it is.
    pub log_start_ms: Option<u64>,
}

/// The lag of a consumer.
pub fn lag(observer: &Observer, consumer: &Consumer) -> Result<Lag, InspectError> {
    let mut standings = observer.standings(consumer, Stability::AsWritten)?;
    standings.sort_unstable_by_key(|it| it.partition);
    let mut unfinished: Vec<_> = standings.iter().map(bound).collect();
    let mut reader = observer.reader(&consumer.topic, Isolation::Committed)?;
    count(&mut reader, &standings, &mut unfinished)?;
    let worst = match worst(&unfinished) {
        Some(index) => look_at(&mut reader, &standings[index])?,
        None => None,
    };
    let partitions = standings.iter().zip(unfinished).map(partition_lag);
    Ok(Lag {
        name: consumer.name.to_string(),
        group: consumer.group.clone(),
        topic: consumer.topic.to_string(),
        partitions: partitions.collect(),
        worst,
    })
}

/// What progress and the log's bounds alone say: cheap, and zero is exact.
pub fn bound(standing: &Standing) -> Unfinished {
    let log = &standing.log;
    let Some(position) = standing.progress.position() else {
        return Unfinished::Unknown("no committed progress".to_owned());
    };
    if position < log.log_start {
        let start = log.log_start;
        return Unfinished::Unknown(format!("records {position} to {start} expired unread"));
    }
    if position > log.high {
        return Unfinished::Unknown(format!("the log was truncated at {}", log.high));
    }
    let end = log.last_stable;
    let span = offsets(position, end);
    let ahead = standing.progress.finished().map_or(0, |map| {
        let within = map.ranges().map(|(from, to)| offsets(from, to.min(end)));
        within.sum()
    });
    match span.saturating_sub(ahead) {
        0 => Unfinished::Exactly(0),
        most => Unfinished::AtMost(most),
    }
}

fn offsets(from: Offset, to: Offset) -> u64 {
    u64::try_from(to.0 - from.0).unwrap_or(0)
}

/// Counts the records of those partitions where few offsets are left.
fn count(
    reader: &mut Reader,
    standings: &[Standing],
    unfinished: &mut [Unfinished],
) -> Result<(), InspectError> {
    let near = |standing: &&Standing| {
        let span = rest(standing).map(|it| offsets(it.from, it.to));
        span.is_some_and(|span| span <= COUNTED_SPAN)
    };
    let at_most = |it: &Unfinished| matches!(it, Unfinished::AtMost(_));
    let pairs = standings.iter().zip(unfinished.iter_mut());
    let mut open: Vec<_> = pairs.filter(|(standing, it)| at_most(it) && near(standing)).collect();
    let ranges: Vec<_> = open.iter().filter_map(|(it, _)| rest(it)).collect();
    for (_, unfinished) in &mut open {
        **unfinished = Unfinished::Exactly(0);
    }
    for record in reader.read(&ranges, PATIENCE)? {
        let record = record?;
        for (standing, unfinished) in &mut open {
            if standing.partition == record.partition
                && is_open(standing, &record)
                && let Unfinished::Exactly(count) = unfinished
            {
                *count += 1;
            }
        }
    }
    Ok(())
}

/// From the position to the end of what can be read now: open transactions aren't waited for.
fn rest(standing: &Standing) -> Option<Range> {
    let from = standing.progress.position()?;
    Some(Range { partition: standing.partition, from, to: standing.log.last_stable })
}

fn is_open(standing: &Standing, record: &Record) -> bool {
    standing.progress.finishes(record.offset) != Some(true)
}

fn worst(unfinished: &[Unfinished]) -> Option<usize> {
    let count = |it: &Unfinished| match it {
        Unfinished::Exactly(count) | Unfinished::AtMost(count) => *count,
        Unfinished::Unknown(_) => 0,
    };
    let counted = unfinished.iter().map(count).enumerate();
    let (index, most) = counted.max_by_key(|&(_, count)| count)?;
    (most > 0).then_some(index)
}

fn look_at(reader: &mut Reader, standing: &Standing) -> Result<Option<Worst>, InspectError> {
    let Some(rest) = rest(standing) else {
        return Ok(None);
    };
    let is_next = |record: &Record| is_open(standing, record);
    let Some(next) = first(reader, rest, is_next)? else {
        return Ok(None);
    };
    let whole = Range { from: standing.log.log_start, ..rest };
    let oldest = first(reader, whole, |_| true)?;
    Ok(Some(told(standing, &next, oldest.as_ref(), Timestamp::now())))
}

fn first(
    reader: &mut Reader,
    range: Range,
    wanted: impl Fn(&Record) -> bool,
) -> Result<Option<Record>, InspectError> {
    for record in reader.read(&[range], PATIENCE)? {
        let record = record?;
        if wanted(&record) {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

fn told(standing: &Standing, next: &Record, oldest: Option<&Record>, now: Timestamp) -> Worst {
    let since = |later: Timestamp, earlier: Timestamp| {
        u64::try_from(later.since(earlier).as_millis()).unwrap_or(u64::MAX)
    };
    let of_oldest = oldest.and_then(|it| it.timestamp);
    Worst {
        partition: next.partition.0,
        offset: next.offset.0,
        key: next.key.as_ref().map(|key| shown(key)),
        age_ms: next.timestamp.map(|it| since(now, it)),
        log_start_offsets: next.offset.0 - standing.log.log_start.0,
        log_start_ms: next.timestamp.zip(of_oldest).map(|(it, of)| since(it, of)),
    }
}

/// A key as people read it.
pub(crate) fn shown(key: &[u8]) -> String {
    String::from_utf8_lossy(key).chars().take(80).flat_map(char::escape_debug).collect()
}

fn partition_lag((standing, unfinished): (&Standing, Unfinished)) -> PartitionLag {
    let Partition(partition) = standing.partition;
    PartitionLag {
        partition,
        position: standing.progress.position().map(|it| it.0),
        end: standing.log.last_stable.0,
        unfinished,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::standing::Progress;
    use crate::inspect::standing::tests::{ours, standing};

    #[test]
    fn what_bounds_and_progress_say_alone() {
        let plain = |offset| Progress::Plain(Offset(offset));
        let unknown = |reason: &str| Unfinished::Unknown(reason.to_owned());
        let table = [
            (0, 100, plain(100), Unfinished::Exactly(0)),
            (0, 100, plain(40), Unfinished::AtMost(60)),
            (0, 100, ours(40, &[(50, 60), (70, 71)]), Unfinished::AtMost(49)),
            (0, 100, ours(90, &[(91, 100)]), Unfinished::AtMost(1)),
            (0, 0, Progress::None, unknown("no committed progress")),
            (50, 100, plain(40), unknown("records 40 to 50 expired unread")),
            (0, 100, plain(101), unknown("the log was truncated at 100")),
        ];
        for (start, end, progress, expected) in table {
            assert_eq!(bound(&standing(start, end, progress)), expected);
        }
    }

    #[test]
    fn finished_offsets_behind_an_open_transaction_are_not_taken_off() {
        let mut standing = standing(0, 100, ours(10, &[(20, 30)]));
        standing.log.last_stable = Offset(25);
        assert_eq!(bound(&standing), Unfinished::AtMost(10));
    }

    #[test]
    fn the_worst_partition_is_the_one_with_the_most_and_an_unknown_one_is_none() {
        let unknown = Unfinished::Unknown("x".into());
        assert_eq!(worst(&[Unfinished::Exactly(0), unknown.clone()]), None);
        let known = [Unfinished::Exactly(3), unknown, Unfinished::AtMost(9)];
        assert_eq!(worst(&known), Some(2));
    }
}
