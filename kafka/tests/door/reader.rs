//! Reading up to an end that was fixed before, over markers, aborted records and open transactions.

use std::time::{Duration, Instant};

use longshore_kafka::admin::Isolation;
use longshore_kafka::reader::{Range, ReadError, ReadFrom, Reader, Reading};
use longshore_kafka::{Offset, Partition, Transactions};
use longshore_schemas::{Timestamp, TopicName};

use crate::broker::{PATIENCE, admin, open_transaction, outgoing, settings, topic, write};

fn reader(topic: &TopicName, isolation: Isolation) -> Reader {
    Reader::open(&settings(), topic, isolation).expect("opened")
}

fn values(reading: Reading<'_>) -> Vec<String> {
    reading
        .map(|record| record.expect("a record").value.expect("a value"))
        .map(|value| String::from_utf8(value.to_vec()).expect("text"))
        .collect()
}

#[test]
fn all_partitions_are_read_to_their_end_behind_trailing_markers() {
    let topic = topic("reader-all", 3, &[]);
    let numbers: Vec<_> =
        (0..3_000).map(|it| outgoing(&topic, it % 3, "k", &it.to_string())).collect();
    write(&numbers[..1_500]);
    write(&numbers[1_500..]);
    let mut reader = reader(&topic, Isolation::Committed);
    let begun = Instant::now();
    let mut found = values(reader.read_all(PATIENCE).expect("reads"));
    assert!(begun.elapsed() < PATIENCE / 2, "no end waits for its patience");
    found.sort_by_key(|it| it.parse::<usize>().expect("a number"));
    assert_eq!(found, (0..3_000).map(|it| it.to_string()).collect::<Vec<_>>());
    // A reader can be used again.
    assert_eq!(values(reader.read_all(PATIENCE).expect("reads")).len(), 3_000);
}

#[test]
fn a_partition_has_its_own_range_and_one_that_is_not_there_is_named() {
    let topic = topic("reader-range", 2, &[]);
    write(&[outgoing(&topic, 1, "k", "first"), outgoing(&topic, 1, "k", "second")]);
    let mut reader = reader(&topic, Isolation::Committed);
    let range = reader.range_in(Partition(1), &ReadFrom::LogStart).expect("it is there");
    assert_eq!((range.partition, range.from), (Partition(1), Offset(0)));
    assert_eq!(values(reader.read(&[range], PATIENCE).expect("reads")), ["first", "second"]);
    let missing = reader.range_in(Partition(2), &ReadFrom::LogStart).expect_err("there are two");
    assert!(matches!(missing, ReadError::NoPartition { partition: Partition(2), .. }), "{missing}");
    assert!(!missing.may_pass());
}

#[test]
fn an_empty_topic_ends_at_once() {
    let topic = topic("reader-empty", 2, &[]);
    assert!(
        values(reader(&topic, Isolation::Committed).read_all(PATIENCE).expect("reads")).is_empty()
    );
}

#[test]
fn a_topic_that_holds_only_aborted_records_ends() {
    let topic = topic("reader-aborted", 1, &[]);
    open_transaction(&[outgoing(&topic, 0, "k", "never")]).abort(PATIENCE).expect("aborted");
    let mut committed = reader(&topic, Isolation::Committed);
    assert!(values(committed.read_all(PATIENCE).expect("reads")).is_empty());
    let mut all = reader(&topic, Isolation::Uncommitted);
    assert_eq!(values(all.read_all(PATIENCE).expect("reads")), ["never"]);
}

#[test]
fn an_open_transaction_below_the_end_is_waited_for() {
    let topic = topic("reader-waits", 1, &[]);
    write(&[outgoing(&topic, 0, "k", "first")]);
    let mut open = open_transaction(&[outgoing(&topic, 0, "k", "second")]);
    let mut reader = reader(&topic, Isolation::Committed);
    let ranges = reader.ranges(&ReadFrom::LogStart).expect("ranges");
    let mut reading = reader.read(&ranges, PATIENCE).expect("reads");
    assert_eq!(reading.next().expect("one").expect("read").offset, Offset(0));
    let committer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(700));
        open.commit(PATIENCE).expect("committed");
        open
    });
    assert_eq!(values(reading), ["second"]);
    drop(committer.join().expect("joined"));
}

#[test]
fn a_transaction_that_stays_open_is_named() {
    let topic = topic("reader-open", 1, &[]);
    write(&[outgoing(&topic, 0, "k", "first")]);
    let _open = open_transaction(&[outgoing(&topic, 0, "k", "second")]);
    let mut reader = reader(&topic, Isolation::Committed);
    let found: Vec<_> = reader.read_all(Duration::from_secs(1)).expect("reads").collect();
    assert_eq!(found.len(), 2, "{found:?}");
    let error = found.into_iter().last().expect("two").expect_err("stuck");
    assert!(
        matches!(error, ReadError::OpenTransaction { stable_end: Offset(2), end: Offset(3), .. }),
        "{error}"
    );
}

