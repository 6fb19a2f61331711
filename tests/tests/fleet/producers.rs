//! A producer is killed -9, or stands still, while its transaction is open.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use longshore_kafka::Partition;
use longshore_kafka::admin::{Isolation, Watermarks};
use longshore_tests::{Cluster, Fleet, Job, Onlooker, Process, Shape, until_caught};

use crate::echoes;

/// Lines of the file: several transactions.
const LINES: i64 = 16_000;
/// Bytes that each line has more: enough that a transaction takes long enough to be caught in.
const PADDING: usize = 600;

#[test]
fn killed_in_its_first_transaction() {
    dies_behind(&[1]);
}

#[test]
fn killed_in_the_middle_of_the_file() {
    let said = dies_behind(&[LINES / 2]);
    assert!(said.contains("earlier runs had published"), "it began anew:\n{said}");
}

#[test]
fn killed_again_and_again() {
    let said = dies_behind(&[1, LINES / 2, LINES / 8]);
    assert!(said.contains("earlier runs had published"), "it began anew:\n{said}");
}

#[test]
fn one_that_stood_still_while_another_published_its_file_adds_nothing() {
    let (fleet, file) = fleet_and_file();
    let onlooker = Onlooker::of_items(&fleet);
    let mut frozen = fleet.producer(&file);
    let open = freeze_in_a_transaction(&fleet, &mut frozen, LINES / 2);
    finishes(&fleet, &file);
    frozen.thaw();
    let (code, said) = frozen.ends();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("another process"), "{said}");
    each_line_once_in_order(&fleet);
    onlooker.agrees();
    assert!(surplus(&fleet) >= open, "nothing was aborted");
}

/// Each time, a producer is killed in an open transaction, once it has written this many offsets;
/// the last one publishes the rest, and this is what it said. What was open is seen by nobody who
/// reads committed, and by all who don't.
fn dies_behind(written: &[i64]) -> String {
    let (fleet, file) = fleet_and_file();
    let onlooker = Onlooker::of_items(&fleet);
    let mut open = 0;
    for &written in written {
        let mut producer = fleet.producer(&file);
        open += freeze_in_a_transaction(&fleet, &mut producer, written);
        producer.crash();
    }
    let said = finishes(&fleet, &file);
    each_line_once_in_order(&fleet);
    onlooker.agrees();
    let surplus = surplus(&fleet);
    assert!(surplus >= open, "{open} records were open, and only {surplus} aborted");
    said
}

fn fleet_and_file() -> (Fleet, PathBuf) {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 4 });
    let padding = format!("echo {}", "x".repeat(PADDING));
    let file = fleet.lines(echoes(0..LINES).map(|job| job.doing(&padding)));
    (fleet, file)
}

/// Lets a producer that was just started stand still in an open transaction, once it has written so
/// many offsets: how many records of it are in the log, all of which only its commit would make
/// visible.
fn freeze_in_a_transaction(fleet: &Fleet, producer: &mut Process, written: i64) -> usize {
    let admin = fleet.admin();
    let logs = || admin.watermarks(&fleet.items()).expect("the Kafka answers");
    let before = end(&logs());
    until_caught("a transaction is open", || {
        assert!(producer.running(), "it ended before it was caught:\n{}", producer.said());
        let items = logs();
        if open(&items) == 0 || end(&items) - before < written {
            return None;
        }
        producer.freeze();
        // Its commit may be under way.
        let still_open = if fleet.is_in_a_transaction() { open(&logs()) } else { 0 };
        if still_open == 0 {
            producer.thaw();
        }
        Some(still_open).filter(|open| *open > 0)
    })
}

/// How many offsets there are.
fn end(logs: &[Watermarks]) -> i64 {
    logs.iter().map(|it| it.high.0).sum()
}

/// How many of them are in a transaction that is open.
fn open(logs: &[Watermarks]) -> usize {
    let offsets = |it: &Watermarks| usize::try_from(it.high.0 - it.last_stable.0);
    logs.iter().map(|it| offsets(it).expect("the stable end is no further than the end")).sum()
}

/// A producer publishes the rest: what it said.
fn finishes(fleet: &Fleet, file: &Path) -> String {
    let (code, said) = fleet.producer(file).ends();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("finished: "), "{said}");
    said
}

fn each_line_once_in_order(fleet: &Fleet) {
    let mut last: BTreeMap<Partition, i64> = BTreeMap::new();
    let mut numbers = Vec::new();
    for (partition, Job { number, .. }) in fleet.published(Isolation::Committed) {
        let before = last.insert(partition, number);
        assert!(before < Some(number), "{partition}: {number} stands behind {before:?}");
        numbers.push(number);
    }
    numbers.sort_unstable();
    assert!(numbers.iter().copied().eq(0..LINES), "{} items of {LINES} lines", numbers.len());
}

/// What only those see who read uncommitted.
fn surplus(fleet: &Fleet) -> usize {
    let count = |isolation| fleet.published(isolation).len();
    count(Isolation::Uncommitted) - count(Isolation::Committed)
}
