//! How a partition is read.

use longshore_kafka::lane::broker::{Broker, Polled, TOPIC_MADE_ANEW};
use longshore_kafka::{Offset, Outgoing, Partition};
use longshore_schemas::TopicName;

use super::harness::{Harness, Who};
use super::seat::{Seat, offsets};
use super::transaction::{abort, begin, commit_records, record, write};

pub fn nothing_is_read_before_the_start(harness: &impl Harness) {
    let input = harness.topic(1);
    let mut producer = harness.producer(&harness.name("id"));
    commit_records(&mut producer, &numbered(&input, 0, 3));
    let mut seat = Seat::joined(harness, &Who::new_group(harness, &input), 1);
    let came = seat.during_silence();
    assert!(came.is_empty(), "{came:?}");
    seat.start(0, 1);
    assert_eq!(offsets(&seat.records(2)), [1, 2]);
}

pub fn the_end_of_a_partition_lies_behind_its_markers(harness: &impl Harness) {
    let input = harness.topic(1);
    let mut producer = harness.producer(&harness.name("id"));
    commit_records(&mut producer, &numbered(&input, 0, 2));
    let mut seat = Seat::joined(harness, &Who::new_group(harness, &input), 1);
    seat.start(0, 0);
    let ended = |event: &Polled| match event {
        Polled::EndOfPartition { partition: Partition(0), position } => Some(*position),
        _ => None,
    };
    assert_eq!(offsets(&seat.records(2)), [0, 1]);
    assert_eq!(seat.until("the end", ended), Offset(3), "behind the marker");
    begin(&mut producer);
    write(&mut producer, &numbered(&input, 0, 1));
    abort(&mut producer);
    assert_eq!(seat.until("the end", ended), Offset(5), "behind what nobody reads");
    let came = seat.during_silence();
    assert!(came.is_empty(), "{came:?}");
    commit_records(&mut producer, &numbered(&input, 0, 1));
    assert_eq!(offsets(&seat.records(1)), [5]);
}

/// The client may tell it again, after a pause for example. A lane can live with that, but not with
/// an end elsewhere.
pub fn an_end_is_always_told_at_the_same_place(harness: &impl Harness) {
    let input = harness.topic(1);
    let mut producer = harness.producer(&harness.name("id"));
    commit_records(&mut producer, &numbered(&input, 0, 2));
    let mut seat = Seat::joined(harness, &Who::new_group(harness, &input), 1);
    seat.start(0, 0);
    seat.records(2);
    let end = |event: &Polled| match event {
        Polled::EndOfPartition { position, .. } => Some(*position),
        _ => None,
    };
    let behind_the_marker = |event: &Polled| end(event).filter(|position| *position == Offset(3));
    seat.until("the end", behind_the_marker);
    for turn in 0..30 {
        if turn == 15 {
            seat.broker.pause(&[Partition(0)]).expect("pauses");
            seat.broker.resume(&[Partition(0)]).expect("resumes");
        }
        let told_again = seat.polled().as_ref().and_then(end);
        assert!(told_again.is_none_or(|position| position == Offset(3)), "{told_again:?}");
    }
}

/// The client itself would read on in the middle of the new topic.
pub fn a_topic_that_is_made_anew_is_not_read_on(harness: &impl Harness) {
    let input = harness.topic(1);
    commit_records(&mut harness.producer(&harness.name("id")), &numbered(&input, 0, 3));
    let mut seat = Seat::joined(harness, &Who::new_group(harness, &input), 1);
    seat.start(0, 0);
    assert_eq!(offsets(&seat.records(3)), [0, 1, 2]);
    harness.make_topic_anew(&input, 1);
    commit_records(&mut harness.producer(&harness.name("id")), &numbered(&input, 0, 20));
    assert_eq!(seat.stops().code, TOPIC_MADE_ANEW);
}

pub fn a_start_in_a_gap_goes_on_behind_it(harness: &impl Harness) {
    let input = harness.topic(1);
    let mut producer = harness.producer(&harness.name("id"));
    commit_records(&mut producer, &numbered(&input, 0, 2));
    begin(&mut producer);
    write(&mut producer, &numbered(&input, 0, 2));
    abort(&mut producer);
    commit_records(&mut producer, &numbered(&input, 0, 1));
    for at_marker_or_aborted in [2, 3, 4, 5] {
        let mut seat = Seat::joined(harness, &Who::new_group(harness, &input), 1);
        seat.start(0, at_marker_or_aborted);
        assert_eq!(offsets(&seat.records(1)), [6]);
    }
}

pub fn an_offset_below_the_logs_start_is_out_of_range(harness: &impl Harness) {
    let input = harness.topic(2);
    let mut producer = harness.producer(&harness.name("id"));
    commit_records(&mut producer, &numbered(&input, 0, 4));
    harness.delete_records(&input, Partition(0), Offset(2));
    never_jumps(harness, &input, 0);
}

pub fn an_offset_beyond_the_logs_end_is_out_of_range(harness: &impl Harness) {
    let input = harness.topic(2);
    let mut producer = harness.producer(&harness.name("id"));
    commit_records(&mut producer, &numbered(&input, 0, 4));
    never_jumps(harness, &input, 100);
}

/// Partition 0 can't be read from `offset`: that is said, it stays silent, and partition 1 goes on.
fn never_jumps<H: Harness>(harness: &H, input: &TopicName, offset: i64) {
    let mut seat = Seat::joined(harness, &Who::new_group(harness, input), 2);
    seat.start(0, offset);
    seat.start(1, 0);
    seat.until("the error", |event| match event {
        Polled::OutOfRange => Some(()),
        Polled::Record(record) => panic!("it jumped to {}", record.offset),
        _ => None,
    });
    let came = seat.during_silence();
    assert!(came.is_empty(), "{came:?}");
    let mut producer = harness.producer(&harness.name("id"));
    commit_records(&mut producer, &[record(input, 0, "unread"), record(input, 1, "read")]);
    let read = seat.records(1).pop().expect("there is one");
    assert_eq!((read.partition, read.offset), (Partition(1), Offset(0)));
    let came = seat.during_silence();
    assert!(came.is_empty(), "{came:?}");
}

pub fn a_pause_stops_delivery_and_a_resume_loses_nothing(harness: &impl Harness) {
    let input = harness.topic(1);
    let mut producer = harness.producer(&harness.name("id"));
    commit_records(&mut producer, &numbered(&input, 0, 10));
    let mut seat = Seat::joined(harness, &Who::new_group(harness, &input), 1);
    seat.start(0, 0);
    let mut read = seat.records(3);
    seat.broker.pause(&[Partition(0)]).expect("pauses");
    let came = seat.during_silence();
    assert!(came.is_empty(), "{came:?}");
    commit_records(&mut producer, &numbered(&input, 0, 2));
    seat.broker.resume(&[Partition(0)]).expect("resumes");
    read.extend(seat.records(9));
    assert_eq!(offsets(&read), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12]);
}

fn numbered(topic: &TopicName, partition: i32, count: usize) -> Vec<Outgoing> {
    (0..count).map(|number| record(topic, partition, &number.to_string())).collect()
}
