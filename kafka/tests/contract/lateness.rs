//! Requests that arrive when their client has given them up, and answers that never come.
//!
//! The client keeps one producer epoch for all transactions of a producer, so what is late hits
//! a later one of them (KAFKA-17754).

use std::time::Duration;

use longshore_kafka::{Offset, Partition, Remedy, Transactions};

use super::harness::{Client, Isolation, Request, Troubles, Who, read_values};
use super::seat::{Seat, share};
use super::transaction::{
    abort, begin, commit, commit_progress, commit_records, insist, make_ready, progress, record,
    send, write,
};

const WAIT: Duration = Duration::from_secs(1);

pub fn a_late_commit_commits_what_the_next_transaction_of_its_producer_has_open(
    harness: &impl Troubles,
) {
    let topic = harness.topic(1);
    let mut producer = harness.exposed_producer(&harness.name("id"));
    harness.hold_next(Request::Commit, Client::AsksAgain);
    commit_records(&mut producer, &[record(&topic, 0, "first")]);
    assert!(producer.tainted(), "a lane would replace it");

    producer.begin().expect("begins");
    write(&mut producer, &[record(&topic, 0, "torn")]);
    harness.deliver_held();
    assert_eq!(read_values(harness, &topic, Isolation::Committed), ["first", "torn"]);
    let refused = insist(|| producer.abort(WAIT)).expect_err("it is committed");
    assert_eq!(refused.remedy, Remedy::Rebuild, "{refused}");
}

pub fn a_late_abort_aborts_the_next_transaction_of_its_producer(harness: &impl Troubles) {
    let topic = harness.topic(1);
    let mut producer = harness.exposed_producer(&harness.name("id"));
    begin(&mut producer);
    write(&mut producer, &[record(&topic, 0, "first")]);
    harness.hold_next(Request::Abort, Client::AsksAgain);
    abort(&mut producer);
    assert!(producer.tainted(), "a lane would replace it");

    producer.begin().expect("begins");
    write(&mut producer, &[record(&topic, 0, "torn")]);
    harness.deliver_held();
    let refused = commit(&mut producer).expect_err("it is aborted");
    assert_eq!(refused.remedy, Remedy::Rebuild, "{refused}");
    assert!(read_values(harness, &topic, Isolation::Committed).is_empty());
    assert_eq!(read_values(harness, &topic, Isolation::Uncommitted), ["first", "torn"]);
}

pub fn late_requests_do_nothing_to_a_producer_that_was_replaced(harness: &impl Troubles) {
    let (input, output) = (harness.topic(1), harness.topic(1));
    let who = Who::new_group(harness, &input);
    let mut seat = Seat::exposed(harness, &who, 1);
    for (number, late) in (0..).zip([Request::Commit, Request::Progress]) {
        begin(&mut seat.broker);
        write(&mut seat.broker, &[record(&output, 0, "first")]);
        harness.hold_next(late, Client::AsksAgain);
        send(&mut seat.broker, &[progress(0, 10 * number + 1, "first")]).expect("sends");
        commit(&mut seat.broker).expect("commits");
        assert!(seat.broker.tainted());
        // Replaces it.
        begin(&mut seat.broker);
        write(&mut seat.broker, &[record(&output, 0, "second")]);
        send(&mut seat.broker, &[progress(0, 10 * number + 2, "second")]).expect("sends");
        let before = harness.ends(&output, Partition(0));
        harness.deliver_held();
        assert_eq!(harness.ends(&output, Partition(0)), before, "{late:?} ends nothing");
        commit(&mut seat.broker).expect("commits");
        let committed = seat.facts(0).committed;
        assert_eq!(committed, Some(progress(0, 10 * number + 2, "second").committed), "{late:?}");
    }
    let values = read_values(harness, &output, Isolation::Committed);
    assert_eq!(values, ["first", "second", "first", "second"]);
}

pub fn late_progress_overwrites_that_of_the_next_transaction_of_its_producer(
    harness: &impl Troubles,
) {
    let input = harness.topic(1);
    let who = Who::new_group(harness, &input);
    let mut seat = Seat::exposed(harness, &who, 1);
    harness.hold_next(Request::Progress, Client::AsksAgain);
    commit_progress(&mut seat.broker, &[progress(0, 5, "late")]);
    seat.broker.begin().expect("begins");
    send(&mut seat.broker, &[progress(0, 10, "next")]).expect("sends");
    harness.deliver_held();
    commit(&mut seat.broker).expect("commits");
    let committed = seat.facts(0).committed;
    assert_eq!(committed, Some(progress(0, 5, "late").committed), "the position goes back");
}

