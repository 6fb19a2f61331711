//! What a lane makes of transactions that don't end as they should.

use std::time::Duration;

use super::super::Producing;
use super::super::commit::outcome_of;
use super::fixture::*;
use crate::lane::broker::Committed;
use crate::lane::core::Batch;
use crate::lane::error::LaneError;
use crate::lane::step::{Epoch, Finished, Verdict};
use crate::model::{Call, Fault};
use crate::{Offset, Outgoing, Partition, Remedy, Transactions};

/// Kafka commits all of a transaction or nothing. A lane that sees otherwise can't know what else
/// is wrong.
#[test]
fn a_lane_that_finds_half_of_its_transaction_committed_stops() {
    let mut fleet = Fleet::new(17, 2);
    fleet.start(0);
    fleet.until("both are its own", |fleet| fleet.lanes[&0].core.partitions().count() == 2);
    fleet.publish(60);
    fleet.cluster.fail_next(Call::Commit, Fault::AnswerLost(Remedy::Rebuild));
    let unknown = (0..200).any(|_| {
        fleet.turn().expect("it goes on");
        of_both(&fleet)
    });
    assert!(unknown, "no commit of both partitions is of unknown outcome");
    let other = Committed { offset: Offset(60), metadata: String::new() };
    fleet.cluster.set_committed(GROUP, &input(), Partition(1), Some(other));
    let error = (0..200).find_map(|_| fleet.lanes.get_mut(&0)?.turn().err()).expect("it stops");
    assert!(matches!(error, LaneError::TornTransaction { .. }), "{error}");
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
    fleet.check();
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
    fleet.until("all echoed", Fleet::is_done);
    fleet.check();
}

#[test]
fn what_became_of_a_commit_is_not_told_by_a_partition_that_was_given_back() {
    let mut fleet = Fleet::new(21, 2);
    fleet.start(0);
    fleet.until("both are its own", |fleet| fleet.lanes[&0].core.partitions().count() == 2);
    fleet.cluster.fail_next(Call::Commit, Fault::AnswerLost(Remedy::Rebuild));
    fleet.publish(60);
    let unknown = (0..200).any(|_| {
        fleet.turn().expect("it goes on");
        of_both(&fleet)
    });
    assert!(unknown, "no commit of both partitions is of unknown outcome");
    let lane = fleet.lanes.get_mut(&0).expect("it runs");
    lane.settle(&[]).expect("it waits");
    assert!(of_both(&fleet), "the answer about its own is to come");
    fleet.until("all echoed", Fleet::is_done);
    fleet.check();
}

#[test]
fn a_commit_is_settled_although_one_of_its_partitions_has_no_leader() {
    let mut fleet = Fleet::new(22, 2);
    fleet.start(0);
    fleet.until("both are its own", |fleet| fleet.lanes[&0].core.partitions().count() == 2);
    fleet.cluster.fail_next(Call::Commit, Fault::AnswerLost(Remedy::Rebuild));
    fleet.publish(60);
    let unknown = (0..200).any(|_| {
        fleet.turn().expect("it goes on");
        of_both(&fleet)
    });
    assert!(unknown, "no commit of both partitions is of unknown outcome");
    fleet.cluster.lose_leader(&input(), Partition(0));
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
    let batch = Batch { outcomes: [2, 0, 1, 3].map(outcome).to_vec(), progress: Vec::new() };
    let told: Vec<_> = (0..6).map(|tag| outcome_of(&batch, tag)).collect();
    assert_eq!(told, [0, 0, 2, 3, 3, 3]);
}
