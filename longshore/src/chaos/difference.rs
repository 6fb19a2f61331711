//! Whether both runs came to the same outputs. What is remembered of each record is sorted on disk,
//! so memory doesn't grow with topics.

use std::collections::BTreeSet;
use std::fmt;

use longshore_kafka::admin::Isolation;
use longshore_kafka::reader::Range;
use longshore_kafka::{Offset, Partition, Record};
use longshore_schemas::records::{Counts, GroupResult};
use longshore_schemas::{Codec, TopicName};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::audit::sorter::{Sorted, Sorter};
use crate::audit::state_dir::StateDir;
use crate::inspect::{InspectError, Observer, PATIENCE};
use crate::pipeline::{Destination, Pipeline};

/// Bytes of a value that are shown.
const SHOWN_BYTES: usize = 120;

/// What must be the same in both runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Compare {
    /// Keys and values of outputs and dead letters, and what groups came to, byte for byte
    Values,
    /// Their keys, each as often, for handlers whose values tell the time
    Keys,
    /// Nothing: there is no run in peace
    None,
}

/// How the outputs of the runs differ.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Difference {
    /// Records that were compared, of the run in peace.
    pub compared: u64,
    /// Records that the run under faults lacks.
    pub missing: u64,
    /// Records that it has beyond the other's.
    pub surplus: u64,
    /// The first of both, for people.
    pub shown: Vec<String>,
}

/// Which run a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Run {
    Peace,
    Faults,
}

/// What is remembered of a record: what must be the same, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Seen {
    content: [u8; 16],
    run: Run,
    topic: u16,
    partition: i32,
    offset: i64,
}

/// Compares what the run in peace and the run under faults have written.
pub(super) fn compare(
    runs: [&Observer; 2],
    pipeline: &Pipeline,
    what: Compare,
    shown: usize,
) -> Result<Difference, InspectError> {
    let state = StateDir::create(None)?;
    let mut sorter = Sorter::new(&state, "outputs", 0)?;
    let topics = Topics::of(pipeline);
    for (run, observer) in [Run::Peace, Run::Faults].into_iter().zip(runs) {
        topics.read(observer, what, |seen| sorter.take(Seen { run, ..seen }))?;
    }
    let (mut difference, places) = differing(&mut sorter.sorted()?, shown)?;
    for place in places {
        let observer = runs[usize::from(place.run == Run::Faults)];
        difference.shown.push(topics.show(observer, &place)?);
    }
    Ok(difference)
}

/// Goes through what was seen, content by content.
fn differing(
    sorted: &mut Sorted<Seen>,
    shown: usize,
) -> Result<(Difference, Vec<Seen>), InspectError> {
    let (mut difference, mut places) = (Difference::default(), Vec::new());
    let mut next = sorted.next()?;
    while let Some(first) = next {
        let content = first.content;
        let mut alike = [Vec::new(), Vec::new()];
        let mut one = Some(first);
        while let Some(seen) = one.take_if(|it| it.content == content) {
            alike[usize::from(seen.run == Run::Faults)].push(seen);
            one = sorted.next()?;
        }
        next = one;
        let [peace, faults] = alike;
        difference.compared += peace.len() as u64;
        let (missing, surplus) =
            (peace.len().saturating_sub(faults.len()), faults.len().saturating_sub(peace.len()));
        difference.missing += missing as u64;
        difference.surplus += surplus as u64;
        // Of records that are alike nobody can say which one is missing: the last ones are shown.
        let odd =
            peace.into_iter().rev().take(missing).chain(faults.into_iter().rev().take(surplus));
        let room = shown.saturating_sub(places.len());
        places.extend(odd.take(room));
    }
    Ok((difference, places))
}

/// The topics that a pipeline's results stand in.
struct Topics {
    names: Vec<TopicName>,
    results: BTreeSet<TopicName>,
}

impl Topics {
    fn of(pipeline: &Pipeline) -> Self {
        let stages = pipeline.stages().iter();
        let sinks = stages.clone().filter(|it| matches!(it.to, Destination::Sink(_)));
        let sinks = sinks.map(|it| pipeline.output(it));
        let dead_letters = stages.map(|it| pipeline.stage_dead_letters(it));
        let results: BTreeSet<_> = pipeline.joins().iter().map(|it| pipeline.results(it)).collect();
        let names: BTreeSet<_> = sinks.chain(dead_letters).chain(results.clone()).collect();
        Self { names: names.into_iter().collect(), results }
    }

    fn read(
        &self,
        observer: &Observer,
        what: Compare,
        mut take: impl FnMut(Seen) -> Result<(), InspectError>,
    ) -> Result<(), InspectError> {
        for (topic, name) in (0_u16..).zip(&self.names) {
            let mut reader = observer.reader(name, Isolation::Committed)?;
            for record in reader.read_all(PATIENCE)? {
                let record = record?;
                take(Seen {
                    content: self.content(&record, what),
                    run: Run::Peace,
                    topic,
                    partition: record.partition.0,
                    offset: record.offset.0,
                })?;
            }
        }
        Ok(())
    }

