//! What becomes visible, to whom, and when.

use longshore_kafka::{Offset, Partition, Remedy, Transactions};

use super::harness::{Harness, Isolation, Who, read_values};
use super::seat::{Seat, offsets};
use super::transaction::{
    abort, begin, commit, commit_records, make_ready, progress, record, send, write,
};

pub fn aborted_output_is_never_read_by_committed_readers(harness: &impl Harness) {
    let topic = harness.topic(1);
    let mut producer = harness.producer(&harness.name("id"));
    begin(&mut producer);
    write(&mut producer, &[record(&topic, 0, "aborted")]);
    assert_eq!(harness.ends(&topic, Partition(0)), (Offset(0), Offset(1)), "it is open");
    abort(&mut producer);
    commit_records(&mut producer, &[record(&topic, 0, "committed")]);
    assert_eq!(read_values(harness, &topic, Isolation::Committed), ["committed"]);
    assert_eq!(read_values(harness, &topic, Isolation::Uncommitted), ["aborted", "committed"]);
}

pub fn output_and_progress_are_committed_together(harness: &impl Harness) {
    let (input, output) = (harness.topic(1), harness.topic(1));
    let who = Who::new_group(harness, &input);
    let mut seat = Seat::joined(harness, &who, 1);
    begin(&mut seat.broker);
    write(&mut seat.broker, &[record(&output, 0, "output")]);
    let sent = progress(0, 3, "beside");
    send(&mut seat.broker, std::slice::from_ref(&sent)).expect("sends");
    assert_eq!(harness.ends(&output, Partition(0)), (Offset(0), Offset(1)), "it is open");
    assert_eq!(harness.written_progress(&who.group, &input, Partition(0)), None);

    commit(&mut seat.broker).expect("commits");
    let found = harness.stable_progress(&who.group, &input, Partition(0));
    assert_eq!(found, Some(sent.committed));
    assert_eq!(read_values(harness, &output, Isolation::Committed), ["output"]);
}

pub fn without_a_commit_there_is_neither_output_nor_progress(harness: &impl Harness) {
    let (input, output) = (harness.topic(1), harness.topic(1));
    let who = Who::new_group(harness, &input);
    let mut seat = Seat::joined(harness, &who, 1);
    begin(&mut seat.broker);
    write(&mut seat.broker, &[record(&output, 0, "output")]);
    send(&mut seat.broker, &[progress(0, 3, "beside")]).expect("sends");
    abort(&mut seat.broker);
    assert_eq!(harness.stable_progress(&who.group, &input, Partition(0)), None);
    assert!(read_values(harness, &output, Isolation::Committed).is_empty());
    assert_eq!(read_values(harness, &output, Isolation::Uncommitted), ["output"]);
}

pub fn markers_take_offsets(harness: &impl Harness) {
    let topic = harness.topic(1);
    let mut producer = harness.producer(&harness.name("id"));
    for value in ["a", "b", "c"] {
        commit_records(&mut producer, &[record(&topic, 0, value)]);
    }
    assert_eq!(offsets(&harness.read(&topic, Isolation::Committed)), [0, 2, 4]);
    assert_eq!(harness.ends(&topic, Partition(0)), (Offset(6), Offset(6)));
}

pub fn delivered_records_tell_their_offsets(harness: &impl Harness) {
    let topic = harness.topic(2);
    let mut producer = harness.producer(&harness.name("id"));
    commit_records(&mut producer, &[record(&topic, 0, "before")]);
    begin(&mut producer);
    let records = [record(&topic, 0, "a"), record(&topic, 0, "b"), record(&topic, 1, "c")];
    let mut written = write(&mut producer, &records).written;
    commit(&mut producer).expect("commits");
    written.sort();
    let expected = [(Partition(0), Offset(3)), (Partition(1), Offset(0))];
    assert_eq!(written, expected.map(|(partition, at)| (topic.clone(), partition, at)));
}

pub fn a_timed_out_transaction_is_never_read_and_its_producer_must_be_rebuilt<H: Harness>(
    harness: &H,
) {
    let topic = harness.topic(1);
    let mut producer = harness.producer(&harness.name("id"));
    begin(&mut producer);
    write(&mut producer, &[record(&topic, 0, "too old")]);
    let deadline = producer.now() + H::PATIENCE;
    // The broker ends it: the log's end gets behind the marker, and so does what is stable.
    while harness.ends(&topic, Partition(0)) != (Offset(2), Offset(2)) {
        assert!(producer.now() < deadline, "the broker should end the transaction");
        harness.pause();
    }
    let refused = commit(&mut producer).expect_err("it was aborted");
    assert_eq!(refused.remedy, Remedy::Rebuild, "{refused}");
    assert!(producer.tainted());

    producer.discard_producer();
    make_ready(&mut producer);
    commit_records(&mut producer, &[record(&topic, 0, "new")]);
    assert_eq!(read_values(harness, &topic, Isolation::Committed), ["new"]);
    assert_eq!(read_values(harness, &topic, Isolation::Uncommitted), ["too old", "new"]);
}