/// Kafka asks the coordinator of transactions whether one is open that expects progress of the
/// group (KIP-890, its first part).
pub fn late_progress_finds_no_way_into_a_transaction_that_has_none(harness: &impl Troubles) {
    let (input, output) = (harness.topic(1), harness.topic(1));
    let who = Who::new_group(harness, &input);
    let mut seat = Seat::exposed(harness, &who, 1);
    for is_next_open in [false, true] {
        begin(&mut seat.broker);
        harness.hold_next(Request::Progress, Client::AsksAgain);
        send(&mut seat.broker, &[progress(0, 5, "late")]).expect("sends");
        send(&mut seat.broker, &[progress(0, 6, "in time")]).expect("sends");
        commit(&mut seat.broker).expect("commits");
        // Nothing is pending any more: the markers are written.
        let in_time = Some(progress(0, 6, "in time").committed);
        assert_eq!(seat.facts(0).committed, in_time);
        if is_next_open {
            seat.broker.begin().expect("begins");
            write(&mut seat.broker, &[record(&output, 0, "beside")]);
        }
        harness.deliver_held();
        if is_next_open {
            commit(&mut seat.broker).expect("commits");
        }
        assert_eq!(seat.facts(0).committed, in_time, "{is_next_open}");
    }
}

pub fn a_repeated_commit_is_answered_like_the_first(harness: &impl Troubles) {
    let topic = harness.topic(1);
    let mut producer = harness.exposed_producer(&harness.name("id"));
    harness.lose_next_answer(Request::Commit, Client::AsksAgain);
    commit_records(&mut producer, &[record(&topic, 0, "once")]);
    assert!(producer.tainted(), "it had to ask again");
    assert_eq!(harness.ends(&topic, Partition(0)), (Offset(2), Offset(2)), "one marker");
    assert_eq!(read_values(harness, &topic, Isolation::Committed), ["once"]);
}

pub fn while_a_commit_is_under_way_nothing_else_is_taken(harness: &impl Troubles) {
    let topic = harness.topic(1);
    let mut producer = harness.exposed_producer(&harness.name("id"));
    begin(&mut producer);
    write(&mut producer, &[record(&topic, 0, "once")]);
    harness.hold_next(Request::Commit, Client::Waits);
    let waits = producer.commit(WAIT).expect_err("nobody answers");
    assert_eq!(waits.remedy, Remedy::Retry, "{waits}");
    let other = producer.abort(WAIT).expect_err("it is too late for that");
    assert_eq!((other.remedy, other.code.as_str()), (Remedy::Retry, "_CONFLICT"), "{other}");
    harness.deliver_held();
    commit(&mut producer).expect("the same call goes on");
    assert_eq!(harness.ends(&topic, Partition(0)), (Offset(2), Offset(2)), "one marker");
    assert_eq!(read_values(harness, &topic, Isolation::Committed), ["once"]);
}

/// What a lane rests on that doesn't know how its commit ended: it asks once its next producer is
/// ready, and nothing changes any more.
pub fn a_commit_that_was_given_up_has_landed_or_not_once_its_successor_is_ready(
    harness: &impl Troubles,
) {
    for lands in [true, false] {
        let (input, output) = (harness.topic(1), harness.topic(1));
        let who = Who::new_group(harness, &input);
        let mut seat = Seat::exposed(harness, &who, 1);
        begin(&mut seat.broker);
        write(&mut seat.broker, &[record(&output, 0, "value")]);
        send(&mut seat.broker, &[progress(0, 3, "")]).expect("sends");
        match lands {
            true => harness.lose_next_answer(Request::Commit, Client::Waits),
            false => harness.hold_next(Request::Commit, Client::Waits),
        }
        let waits = seat.broker.commit(WAIT).expect_err("nobody answers");
        assert_eq!(waits.remedy, Remedy::Retry, "{waits}");
        seat.broker.discard_producer();
        make_ready(&mut seat.broker);
        let found = |seat: &mut Seat<_>| {
            let position = seat.facts(0).committed.map(|it| it.offset);
            (position, read_values(harness, &output, Isolation::Committed).len())
        };
        let expected = if lands { (Some(Offset(3)), 1) } else { (None, 0) };
        assert_eq!(found(&mut seat), expected);
        if !lands {
            harness.deliver_held();
            assert_eq!(found(&mut seat), expected, "it comes too late");
        }
    }
}

/// A member's client may not have heard yet that its group has moved on, or what it sent may still
/// be under way.
pub fn progress_of_a_generation_that_has_passed_is_refused(harness: &impl Troubles) {
    let input = harness.topic(2);
    let who = Who::new_group(harness, &input);
    let mut seat = Seat::exposed(harness, &who, 2);
    let mut newcomer = Seat::new(harness, &who.sibling(harness));
    begin(&mut seat.broker);
    let sent = [progress(0, 1, "")];
    let refused = harness.send_as_the_group_moves_on(&mut seat, &mut newcomer, &sent);
    let refused = refused.expect_err("its generation has passed");
    assert_eq!(
        (refused.remedy, refused.code.as_str()),
        (Remedy::Abort, "ILLEGAL_GENERATION"),
        "{refused}"
    );
    abort(&mut seat.broker);
    share(&mut seat, &mut newcomer, 1);
    assert_eq!(seat.facts(0).committed, None);
    commit_progress(&mut seat.broker, &[progress(0, 2, "")]);
    assert_eq!(seat.facts(0).committed.map(|it| it.offset), Some(Offset(2)), "it has heard of it");
}