    /// What must be the same, in few bytes.
    fn content(&self, record: &Record, what: Compare) -> [u8; 16] {
        let mut content = Sha256::new();
        let mut add = |part: Option<&[u8]>| {
            let length = part.map_or(u64::MAX, |part| part.len() as u64);
            content.update(length.to_le_bytes());
            content.update(part.unwrap_or_default());
        };
        add(Some(record.topic.as_str().as_bytes()));
        match self.result(record) {
            // Its key and its group are the place of the item that opened it.
            Some(result) => {
                add(Some(format!("{:?}", result.status).as_bytes()));
                if what == Compare::Values {
                    let counts = Counts { duplicate: 0, ..result.counts };
                    let told = (counts, &result.missing, &result.error);
                    add(Some(format!("{told:?}").as_bytes()));
                    add(result.payload.as_deref());
                }
            }
            None => {
                add(record.key.as_deref());
                if what == Compare::Values {
                    add(record.value.as_deref());
                }
            }
        }
        let mut short = [0; 16];
        short.copy_from_slice(&content.finalize()[..16]);
        short
    }

    fn result(&self, record: &Record) -> Option<GroupResult> {
        let value = record.value.as_deref().filter(|_| self.results.contains(&record.topic))?;
        Codec::<GroupResult>::shared().ok()?.decode(value).ok()
    }

    /// A record, for people.
    fn show(&self, observer: &Observer, seen: &Seen) -> Result<String, InspectError> {
        let name = &self.names[usize::from(seen.topic)];
        let (partition, from) = (Partition(seen.partition), Offset(seen.offset));
        let range = Range { partition, from, to: from.next() };
        let mut reader = observer.reader(name, Isolation::Committed)?;
        let record = reader.read(&[range], PATIENCE)?.next().transpose()?;
        let Some(record) = record else { return Ok(format!("{name}: gone meanwhile")) };
        let what = match seen.run {
            Run::Peace => "missing under faults",
            Run::Faults => "only under faults",
        };
        let key = record.key.as_deref().map_or("none".to_owned(), text);
        let value = match self.result(&record) {
            Some(result) => {
                format!("{:?} {}", result.status, text(&result.payload.unwrap_or_default()))
            }
            None => record.value.as_deref().map_or("none".to_owned(), text),
        };
        Ok(format!("{what}: {name}/{partition}/{from}, key {key}, value {value}"))
    }
}

/// Bytes as far as they are text, and not too many of them.
fn text(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(SHOWN_BYTES)];
    let more = if shown.len() < bytes.len() { "..." } else { "" };
    format!("{:?}{more}", String::from_utf8_lossy(shown))
}

impl Difference {
    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        self.missing == 0 && self.surplus == 0
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { compared, missing, surplus, shown } = self;
        writeln!(
            f,
            "outputs: {compared} compared, {missing} missing under faults, {surplus} only under \
             faults"
        )?;
        shown.iter().try_for_each(|it| writeln!(f, "differs: {it}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(content: u8, run: Run, offset: i64) -> Seen {
        Seen { content: [content; 16], run, topic: 0, partition: 0, offset }
    }

    fn difference(all: &[Seen], shown: usize) -> (Difference, Vec<Seen>) {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::create(Some(folder.path())).unwrap();
        let mut sorter = Sorter::new(&state, "outputs", 0).unwrap();
        all.iter().for_each(|it| sorter.take(it.clone()).unwrap());
        differing(&mut sorter.sorted().unwrap(), shown).unwrap()
    }

    #[test]
    fn runs_that_wrote_the_same_in_another_order_do_not_differ() {
        let all = [
            seen(1, Run::Peace, 0),
            seen(2, Run::Peace, 1),
            seen(2, Run::Peace, 2),
            seen(2, Run::Faults, 0),
            seen(1, Run::Faults, 1),
            seen(2, Run::Faults, 2),
        ];
        let (difference, places) = difference(&all, 10);
        assert!(difference.is_none() && places.is_empty(), "{difference}");
        assert_eq!(difference.compared, 3);
    }

    #[test]
    fn what_is_missing_and_what_is_too_much_is_counted_and_the_first_of_it_is_shown() {
        let all = [
            seen(1, Run::Peace, 0),
            seen(2, Run::Peace, 1),
            seen(2, Run::Faults, 5),
            seen(2, Run::Faults, 6),
            seen(3, Run::Faults, 7),
        ];
        let (found, places) = difference(&all, 10);
        assert_eq!((found.missing, found.surplus), (1, 2));
        let expected = [seen(1, Run::Peace, 0), seen(2, Run::Faults, 6), seen(3, Run::Faults, 7)];
        assert_eq!(places, expected);
        assert_eq!(difference(&all, 1).1.len(), 1);
    }

    #[test]
    fn what_is_no_text_is_shown_all_the_same_and_not_all_of_it() {
        assert_eq!(text(b"a\"b"), r#""a\"b""#);
        assert!(text(&[0xff; 500]).ends_with("..."));
    }
}
