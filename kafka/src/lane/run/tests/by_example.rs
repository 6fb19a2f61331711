//! What a lane promises, one promise a test.

use std::time::Duration;

use super::fixture::*;
use crate::lane::broker::{Broker, Polled};
use crate::lane::core::Core;
use crate::lane::error::LaneError;
use crate::lane::guard::Guard;
use crate::lane::progress::FinishedMap;
use crate::lane::start::{Start, StartError};
use crate::lane::step::{Finished, Verdict};
use crate::model::{Call, Fault};
use crate::{Offset, Partition, Remedy, TopicId};

#[test]
fn every_item_is_echoed_once_and_the_position_reaches_the_end() {
    let mut fleet = Fleet::new(1, 3);
    fleet.publish(200);
    fleet.start(0);
    fleet.until("all echoed", Fleet::is_done);
    fleet.check();
    fleet.until("positions at the end", |fleet| {
        (0..3).all(|partition| {
            let end = fleet.cluster.ends(&input(), Partition(partition)).map(|(_, end)| end);
            fleet.position(partition) == end
        })
    });
}

#[test]
fn a_stuck_item_holds_its_key_and_the_position_but_no_other_key() {
    let mut fleet = Fleet::new(2, 1);
    let stuck = fleet.publish_one(Partition(0), Some("a"), "small");
    fleet.publish_one(Partition(0), Some("a"), "small");
    for _ in 0..30 {
        fleet.publish_one(Partition(0), Some("b"), "small");
    }
    fleet.start(0);
    if let Some(lane) = fleet.lanes.get_mut(&0) {
        lane.step.stuck.insert((Partition(0), stuck));
    }
    fleet.until("the other key is committed", |fleet| fleet.outputs().len() == 30);
    assert_eq!(fleet.position(0), Some(stuck), "the position waits");
    fleet.crash(0);
    fleet.start(1);
    fleet.until("the next owner does the rest", Fleet::is_done);
    fleet.check();
}

#[test]
fn a_commit_of_unknown_outcome_is_settled_whether_it_landed_or_not() {
    for fault in [Fault::AnswerLost(Remedy::Rebuild), Fault::Fails(Remedy::Rebuild)] {
        let mut fleet = Fleet::new(3, 2);
        fleet.publish(60);
        fleet.cluster.fail_next(Call::Commit, fault);
        fleet.start(0);
        fleet.until("all echoed", Fleet::is_done);
        fleet.check();
    }
}

#[test]
fn an_output_that_no_topic_takes_fails_its_item_and_no_other() {
    let mut fleet = Fleet::new(4, 1);
    fleet.publish(40);
    fleet.publish_one(Partition(0), Some("a"), "large");
    fleet.publish(40);
    fleet.start(0);
    fleet.until("all ended", Fleet::is_done);
    assert_eq!(fleet.cluster.read_committed(&dead_letters()).len(), 1);
    fleet.check();
}

#[test]
fn a_partition_in_which_enough_waits_is_read_no_further() {
    let mut fleet = Fleet::new(41, 1);
    let stuck = fleet.publish_one(Partition(0), Some("a"), "small");
    for _ in 0..3_000 {
        fleet.publish_one(Partition(0), Some("a"), "small");
    }
    fleet.start(0);
    if let Some(lane) = fleet.lanes.get_mut(&0) {
        lane.step.stuck.insert((Partition(0), stuck));
    }
    let owned = |fleet: &Fleet| {
        let owned = fleet.lanes[&0].core.partition(Partition(0));
        owned.map_or((false, 0), |it| (it.paused, it.queues.len()))
    };
    let pauses = (0..200).any(|_| {
        fleet.turn().expect("it goes on");
        owned(&fleet).0 && fleet.lanes[&0].core.in_flight() == 1
    });
    assert!(pauses, "a hundred may wait");
    let before = owned(&fleet);
    (0..20).for_each(|_| fleet.turn().expect("it goes on"));
    assert_eq!(owned(&fleet), before);
}

#[test]
fn two_lanes_share_the_partitions_and_hand_them_over() {
    let mut fleet = Fleet::new(5, 4);
    fleet.publish(200);
    fleet.start(0);
    fleet.until("begun", |fleet| fleet.outputs().len() > 20);
    fleet.start(1);
    fleet.until("all echoed", Fleet::is_done);
    fleet.check();
}