#[test]
fn what_is_written_later_is_not_read() {
    let topic = topic("reader-bound", 1, &[]);
    write(&[outgoing(&topic, 0, "k", "before")]);
    let mut reader = reader(&topic, Isolation::Committed);
    let ranges = reader.ranges(&ReadFrom::LogStart).expect("ranges");
    assert_eq!(ranges, [Range { partition: Partition(0), from: Offset(0), to: Offset(2) }]);
    write(&[outgoing(&topic, 0, "k", "after")]);
    assert_eq!(values(reader.read(&ranges, PATIENCE).expect("reads")), ["before"]);
}

#[test]
fn what_is_deleted_is_an_error_and_never_a_jump() {
    let topic = topic("reader-deleted", 1, &[]);
    let five: Vec<_> = (0..5).map(|it| outgoing(&topic, 0, "k", &it.to_string())).collect();
    write(&five);
    let mut reader = reader(&topic, Isolation::Committed);
    let whole = reader.ranges(&ReadFrom::LogStart).expect("ranges");
    admin().delete_records(&topic, &[(Partition(0), Offset(3))]).expect("deleted");
    let at = |offset| ReadFrom::Offsets(vec![(Partition(0), Offset(offset))]);
    let below = reader.ranges(&at(2)).expect_err("expired");
    assert!(matches!(below, ReadError::Expired { log_start: Offset(3), .. }), "{below}");
    let beyond = reader.ranges(&at(7)).expect_err("truncated");
    assert!(matches!(beyond, ReadError::Truncated { end: Offset(6), .. }), "{beyond}");
    let ranges = reader.ranges(&at(3)).expect("in the log");
    assert_eq!(values(reader.read(&ranges, PATIENCE).expect("reads")), ["3", "4"]);
    // Cut off while it is read.
    let first = reader.read(&whole, PATIENCE).expect("reads").next().expect("something");
    assert!(matches!(first, Err(ReadError::OutOfRange { .. })), "{first:?}");
}

#[test]
fn a_time_and_the_end_are_places_to_begin() {
    let topic = topic("reader-time", 1, &[]);
    let timed = [1_000, 2_000, 3_000].map(|at| {
        let mut record = outgoing(&topic, 0, "k", &at.to_string());
        record.timestamp = Some(Timestamp(at));
        record
    });
    write(&timed);
    let mut reader = reader(&topic, Isolation::Committed);
    let ranges = reader.ranges(&ReadFrom::Time(Timestamp(1_500))).expect("ranges");
    assert_eq!(values(reader.read(&ranges, PATIENCE).expect("reads")), ["2000", "3000"]);
    // Markers have times too: only what lies ahead is behind all of them.
    for from in [ReadFrom::Time(Timestamp(i64::MAX)), ReadFrom::LogEnd] {
        let ranges = reader.ranges(&from).expect("ranges");
        assert_eq!(ranges[0].from, ranges[0].to, "{from:?}");
    }
}

#[test]
fn a_topic_is_followed() {
    let topic = topic("reader-follow", 2, &[]);
    write(&[outgoing(&topic, 0, "k", "old")]);
    let mut reader = reader(&topic, Isolation::Committed);
    let mut following = reader.follow(&ReadFrom::LogEnd).expect("follows");
    assert!(following.poll(Duration::from_millis(300)).expect("polls").is_none());
    write(&[outgoing(&topic, 1, "k", "new")]);
    let record = following.poll(PATIENCE).expect("polls").expect("a record");
    assert_eq!(record.value.as_deref(), Some(&b"new"[..]));
}

#[test]
fn the_latest_record_of_a_key_is_found() {
    let topic = topic("reader-latest", 5, &[]);
    let records: Vec<_> = (0..20)
        .map(|it| {
            let mut record = outgoing(&topic, 0, &format!("file-{}", it % 4), &it.to_string());
            record.partition = None;
            record
        })
        .collect();
    write(&records);
    let mut reader = reader(&topic, Isolation::Committed);
    let found = reader.latest(b"file-2", PATIENCE).expect("reads").expect("found");
    assert_eq!(found.value.as_deref(), Some(&b"18"[..]));
    assert!(reader.latest(b"file-9", PATIENCE).expect("reads").is_none());
}

#[test]
fn a_missing_topic_or_partition_is_named() {
    let missing = Reader::open(&settings(), &TopicName::from("door-no-such"), Isolation::Committed);
    let error = missing.err().expect("there is none").to_string();
    assert!(error.contains("topic door-no-such doesn't exist"), "{error}");
    let topic = topic("reader-partition", 1, &[]);
    let from = ReadFrom::Offsets(vec![(Partition(1), Offset(0))]);
    let error = reader(&topic, Isolation::Committed).ranges(&from).expect_err("there is one");
    assert!(matches!(error, ReadError::NoPartition { partition: Partition(1), .. }), "{error}");
}
