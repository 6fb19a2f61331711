//! Records that no topic takes.

use longshore_kafka::{ProduceError, Remedy, Transactions};

use super::harness::{Harness, Isolation, read_values};
use super::transaction::{abort, begin, commit_records, deliver, record};

pub fn a_record_too_large_is_refused_by_name_and_others_are_not(harness: &impl Harness) {
    let (roomy, narrow) = (harness.topic(1), harness.topic_limited(1, 10_000));
    let mut producer = harness.producer(&harness.name("id"));
    begin(&mut producer);
    producer.produce(&record(&roomy, 0, "innocent"), 7).expect("there is room");
    assert!(deliver(&mut producer).refused.is_empty());

    // Told at once, by a client that knows the topic, or after the broker has refused it.
    let large = record(&narrow, 0, &"x".repeat(100_000));
    let refusals = match producer.produce(&large, 8) {
        Err(ProduceError::Refused(refusal)) => vec![(8, refusal)],
        Ok(()) => deliver(&mut producer).refused,
        Err(other) => panic!("{other:?}"),
    };
    let [(8, refusal)] = refusals.as_slice() else { panic!("{refusals:?}") };
    assert_eq!((&refusal.topic, refusal.code.as_str()), (&narrow, "MSG_SIZE_TOO_LARGE"));
    abort(&mut producer);

    commit_records(&mut producer, &[record(&roomy, 0, "again")]);
    assert_eq!(read_values(harness, &roomy, Isolation::Committed), ["again"]);
    assert!(read_values(harness, &narrow, Isolation::Uncommitted).is_empty());
}

/// A later record of the transaction hears only that it must be aborted: whoever wants to know why
/// must look at the deliveries.
pub fn after_a_refusal_nothing_more_is_taken_and_the_reason_is_still_told(harness: &impl Harness) {
    let (roomy, narrow) = (harness.topic(1), harness.topic_limited(1, 10_000));
    let mut producer = harness.producer(&harness.name("id"));
    begin(&mut producer);
    producer.produce(&record(&narrow, 0, &"x".repeat(100_000)), 0).expect("the client takes it");
    assert_eq!(deliver(&mut producer).refused.len(), 1);
    let later = producer.produce(&record(&roomy, 0, "later"), 1);
    let Err(ProduceError::Failed(failure)) = later else { panic!("{later:?}") };
    assert_eq!(failure.remedy, Remedy::Abort, "{failure}");
    let told = deliver(&mut producer).refused;
    assert!(matches!(told.as_slice(), [(0, _)]), "{told:?}");
    abort(&mut producer);
    assert!(read_values(harness, &roomy, Isolation::Uncommitted).is_empty());
}
