//! What stands in the topics of a fleet, read by a reader that knows nothing of progress.

use std::collections::BTreeMap;
use std::time::Duration;

use longshore_kafka::admin::Isolation;
use longshore_kafka::reader::Reader;
use longshore_kafka::{Partition, Record, Settings};
use longshore_schemas::records::GroupResult;
use longshore_schemas::{Codec, TopicName};

use crate::{Job, Shape};

/// How long a reading waits for an open transaction: that of a killed owner is ended by the broker
/// within 5 s of its timeout and 10 s of the broker's own sweep.
const PATIENCE: Duration = Duration::from_secs(30);

/// How items ended: which were done, in the order of each partition, and which were given up.
#[derive(Debug)]
pub struct Ledger {
    done: Vec<Job>,
    dead: Vec<Job>,
}

impl Ledger {
    pub(crate) fn read(settings: &Settings, name: &str, shape: Shape) -> Self {
        let topic = |what: &str| TopicName::from(format!("{name}-{what}"));
        let done = records(settings, &topic("done"), Isolation::Committed);
        let dead = records(settings, &topic("items-dlt"), Isolation::Committed);
        Self {
            done: done.iter().map(|it| result(it, shape)).collect(),
            dead: dead.iter().map(job).collect(),
        }
    }

    /// How many items have ended, in any way.
    pub fn ended(&self) -> usize {
        self.done.len() + self.dead.len()
    }

    /// The numbers of the items that are done.
    pub fn done(&self) -> Vec<i64> {
        self.done.iter().map(|it| it.number).collect()
    }

    /// What came of them.
    pub fn outcomes(&self) -> &[Job] {
        &self.done
    }

    /// The numbers of the items that were given up.
    pub fn dead(&self) -> Vec<i64> {
        self.dead.iter().map(|it| it.number).collect()
    }

    /// Every item from 0 to below `count` has ended exactly once, and those of a key in order.
    pub fn each_once(&self, count: i64) {
        let mut times: BTreeMap<i64, u32> = (0..count).map(|number| (number, 0)).collect();
        for job in self.done.iter().chain(&self.dead) {
            *times.entry(job.number).or_default() += 1;
        }
        let wrong: Vec<_> = times
            .iter()
            .filter(|(number, times)| **times != 1 || !(0..count).contains(*number))
            .take(20)
            .collect();
        assert!(
            wrong.is_empty(),
            "items that didn't end once, or nobody published (number, times): {wrong:?}"
        );
    }

    /// The items of each key were done in the order of their numbers.
    pub fn in_key_order(&self) {
        let mut last: BTreeMap<&str, i64> = BTreeMap::new();
        for job in &self.done {
            let before = last.insert(&job.key, job.number);
            let (key, number) = (&job.key, job.number);
            assert!(before < Some(number), "key {key}: {number} stands behind {before:?}");
        }
    }
}

/// All records of a topic, in the order of each partition.
pub(crate) fn records(settings: &Settings, topic: &TopicName, isolation: Isolation) -> Vec<Record> {
    let mut reader = Reader::open(settings, topic, isolation).expect("the topic is there");
    let reading = reader.read_all(PATIENCE).expect("the topic can be read");
    reading.map(|it| it.expect("the topic can be read")).collect()
}

/// All items of a topic, in the order of each partition.
pub(crate) fn items(
    settings: &Settings,
    topic: &TopicName,
    isolation: Isolation,
) -> Vec<(Partition, Job)> {
    records(settings, topic, isolation).iter().map(|it| (it.partition, job(it))).collect()
}

fn result(record: &Record, shape: Shape) -> Job {
    match shape {
        Shape::Stage { .. } => job(record),
        Shape::Join => {
            let value = record.value.as_ref().expect("a result has a value");
            let result: GroupResult =
                Codec::new().expect("a schema").decode(value).expect("a result");
            decode(&result.payload.expect("a result that was gathered"))
        }
    }
}

fn job(record: &Record) -> Job {
    decode(record.value.as_ref().expect("a job has a value"))
}

fn decode(value: &[u8]) -> Job {
    Codec::shared().expect("a schema").decode(value).expect("a job")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(done: &[(i64, &str)], dead: &[i64]) -> Ledger {
        Ledger {
            done: done.iter().map(|(number, key)| Job::echo(*number, *key)).collect(),
            dead: dead.iter().map(|number| Job::echo(*number, "dead")).collect(),
        }
    }

    #[test]
    fn items_that_ended_once_each_pass() {
        let ledger = ledger(&[(2, "b"), (0, "a"), (3, "a")], &[1]);
        ledger.each_once(4);
        ledger.in_key_order();
        assert_eq!(ledger.ended(), 4);
    }

    #[test]
    #[should_panic(expected = "[(1, 0)]")]
    fn a_lost_item_is_found() {
        ledger(&[(0, "a"), (2, "a")], &[]).each_once(3);
    }

    #[test]
    #[should_panic(expected = "[(1, 2)]")]
    fn an_item_that_is_done_and_dead_is_found() {
        ledger(&[(0, "a"), (1, "a")], &[1]).each_once(2);
    }

    #[test]
    #[should_panic(expected = "[(7, 1)]")]
    fn an_item_that_nobody_published_is_found() {
        ledger(&[(0, "a"), (7, "a")], &[]).each_once(1);
    }

    #[test]
    #[should_panic(expected = "key a: 0 stands behind Some(1)")]
    fn items_of_a_key_out_of_order_are_found() {
        ledger(&[(1, "a"), (0, "a")], &[]).in_key_order();
    }
}