#[test]
fn a_drained_lane_leaves_nothing_undone_behind() {
    let mut fleet = Fleet::new(6, 2);
    fleet.publish(100);
    fleet.start(0);
    fleet.until("begun", |fleet| fleet.outputs().len() > 10);
    if let Some(lane) = fleet.lanes.get_mut(&0) {
        lane.begin_drain();
    }
    fleet.until("drained", |fleet| fleet.lanes[&0].is_drained());
    fleet.lanes.remove(&0);
    assert_eq!(fleet.cluster.seen().timed_out, 0);
    fleet.start(1);
    fleet.until("the next owner does the rest", Fleet::is_done);
    fleet.check();
}

#[test]
fn what_expired_unread_and_what_was_truncated_stops_the_lane() {
    let mut fleet = Fleet::new(7, 1);
    fleet.publish(20);
    fleet.start(0);
    fleet.until("all echoed", Fleet::is_done);
    fleet.until("the position is committed", |fleet| fleet.position(0) == Some(Offset(20)));
    fleet.lanes.clear();
    fleet.publish(20);
    fleet.cluster.delete_records(&input(), Partition(0), Offset(30));
    fleet.start(1);
    let error = run_until_it_stops(&mut fleet);
    assert!(
        matches!(
            error,
            LaneError::Start { reason: StartError::ExpiredUnread { position: Offset(20), .. }, .. }
        ),
        "{error}"
    );
}

#[test]
fn a_log_that_is_cut_below_a_reading_lane_stops_it() {
    let mut fleet = Fleet::new(8, 1);
    fleet.publish(150);
    fleet.start(0);
    if let Some(lane) = fleet.lanes.get_mut(&0) {
        lane.config.limits.in_flight_max = 0;
    }
    fleet.until("assigned", |fleet| fleet.lanes[&0].core.partitions().next().is_some());
    fleet.cluster.delete_records(&input(), Partition(0), Offset(150));
    let stopped = (0..2_000).find_map(|_| fleet.turn().err());
    assert!(
        stopped.is_none() || matches!(stopped, Some(LaneError::Start { .. })),
        "never a silent jump: {stopped:?}"
    );
    assert!(stopped.is_some() || fleet.outputs().len() == 150, "{}", fleet.outputs().len());
}

fn run_until_it_stops(fleet: &mut Fleet) -> LaneError {
    for _ in 0..2_000 {
        if let Err(error) = fleet.turn() {
            return error;
        }
    }
    panic!("it never stopped");
}

#[test]
fn a_lane_that_drains_takes_up_no_partition_whose_progress_was_still_asked_for() {
    let mut fleet = Fleet::new(9, 2);
    fleet.publish(40);
    fleet.start(0);
    let lane = fleet.lanes.get_mut(&0).expect("it was started");
    let assigned =
        (0..50).find_map(|_| match lane.broker.poll(Duration::from_millis(5)).expect("polls") {
            Some(Polled::Assigned(partitions)) => Some(partitions),
            _ => None,
        });
    lane.assigned(assigned.expect("an assignment")).expect("accepts");
    assert!(lane.group.is_locating(), "the answer isn't there yet");
    lane.begin_drain();
    fleet.until("drained", |fleet| fleet.lanes[&0].is_drained());
    assert_eq!(fleet.outputs().len(), 0, "nothing was begun");
    fleet.lanes.remove(&0);
    fleet.start(1);
    fleet.until("the next owner does all", Fleet::is_done);
    fleet.check();
}

#[test]
fn of_a_refused_transaction_no_item_fails_that_was_not_alone_in_it() {
    for seed in 10..40 {
        let mut fleet = Fleet::new(seed, 1);
        fleet.publish(30);
        fleet.publish_one(Partition(0), None, "large");
        fleet.publish(30);
        fleet.start(0);
        fleet.until("all ended", Fleet::is_done);
        fleet.check();
    }
}

#[test]
fn an_outcome_of_an_earlier_assignment_is_worth_nothing() {
    let mut core = Core::new(config("owner".into()));
    let start = Start {
        topic_id: TopicId::new(1),
        position: Offset(0),
        finished: FinishedMap::default(),
        state: String::new(),
        guard: Guard::fresh(Offset(0)),
        resumed: true,
    };
    let outcome = |epoch| Finished {
        partition: Partition(0),
        epoch,
        item: None,
        outputs: Vec::new(),
        verdict: Verdict::Done,
    };
    let first = core.assign(Partition(0), &start, Duration::ZERO);
    core.forget(Partition(0));
    let second = core.assign(Partition(0), &start, Duration::ZERO);
    assert!(!core.finish(outcome(first), Duration::ZERO), "someone else did its item");
    assert!(core.finish(outcome(second), Duration::ZERO));
}
