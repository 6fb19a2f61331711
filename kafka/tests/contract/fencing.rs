//! Who may still write under a transactional id.

use longshore_kafka::{Offset, Partition, Remedy, Transactions};

use super::harness::{Harness, Isolation, Who, read_values};
use super::seat::Seat;
use super::transaction::{
    begin, commit, commit_records, make_ready, progress, record, send, write,
};

pub fn a_second_producer_of_an_id_fences_the_first(harness: &impl Harness) {
    let topic = harness.topic(1);
    let id = harness.name("id");
    let mut first = harness.producer(&id);
    begin(&mut first);
    write(&mut first, &[record(&topic, 0, "fenced")]);

    let mut second = harness.producer(&id);
    make_ready(&mut second);
    let refused = commit(&mut first).expect_err("the second has the id now");
    assert_eq!(refused.remedy, Remedy::Rebuild, "{refused}");
    assert!(first.begin().is_err(), "and the first is spent");

    commit_records(&mut second, &[record(&topic, 0, "second")]);
    assert_eq!(read_values(harness, &topic, Isolation::Committed), ["second"]);
    assert_eq!(read_values(harness, &topic, Isolation::Uncommitted), ["fenced", "second"]);
}

pub fn an_idle_producer_is_fenced_when_it_writes_again(harness: &impl Harness) {
    let topic = harness.topic(1);
    let id = harness.name("id");
    let mut first = harness.producer(&id);
    commit_records(&mut first, &[record(&topic, 0, "first")]);
    let mut second = harness.producer(&id);
    make_ready(&mut second);

    first.begin().expect("the client can't know");
    let ended = match first.produce(&record(&topic, 0, "zombie"), 0) {
        Ok(()) => commit(&mut first).map_err(|failure| failure.remedy),
        Err(_) => Err(Remedy::Rebuild),
    };
    assert_eq!(ended, Err(Remedy::Rebuild));
    commit_records(&mut second, &[record(&topic, 0, "second")]);
    assert_eq!(read_values(harness, &topic, Isolation::Uncommitted), ["first", "second"]);
}

pub fn initialising_ends_the_open_transaction_of_a_predecessor(harness: &impl Harness) {
    let (input, output) = (harness.topic(1), harness.topic(1));
    let who = Who::new_group(harness, &input);
    let mut seat = Seat::joined(harness, &who, 1);
    begin(&mut seat.broker);
    write(&mut seat.broker, &[record(&output, 0, "abandoned")]);
    send(&mut seat.broker, &[progress(0, 3, "")]).expect("sends");
    seat.broker.discard_producer();
    assert_eq!(harness.ends(&output, Partition(0)), (Offset(0), Offset(1)), "it is open");

    make_ready(&mut seat.broker);
    assert_eq!(harness.ends(&output, Partition(0)), (Offset(2), Offset(2)), "markers included");
    assert_eq!(harness.written_progress(&who.group, &input, Partition(0)), None);
    assert_eq!(seat.facts(0).committed, None, "nothing is pending");
    assert!(read_values(harness, &output, Isolation::Committed).is_empty());
}
