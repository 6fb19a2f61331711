//! Records that no topic takes.

use longshore_kafka::{ProduceError, Remedy, Transactions};

use super::harness::{Harness, Isolation, read_values};
use super::transaction::{abort, begin, commit, commit_records, deliver, record};

pub fn a_record_too_large_is_refused_by_name_and_others_are_not(harness: &impl Harness) {
    let (roomy, narrow) = (harness.topic(1), harness.topic_limited(1, 10_000));
    let mut producer = harness.producer(&harness.name("id"));
    begin(&mut producer);
    producer
        .produce(&record(&roomy, 0, "innocent"), 7)
        .expect("there is room");
    assert!(deliver(&mut producer).refused.is_empty());

    // Told at once, by a client that knows the topic, or after the broker has refused it.
    let large = record(&narrow, 0, &"x".repeat(100_000));
    let refusals = match producer.produce(&large, 8) {
        Err(ProduceError::Refused(refusal)) => vec![(8, refusal)],
        Ok(()) => deliver(&mut producer).refused,
        Err(other) => panic!("{other:?}"),
    };
    let [(8, refusal)] = refusals.as_slice() else {
        panic!("{refusals:?}")
    };
    assert_eq!(
        (&refusal.topic, refusal.code.as_str()),
        (&narrow, "MSG_SIZE_TOO_LARGE")
    );
    let spoiled = commit(&mut producer).expect_err("a record of it is missing");
    assert_eq!(spoiled.remedy, Remedy::Abort, "{spoiled}");
    abort(&mut producer);

    commit_records(&mut producer, &[record(&roomy, 0, "again")]);
    assert_eq!(
        read_values(harness, &roomy, Isolation::Committed),
        ["again"]
    );
    assert!(read_values(harness, &narrow, Isolation::Uncommitted).is_empty());
}
