//! What a lane makes of transactions that don't end as they should.

use std::time::Duration;

use super::super::Producing;
use super::super::commit::outcome_of;
use super::fixture::*;
use crate::lane::broker::{Committed, Located};
use crate::lane::core::Batch;
use crate::lane::error::LaneError;
use crate::lane::step::{Epoch, Finished, Verdict};
use crate::model::{Call, Fault};
use crate::{Offset, Outgoing, Partition, Remedy, Transactions};

/// Kafka commits all of a transaction or nothing. A lane that sees otherwise can't know what else
/// is wrong.
#[test]
fn a_lane_that_finds_half_of_its_transaction_committed_stops() {
    let mut fleet = with_an_unknown_commit(17);
    let other = Committed { offset: Offset(60), metadata: String::new() };
    fleet.cluster.set_committed(GROUP, &input(), Partition(1), Some(other));
    let error = (0..200).find_map(|_| fleet.lanes.get_mut(&0)?.turn().err()).expect("it stops");
    assert!(matches!(error, LaneError::TornTransaction { .. }), "{error}");
}

/// Two partitions of one lane, and a commit of both that landed although nobody knows.
fn with_an_unknown_commit(seed: u64) -> Fleet {
    let mut fleet = Fleet::new(seed, 2);
    fleet.start(0);
    fleet.until("both are its own", |fleet| fleet.lanes[&0].core.partitions().count() == 2);
    fleet.cluster.fail_next(Call::Commit, Fault::AnswerLost(Remedy::Rebuild));
    fleet.publish(60);
    let unknown = (0..200).any(|_| {
        fleet.turn().expect("it goes on");
        of_both(&fleet)
    });
    assert!(unknown, "no commit of both partitions is of unknown outcome");
    fleet
}

fn of_both(fleet: &Fleet) -> bool {
    match &fleet.lanes[&0].producing {
        Producing::Settling(settling) => settling.batch.progress.len() == 2,
        _ => false,
    }
}

#[test]
fn after_transactions_that_failed_a_lane_pauses_for_longer_and_longer() {
    let mut fleet = Fleet::new(18, 1);
    fleet.publish(20);
    fleet.start(0);
    let mut pauses = Vec::new();
    for failures in 1..=3 {
        fleet.cluster.fail_next(Call::SendProgress, Fault::Fails(Remedy::Abort));
        let failed = (0..200).any(|_| {
            fleet.turn().expect("it goes on");
            fleet.lanes[&0].failures == failures
        });
        assert!(failed, "no transaction failed");
        let lane = &fleet.lanes[&0];
        // A turn is 5 ms.
        pauses.push(lane.not_before + Duration::from_millis(5) - lane.broker.now());
    }
    assert!(pauses[0] >= Duration::from_millis(15), "{pauses:?}");
    assert!(pauses[1] > pauses[0] && pauses[2] > pauses[1], "{pauses:?}");
    fleet.until("all echoed", Fleet::is_done);
    assert_eq!(fleet.lanes[&0].failures, 0, "a commit ends the row");
    fleet.check();
}

#[test]
fn a_lane_whose_transactions_all_fail_tries_seven_in_a_second() {
    let mut fleet = Fleet::new(23, 1);
    fleet.publish(20);
    for _ in 0..100 {
        fleet.cluster.fail_next(Call::SendProgress, Fault::Fails(Remedy::Abort));
    }
    fleet.start(0);
    let end = fleet.cluster.now() + Duration::from_secs(1);
    while fleet.cluster.now() < end {
        fleet.turn().expect("it goes on");
    }
    let failures = fleet.lanes[&0].failures;
    assert!((3..=7).contains(&failures), "{failures}");
}

/// Someone else initialises the lane's transactional id.
fn fence(fleet: &Fleet) {
    let mut other = fleet.cluster.producer("g-0");
    assert!(other.ready(Duration::ZERO).expect("it answers"));
}

#[test]
fn a_fence_now_and_then_stops_nobody() {
    let mut fleet = Fleet::new(24, 1);
    fleet.start(0);
    fleet.until("it is at work", |fleet| fleet.guard(0).is_some());
    for _ in 0..3 {
        fence(&fleet);
        fleet.publish(10);
        fleet.until("all echoed", Fleet::is_done);
    }
    assert!(fleet.cluster.seen().fenced >= 3);
    fleet.check();
}

#[test]
fn two_processes_in_one_slot_do_not_fence_one_another_for_ever() {
    let mut fleet = Fleet::new(25, 1);
    fleet.start(0);
    fleet.until("it is at work", |fleet| fleet.guard(0).is_some());
    fleet.publish(60);
    let stopped = (0..200).find_map(|_| {
        fence(&fleet);
        fleet.turn().err()
    });
    assert!(matches!(stopped, Some(LaneError::FencedByAnother { .. })), "{stopped:?}");
}

