//! A source is published once, over the model broker.

use std::collections::BTreeMap;
use std::io::Write;

use longshore_kafka::model::{Call, Cluster, Fault, Producer};
use longshore_kafka::{Partition, Record, Remedy};
use longshore_schemas::TopicName;
use longshore_schemas::headers::{Failure, ID};
use proptest::prelude::*;

use super::*;
use crate::cursors;
use crate::samples;
use crate::source::{JsonFile, JsonPipe};

const ID_OF_SOURCE: &str = "group.id/sample";
const TIMEOUT: Duration = Duration::from_secs(10);
const ITEMS_MAX: usize = 7;

/// The cursors on the model.
struct ModelCursors(Cluster);

impl Cursors for ModelCursors {
    fn read(&mut self) -> Result<BTreeMap<String, Cursor>, ProducerError> {
        let mut cursors = BTreeMap::new();
        for record in self.0.read_committed(&samples::topics().cursors) {
            cursors::collect(&mut cursors, &record)?;
        }
        Ok(cursors)
    }
}

/// A file, and the Kafka that it is published to.
struct Scene {
    cluster: Cluster,
    file: tempfile::NamedTempFile,
}

impl Scene {
    fn new(seed: u64, lines: &[String]) -> Self {
        let cluster = Cluster::new(seed);
        let topics = samples::topics();
        for (topic, partitions) in
            [(topics.items, 3), (topics.dead_letters, 2), (topics.cursors, 1)]
        {
            cluster.create_topic(&topic, partitions);
        }
        let mut scene = Self { cluster, file: tempfile::NamedTempFile::new().unwrap() };
        scene.append(lines);
        scene
    }

    fn append(&mut self, lines: &[String]) {
        for line in lines {
            writeln!(self.file, "{line}").unwrap();
        }
    }

    fn publishing(&self) -> Result<Publishing<Producer>, ProducerError> {
        let file = JsonFile::open(self.file.path(), 60_000)?;
        self.publishing_from(Box::new(file))
    }

    fn publishing_from(
        &self,
        source: Box<dyn Source>,
    ) -> Result<Publishing<Producer>, ProducerError> {
        Ok(Publishing {
            publisher: Publisher::open(self.cluster.producer(ID_OF_SOURCE), TIMEOUT)?,
            cursors: Box::new(ModelCursors(self.cluster.clone())),
            source,
            recipe: samples::recipe(),
            limits: Limits { items_max: ITEMS_MAX, interval: TIMEOUT },
            pace: Pace::new(None, Instant::now()),
            lane: "group".to_owned(),
        })
    }

    /// Runs once; is told to drain after so many transactions.
    fn run_until(&self, transactions: usize) -> Result<Summary, ProducerError> {
        let draining = CancellationToken::new();
        let mut count = 0;
        self.publishing()?.run(&draining, &mut |_| {
            count += 1;
            if count == transactions {
                draining.cancel();
            }
        })
    }

    fn run(&self) -> Result<Summary, ProducerError> {
        self.run_until(usize::MAX)
    }

    fn committed(&self, topic: &TopicName) -> Vec<Record> {
        self.cluster.read_committed(topic)
    }

    /// The line numbers of all that is published, by their ids.
    fn published_lines(&self) -> Vec<u64> {
        let topics = samples::topics();
        let records =
            [topics.items, topics.dead_letters].into_iter().flat_map(|it| self.committed(&it));
        let mut lines: Vec<u64> = records
            .map(|record| record.headers.text(ID).unwrap().to_owned())
            .map(|id| id.strip_prefix("id/sample/").unwrap().parse().unwrap())
            .collect();
        lines.sort_unstable();
        lines
    }

    /// Within a partition items stand in the order of their lines.
    fn assert_each_once_in_order(&self, lines: impl Iterator<Item = u64>) {
        assert_eq!(self.published_lines(), lines.collect::<Vec<_>>());
        let mut last = BTreeMap::new();
        for record in self.committed(&samples::topics().items) {
            let line: u64 =
                record.headers.text(ID).unwrap().rsplit('/').next().unwrap().parse().unwrap();
            assert!(last.insert(record.partition, line) < Some(line), "in order");
        }
    }
}

