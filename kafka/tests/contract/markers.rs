//! Transactions that are decided and not yet over.

use std::time::Duration;

use longshore_kafka::{Offset, Partition, Transactions};

use super::harness::{Client, Isolation, Request, Troubles, Who, read_values};
use super::seat::Seat;
use super::transaction::{begin, commit, deliver, make_ready, progress, record, send, write};

/// What would come takes milliseconds.
const SILENCE: Duration = Duration::from_millis(1_500);

pub fn records_wait_while_the_markers_of_the_transaction_before_are_written(
    harness: &impl Troubles,
) {
    let topic = harness.topic(1);
    let mut producer = harness.producer(&harness.name("id"));
    begin(&mut producer);
    write(&mut producer, &[record(&topic, 0, "first")]);
    harness.hold_markers();
    commit(&mut producer).expect("the outcome is decided");
    producer.begin().expect("it may begin");
    producer.produce(&record(&topic, 0, "second"), 0).expect("the client takes it");
    assert_eq!(producer.deliveries(SILENCE).pending, 1);
    assert_eq!(harness.ends(&topic, Partition(0)), (Offset(0), Offset(1)), "only the first");
    harness.release_markers();
    let delivered = deliver(&mut producer);
    assert!(delivered.failed.is_none() && delivered.refused.is_empty(), "{delivered:?}");
    commit(&mut producer).expect("commits");
    assert_eq!(read_values(harness, &topic, Isolation::Committed), ["first", "second"]);
}

pub fn until_its_markers_are_written_a_commit_is_seen_by_nobody_and_its_id_waits(
    harness: &impl Troubles,
) {
    let (input, output) = (harness.topic(1), harness.topic(1));
    let who = Who::new_group(harness, &input);
    let mut seat = Seat::joined(harness, &who, 1);
    begin(&mut seat.broker);
    write(&mut seat.broker, &[record(&output, 0, "value")]);
    send(&mut seat.broker, &[progress(0, 3, "")]).expect("sends");
    harness.hold_markers();
    commit(&mut seat.broker).expect("the outcome is decided");
    assert_eq!(harness.ends(&output, Partition(0)), (Offset(0), Offset(1)), "nobody reads it");
    assert_eq!(harness.written_progress(&who.group, &input, Partition(0)), None);
    let question = seat.ask(&[0], None);
    let came = seat.during_silence();
    assert!(came.is_empty(), "progress isn't stable: {came:?}");
    let mut successor = harness.producer(&who.transactional_id);
    assert!(!successor.ready(SILENCE).expect("it asks"), "its predecessor isn't through");

    harness.release_markers();
    make_ready(&mut successor);
    let facts = seat.answer(question).pop().expect("one was asked about");
    assert_eq!(facts.committed.map(|it| it.offset), Some(Offset(3)));
    assert_eq!(read_values(harness, &output, Isolation::Committed), ["value"]);
}

/// The group's log only knows that the transaction isn't over yet. A lane sends progress once in
/// a transaction, so a late copy says the same.
pub fn progress_that_is_late_still_counts_until_the_markers_are_written(harness: &impl Troubles) {
    let input = harness.topic(1);
    let who = Who::new_group(harness, &input);
    let mut seat = Seat::exposed(harness, &who, 1);
    begin(&mut seat.broker);
    harness.hold_next(Request::Progress, Client::AsksAgain);
    send(&mut seat.broker, &[progress(0, 5, "late")]).expect("sends");
    send(&mut seat.broker, &[progress(0, 6, "in time")]).expect("sends");
    harness.hold_markers();
    commit(&mut seat.broker).expect("the outcome is decided");
    harness.deliver_held();
    harness.release_markers();
    assert_eq!(seat.facts(0).committed, Some(progress(0, 5, "late").committed));
}