/// At this age the brokers of the model end a transaction.
const FENCED_AFTER: Duration = Duration::from_secs(15);

/// As a pipeline sets it up: the broker has decided long before the lane gives up.
fn start_patient(fleet: &mut Fleet) {
    fleet.start_with(0, |config| {
        config.fenced_after = FENCED_AFTER;
        config.transaction_timeout = FENCED_AFTER + Duration::from_secs(5);
    });
}

#[test]
fn a_transaction_that_takes_too_long_is_made_smaller_until_it_fits() {
    let mut fleet = Fleet::new(19, 1);
    // The lane would put twenty records into one, and fifteen are in time.
    fleet.cluster.slow_records(Duration::from_secs(1));
    fleet.publish(60);
    start_patient(&mut fleet);
    fleet.until("all echoed", Fleet::is_done);
    fleet.check();
    let timed_out = fleet.cluster.seen().timed_out;
    assert!((1..=2).contains(&timed_out), "it knows what fits: {timed_out}");
}

#[test]
fn a_commit_of_unknown_outcome_that_took_too_long_is_made_smaller_too() {
    let mut fleet = Fleet::new(20, 1);
    start_patient(&mut fleet);
    fleet.until("it is at work", |fleet| fleet.guard(0).is_some());
    fleet.publish(60);
    for _ in 0..3 {
        fleet.cluster.fail_next(Call::Commit, Fault::Slow(FENCED_AFTER * 2));
    }
    let first = (0..2_000).find_map(|_| {
        fleet.turn().expect("it goes on");
        Some(fleet.outputs().len()).filter(|count| *count > 0)
    });
    assert!(first.is_some_and(|count| count <= 20 / 8), "{first:?}");
    assert_eq!(fleet.cluster.seen().timed_out, 3);
    let committed = fleet.cluster.seen().committed;
    fleet.until("all echoed", Fleet::is_done);
    let more = fleet.cluster.seen().committed - committed;
    assert!(more <= 15, "there is time for more in each: {more}");
    fleet.check();
}

#[test]
fn what_became_of_a_commit_is_not_told_by_a_partition_that_was_given_back() {
    let mut fleet = with_an_unknown_commit(21);
    let lane = fleet.lanes.get_mut(&0).expect("it runs");
    lane.settle(&[]).expect("it waits");
    assert!(of_both(&fleet), "the answer about its own is to come");
    fleet.until("all echoed", Fleet::is_done);
    fleet.check();
}

#[test]
fn a_commit_is_settled_although_one_of_its_partitions_has_no_leader() {
    let mut fleet = with_an_unknown_commit(22);
    fleet.cluster.lose_leader(&input(), Partition(0));
    fleet.until("all echoed", Fleet::is_done);
    fleet.check();
}

#[test]
fn what_became_of_a_commit_is_told_by_the_answer_about_it_alone() {
    let mut fleet = with_an_unknown_commit(26);
    let asked = (0..200).any(|_| {
        fleet.turn().expect("it goes on");
        match &fleet.lanes[&0].producing {
            Producing::Settling(settling) => settling.asked.is_some(),
            _ => false,
        }
    });
    assert!(asked, "the question was answered in the turn in which it was asked");
    let lane = fleet.lanes.get_mut(&0).expect("it runs");
    let (id, facts) = (lane.group.question(), [0, 1].map(|it| nothing_known(Partition(it))));
    lane.located(Located { id, partitions: Ok(facts.into()) }).expect("it is passed over");
    assert!(of_both(&fleet), "the answer about it is to come");
    fleet.until("all echoed", Fleet::is_done);
    fleet.check();
}

#[test]
fn what_became_of_a_commit_is_asked_again_if_it_could_not_be_told() {
    let mut fleet = with_an_unknown_commit(27);
    fleet.cluster.fail_next(Call::Locate, Fault::Fails(Remedy::Retry));
    fleet.until("all echoed", Fleet::is_done);
    fleet.check();
}

#[test]
fn an_output_is_told_by_its_number_in_the_whole_transaction() {
    let output = Outgoing {
        topic: output(),
        partition: None,
        key: None,
        value: None,
        headers: Default::default(),
        timestamp: None,
    };
    let outcome = |outputs| Finished {
        partition: Partition(0),
        epoch: Epoch(1),
        item: None,
        outputs: vec![output.clone(); outputs],
        verdict: Verdict::Done,
    };
    let batch = Batch {
        outcomes: [2, 0, 1, 3].map(outcome).to_vec(),
        progress: Vec::new(),
        marks: Vec::new(),
    };
    let told: Vec<_> = (0..6).map(|tag| outcome_of(&batch, tag)).collect();
    assert_eq!(told, [0, 0, 2, 3, 3, 3]);
}
