//! Who may send progress, and how partitions change hands.

use longshore_kafka::lane::broker::{Broker, Polled};
use longshore_kafka::{Offset, Partition, Remedy};

use super::harness::{Harness, Who};
use super::seat::{Seat, share};
use super::transaction::{abort, begin, commit_progress, commit_records, progress, record, send};

pub fn a_member_that_stopped_polling_loses_its_partitions_and_is_refused(harness: &impl Harness) {
    let input = harness.topic(2);
    let who = Who::new_group(harness, &input);
    let mut silent = Seat::joined(harness, &who, 2);
    let mut heir = Seat::joined(harness, &who.sibling(harness), 0);
    heir.until_owned(2);

    begin(&mut silent.broker);
    let refused = send(&mut silent.broker, &[progress(0, 3, "")]).expect_err("it is no member");
    assert_eq!(refused.remedy, Remedy::Abort, "{refused}");
    abort(&mut silent.broker);
    assert_eq!(heir.facts(0).committed, None);

    let mut lost = Vec::new();
    silent.until("its loss", |event| match event {
        Polled::Revoked { partitions, lost: true } => {
            lost.extend(partitions.clone());
            Some(())
        }
        _ => None,
    });
    assert!(!lost.is_empty());
    share(&mut silent, &mut heir, 1);
    commit_progress(&mut silent.broker, &[progress(0, 4, "")]);
    assert_eq!(heir.facts(0).committed.map(|it| it.offset), Some(Offset(4)));
}

pub fn a_member_whose_slot_was_taken_is_refused_and_loses_all_and_stops(harness: &impl Harness) {
    let input = harness.topic(1);
    let who = Who { slot: Some(harness.name("slot")), ..Who::new_group(harness, &input) };
    let mut old = Seat::joined(harness, &who, 1);
    let mut new = Seat::joined(harness, &who.sibling(harness), 1);
    begin(&mut old.broker);
    let refused = send(&mut old.broker, &[progress(0, 3, "")]).expect_err("it has a new holder");
    assert_eq!(refused.remedy, Remedy::Abort, "{refused}");
    abort(&mut old.broker);
    assert_eq!(new.facts(0).committed, None);

    old.loses_all();
    let stopped = old.stops_beside(&mut new);
    assert_eq!(stopped.code, "FENCED_INSTANCE_ID", "{stopped}");
    commit_progress(&mut new.broker, &[progress(0, 4, "")]);
}

pub fn a_rebalance_hands_over_at_the_last_commit(harness: &impl Harness) {
    let input = harness.topic(2);
    let who = Who::new_group(harness, &input);
    let mut giver = Seat::joined(harness, &who, 2);
    let left = [progress(0, 11, "zero"), progress(1, 12, "one")];
    commit_progress(&mut giver.broker, &left);
    let mut taker = Seat::joined(harness, &who.sibling(harness), 0);
    share(&mut giver, &mut taker, 1);
    assert!(giver.owned.is_disjoint(&taker.owned));

    let taken = *taker.owned.first().expect("it owns one");
    let expected = left.into_iter().find(|sent| sent.partition == taken).map(|it| it.committed);
    assert_eq!(taker.facts(taken.0).committed, expected);
    drop(giver);
    taker.until_owned(2);
}

/// librdkafka pauses a whole assignment until the application has answered a rebalance
/// (`rd_kafka_assignment_pause`): what a revocation waits for, all other partitions wait for too.
pub fn while_a_revocation_waits_for_its_answer_nothing_is_read(harness: &impl Harness) {
    let input = harness.topic(2);
    let who = Who::new_group(harness, &input);
    let mut seat = Seat::joined(harness, &who, 2);
    seat.start(0, 0);
    seat.start(1, 0);
    let mut newcomer = Seat::new(harness, &who.sibling(harness));
    let revoked = loop {
        newcomer.turn();
        match seat.polled() {
            Some(Polled::Revoked { partitions, lost: false }) => break partitions,
            Some(Polled::Assigned(none)) => seat.broker.accept(&none).expect("accepts"),
            _ => {}
        }
    };
    let mut producer = harness.producer(&harness.name("id"));
    commit_records(&mut producer, &[record(&input, 0, "zero"), record(&input, 1, "one")]);
    let came = seat.during_silence();
    assert!(came.is_empty(), "{came:?}");

    let kept: Vec<_> =
        [0, 1].map(Partition).into_iter().filter(|it| !revoked.contains(it)).collect();
    commit_progress(&mut seat.broker, &[progress(revoked[0].0, 0, "still ours")]);
    seat.release(&revoked);
    let records = seat.records(1);
    assert_eq!(vec![records[0].partition], kept, "and nothing of it is lost");
    newcomer.until_owned(1);
    assert_eq!(newcomer.facts(revoked[0].0).committed.map(|it| it.offset), Some(Offset(0)));
}