fn numbers(count: usize) -> Vec<String> {
    (1..=count).map(|n| format!(r#"{{"n": {n}, "key": "k{n}"}}"#)).collect()
}

#[test]
fn a_file_is_published_once_however_often_it_is_run() {
    let scene = Scene::new(1, &numbers(50));
    let summary = scene.run().unwrap();
    assert_eq!(summary.ending, Ending::Finished);
    assert_eq!((summary.published.items, summary.published.place.line), (50, 50));
    assert_eq!(scene.run().unwrap().ending, Ending::AlreadyPublished);
    scene.assert_each_once_in_order(1..=50);
}

#[test]
fn a_file_that_has_grown_is_published_from_where_it_ended() {
    let mut scene = Scene::new(2, &numbers(10));
    scene.run().unwrap();
    scene.append(&numbers(5));
    let summary = scene.run().unwrap();
    assert_eq!((summary.ending, summary.resumed_at.line), (Ending::Finished, 10));
    assert_eq!(summary.published.items, 5);
    scene.assert_each_once_in_order(1..=15);
}

#[test]
fn an_empty_file_is_over_at_once() {
    let scene = Scene::new(3, &[]);
    assert_eq!(scene.run().unwrap().ending, Ending::Finished);
    assert_eq!(scene.run().unwrap().ending, Ending::AlreadyPublished);
}

#[test]
fn bad_lines_are_set_aside_and_the_run_goes_on() {
    let mut lines = numbers(9);
    lines[2] = "{".to_owned();
    lines[5] = r#"{"n": 1, "m": 2}"#.to_owned();
    let scene = Scene::new(4, &lines);
    let summary = scene.run().unwrap();
    assert_eq!((summary.published.items, summary.published.dead_letters), (7, 2));
    let mut letters = scene.committed(&samples::topics().dead_letters);
    letters.sort_by_key(|it| it.value.clone());
    let failures = letters.iter().map(|it| Failure::read(&it.headers).unwrap().unwrap());
    let told: Vec<_> = failures.map(|it| (it.class, it.origin.offset)).collect();
    assert_eq!(told, [("not_json".to_owned(), 3), ("schema_mismatch".to_owned(), 6)]);
    assert_eq!(letters[0].value.as_deref(), Some(&b"{"[..]));
    scene.assert_each_once_in_order(1..=9);
}

/// Nine lines, of which the fifth has a key of so many bytes.
fn with_large_item(seed: u64, bytes: usize) -> Scene {
    let mut lines = numbers(9);
    lines[4] = format!(r#"{{"n": 5, "key": "{}"}}"#, "x".repeat(bytes));
    Scene::new(seed, &lines)
}

#[test]
fn an_item_that_its_topic_refuses_becomes_a_dead_letter() {
    let scene = with_large_item(5, 30_000);
    scene.cluster.limit_messages(&samples::topics().items, 10_000);
    let summary = scene.run().unwrap();
    assert_eq!((summary.published.items, summary.published.dead_letters), (8, 1));
    let letters = scene.committed(&samples::topics().dead_letters);
    let failure = Failure::read(&letters[0].headers).unwrap().unwrap();
    assert_eq!((failure.class.as_str(), failure.origin.offset), ("refused", 5));
    assert!(letters[0].value.as_ref().unwrap().len() > 30_000, "the whole line");
    scene.assert_each_once_in_order(1..=9);
}

#[test]
fn a_dead_letter_that_is_refused_as_well_is_cut() {
    let scene = with_large_item(6, 30_000);
    scene.cluster.limit_messages(&samples::topics().items, 10_000);
    scene.cluster.limit_messages(&samples::topics().dead_letters, 20_000);
    scene.run().unwrap();
    let letters = scene.committed(&samples::topics().dead_letters);
    assert_eq!(letters[0].value.as_ref().unwrap().len(), 16 * 1024);
    scene.assert_each_once_in_order(1..=9);
}

#[test]
fn where_nothing_is_taken_the_run_stops_and_names_the_line() {
    let scene = with_large_item(7, 30_000);
    scene.cluster.limit_messages(&samples::topics().items, 10_000);
    scene.cluster.limit_messages(&samples::topics().dead_letters, 10_000);
    let error = scene.run().unwrap_err();
    assert!(matches!(error, ProducerError::DeadLetterRefused { line: 5, .. }), "{error}");
    assert!(scene.published_lines().is_empty());
}

#[test]
fn a_second_process_at_the_same_source_stops_the_first() {
    let scene = Scene::new(8, &numbers(50));
    let mut second = None;
    let error = scene
        .publishing()
        .unwrap()
        .run(&CancellationToken::new(), &mut |_| {
            second.get_or_insert_with(|| scene.run().unwrap());
        })
        .unwrap_err();
    assert!(matches!(error, ProducerError::Overtaken { ours: 7, theirs: 50, .. }), "{error}");
    assert_eq!(second.unwrap().resumed_at.line, 7);
    scene.assert_each_once_in_order(1..=50);
}

#[test]
fn what_stands_in_a_quiet_pipe_is_published_in_time() {
    let scene = Scene::new(9, &[]);
    let (reader, mut writer) = std::io::pipe().unwrap();
    let pipe = JsonPipe::new(reader, 1000).unwrap();
    let mut publishing = scene.publishing_from(Box::new(pipe)).unwrap();
    publishing.limits.interval = Duration::from_millis(20);
    writer.write_all(b"{\"n\": 1}\n").unwrap();
    let draining = CancellationToken::new();
    let deadline = Instant::now() + TIMEOUT;
    let summary = publishing.run(&draining, &mut |progress| {
        if progress.items == 1 || Instant::now() > deadline {
            draining.cancel();
        }
    });
    assert_eq!(summary.unwrap().ending, Ending::Drained);
    scene.assert_each_once_in_order(1..=1);
    drop(writer);
}

#[test]
fn whatever_fails_each_line_is_published_once_and_in_order() {
    let mut faults = vec![
        (Call::Produce, Fault::QueueFull),
        (Call::Begin, Fault::BrokerError),
        (Call::Produce, Fault::Crash),
        (Call::Commit, Fault::Crash),
        (Call::Commit, Fault::AnswerLost(Remedy::Rebuild)),
        (Call::Abort, Fault::AnswerLost(Remedy::Rebuild)),
        (Call::Commit, Fault::Late(Duration::from_secs(3))),
    ];
    for call in [Call::Ready, Call::Begin, Call::Deliveries, Call::Commit] {
        let remedies = [Remedy::Retry, Remedy::Abort, Remedy::Rebuild];
        faults.extend(remedies.map(|remedy| (call, Fault::Fails(remedy))));
    }
    let mut lines = numbers(60);
    lines[30] = "bad".to_owned();
    let mut happened = 0;
    for seed in 0..150 {
        let scene = Scene::new(seed, &lines);
        scene.cluster.fail_at_random(12, &faults);
        let mut restarts = 0..200;
        while scene.run().is_err() {
            restarts.next().expect("the source ends");
        }
        scene.assert_each_once_in_order(1..=60);
        happened += scene.cluster.seen().faults;
    }
    assert!(happened > 1_000, "only {happened} faults");
}

/// A line, and whether anything is published for it.
fn line() -> impl Strategy<Value = (String, bool)> {
    prop_oneof![
        6 => (0..100_u32).prop_map(|n| (format!(r#"{{"n": {n}, "key": {n}}}"#), true)),
        1 => Just(("   ".to_owned(), false)),
        1 => Just(("{".to_owned(), true)),
    ]
}

proptest! {
    #[test]
    fn stopped_at_any_commit_it_goes_on_with_nothing_lost_or_doubled(
        lines in prop::collection::vec(line(), 0..80),
        stops in prop::collection::vec(1..5_usize, 0..10),
    ) {
        let texts: Vec<_> = lines.iter().map(|(text, _)| text.clone()).collect();
        let scene = Scene::new(0, &texts);
        for stop in stops {
            scene.run_until(stop).unwrap();
        }
        scene.run().unwrap();
        let published = (1..).zip(&lines).filter(|(_, (_, is))| *is).map(|(number, _)| number);
        scene.assert_each_once_in_order(published);
    }
}

#[test]
fn keys_choose_their_partitions_as_java_does() {
    let scene = Scene::new(10, &numbers(50));
    scene.run().unwrap();
    for Record { key, partition, .. } in scene.committed(&samples::topics().items) {
        let expected: Partition = longshore_kafka::partitioner::partition_for(&key.unwrap(), 3);
        assert_eq!(partition, expected);
    }
}
