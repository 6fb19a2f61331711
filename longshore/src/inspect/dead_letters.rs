//! Dead letters: which items were given up, why, where and when.

use std::collections::VecDeque;

use longshore_kafka::Record;
use longshore_kafka::admin::Isolation;
use longshore_schemas::headers::{
    ATTEMPTS, ERROR_CLASS, ERROR_MESSAGE, FAILED_AT, LINE, ORIGIN, SOURCE, STAGE,
};
use longshore_schemas::{Headers, StageName, Timestamp, TopicName};
use serde::Serialize;

use super::error::InspectError;
use super::lag::shown;
use super::observer::{Observer, PATIENCE};
use crate::pipeline::Pipeline;

/// A dead letter. What its headers don't say is none: others may write dead letters too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// The topic it is in.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// The kind of error.
    pub class: Option<String>,
    /// What happened.
    pub message: Option<String>,
    /// The record that failed, or the file and line.
    pub origin: Option<String>,
    /// The stage that gave up.
    pub stage: Option<String>,
    /// How many attempts were made.
    pub attempts: Option<u32>,
    /// When, in milliseconds since 1970.
    pub failed_at_ms: Option<i64>,
    /// The item's key, as far as it is text.
    pub key: Option<String>,
}

/// The newest of the dead letters that are wanted, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Newest {
    /// All that are wanted.
    pub count: u64,
    /// The last ones, the oldest of them first.
    pub letters: Vec<DeadLetter>,
}

/// The topics of a pipeline that hold dead letters.
pub fn topics_of(pipeline: &Pipeline) -> Vec<TopicName> {
    let stages = pipeline.stages().iter();
    let of_stages = stages.map(|stage| pipeline.stage_dead_letters(stage));
    let mut topics: Vec<_> = of_stages.collect();
    topics.push(pipeline.source().dead_letters());
    topics.sort_unstable();
    topics.dedup();
    topics
}

/// Reads the dead letters of these topics, those of one stage or all, and keeps the newest `limit`.
pub fn newest(
    observer: &Observer,
    topics: &[TopicName],
    stage: Option<&StageName>,
    limit: usize,
) -> Result<Newest, InspectError> {
    let mut kept = Kept::new(limit);
    for topic in topics {
        let mut reader = observer.reader(topic, Isolation::Committed)?;
        for record in reader.read_all(PATIENCE)? {
            let letter = DeadLetter::of(&record?);
            if stage.is_none_or(|it| letter.stage.as_deref() == Some(it.as_str())) {
                kept.take(letter);
            }
        }
    }
    Ok(kept.into_newest())
}

impl DeadLetter {
    /// What a record's headers say.
    pub fn of(record: &Record) -> Self {
        let headers = &record.headers;
        let text = |name| headers.text(name).map(str::to_owned);
        Self {
            topic: record.topic.to_string(),
            partition: record.partition.0,
            offset: record.offset.0,
            class: text(ERROR_CLASS),
            message: text(ERROR_MESSAGE),
            origin: line_of(headers).or_else(|| text(ORIGIN)),
            stage: text(STAGE),
            attempts: headers.parse(ATTEMPTS),
            failed_at_ms: headers.parse(FAILED_AT),
            key: record.key.as_ref().map(|key| shown(key)),
        }
    }

    fn time(&self) -> Timestamp {
        Timestamp(self.failed_at_ms.unwrap_or_default())
    }
}

/// The file and line of a dead letter that comes from no topic.
fn line_of(headers: &Headers) -> Option<String> {
    let source = headers.text(SOURCE)?;
    Some(match headers.text(LINE) {
        Some(line) => format!("{source}:{line}"),
        None => source.to_owned(),
    })
}

/// Keeps twice as many as are wanted at most, however many come.
struct Kept {
    limit: usize,
    count: u64,
    letters: VecDeque<DeadLetter>,
}

impl Kept {
    fn new(limit: usize) -> Self {
        Self { limit, count: 0, letters: VecDeque::new() }
    }

    fn take(&mut self, letter: DeadLetter) {
        self.count += 1;
        self.letters.push_back(letter);
        if self.letters.len() >= self.limit.saturating_mul(2).max(1) {
            self.trim();
        }
    }

    /// Partitions are read side by side, so the last to come aren't the newest.
    fn trim(&mut self) {
        self.letters.make_contiguous().sort_by_key(DeadLetter::time);
        let surplus = self.letters.len().saturating_sub(self.limit);
        self.letters.drain(..surplus);
    }

    fn into_newest(mut self) -> Newest {
        self.trim();
        Newest { count: self.count, letters: self.letters.into() }
    }
}

#[cfg(test)]
mod tests {
    use longshore_kafka::{Offset, Partition};

    use super::*;

    fn letter(failed_at: i64) -> DeadLetter {
        let mut headers = Headers::new();
        headers.set_text(FAILED_AT, failed_at);
        DeadLetter::of(&record(headers))
    }

    fn record(headers: Headers) -> Record {
        Record {
            topic: "lines-dlt".into(),
            partition: Partition(1),
            offset: Offset(7),
            key: Some("a\n1".into()),
            value: None,
            headers,
            timestamp: None,
        }
    }

    #[test]
    fn the_newest_are_kept_in_bounded_room() {
        let mut kept = Kept::new(3);
        for time in [5, 1, 9, 2, 8, 3, 7, 4, 6] {
            kept.take(letter(time));
            assert!(kept.letters.len() < 6);
        }
        let newest = kept.into_newest();
        let times: Vec<_> = newest.letters.iter().map(|it| it.time().0).collect();
        assert_eq!((newest.count, times), (9, vec![7, 8, 9]));
    }

    #[test]
    fn none_are_kept_where_none_are_wanted() {
        let mut kept = Kept::new(0);
        kept.take(letter(1));
        assert_eq!(kept.into_newest(), Newest { count: 1, letters: vec![] });
    }

    #[test]
    fn a_bad_line_is_named_by_its_file() {
        let mut headers = Headers::new();
        headers.set_text(SOURCE, "orders.jsonl");
        headers.set_text(LINE, 12);
        let letter = DeadLetter::of(&record(headers));
        assert_eq!(letter.origin.as_deref(), Some("orders.jsonl:12"));
        assert_eq!(letter.key.as_deref(), Some("a\\n1"));
        assert_eq!((letter.class, letter.attempts), (None, None));
    }
}
