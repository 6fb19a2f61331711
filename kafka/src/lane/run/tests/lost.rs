//! What is lost: a partition, at once and with all that was under way in it, or records that nobody
//! has read, which stops the lane.

use std::time::Duration;

use super::super::Producing;
use super::fixture::*;
use crate::lane::broker::{Broker, Committed, Located, Polled};
use crate::lane::error::LaneError;
use crate::lane::start::StartError;
use crate::model::{Call, Fault};
use crate::{Offset, Partition, Remedy, Transaction, Transactions};

const PARTITION: Partition = Partition(0);

#[test]
fn a_partition_that_was_lost_is_not_held_until_its_work_has_ended() {
    let mut fleet = Fleet::new(10, 1);
    let stuck = fleet.publish_one(PARTITION, Some("a"), "small");
    fleet.start(0);
    if let Some(lane) = fleet.lanes.get_mut(&0) {
        lane.step.stuck.insert((PARTITION, stuck));
    }
    fleet.until("the item has begun", |fleet| fleet.lanes[&0].core.in_flight() == 1);
    let owned = |fleet: &Fleet| fleet.lanes[&0].core.partition(PARTITION).map(|it| it.epoch);
    let before = owned(&fleet);
    fleet.cluster.expel(fleet.lanes[&0].broker.id());
    // A fraction of the time for which a partition that is asked back may be held.
    let gone = (0..20).any(|_| {
        fleet.turn().expect("it goes on");
        owned(&fleet) != before
    });
    assert!(gone, "it is held although another member owns it");
    let held = &fleet.lanes[&0].step.held;
    let lost = held.iter().filter(|item| Some(item.epoch) != owned(&fleet)).count();
    assert_eq!(lost, 0, "its component works on");
}

#[test]
fn a_member_that_hears_that_its_assignment_is_lost_owns_nothing_more() {
    let mut fleet = Fleet::new(11, 1);
    fleet.publish(20);
    fleet.start(0);
    fleet.until("work has begun", |fleet| !fleet.outputs().is_empty());
    fleet.cluster.fail_next(Call::Poll, Fault::Fails(Remedy::Leave));
    fleet.turn().expect("it goes on");
    assert_eq!(fleet.lanes[&0].core.partitions().count(), 0);
    fleet.crash(0);
    fleet.start(1);
    fleet.until("the next owner does the rest", Fleet::is_done);
    fleet.check();
}

#[test]
fn a_partition_that_went_to_another_has_no_say_in_what_became_of_a_commit() {
    let mut fleet = Fleet::new(12, 2);
    fleet.start(0);
    fleet.start(1);
    let shares = |fleet: &Fleet| [0, 1].map(|slot| fleet.lanes[&slot].core.partitions().count());
    fleet.until("both have a share", |fleet| shares(fleet) == [1, 1]);
    fleet.cluster.hand_over(fleet.lanes[&0].broker.id(), &[PARTITION, Partition(1)]);
    fleet.until("one has all", |fleet| shares(fleet) == [2, 0]);
    fleet.publish(20);
    fleet.until("it is at work in both", Fleet::is_done);
    fleet.cluster.fail_next_of("g-0", Call::Commit, Fault::AnswerLost(Remedy::Rebuild));
    fleet.publish(60);
    let unknown = (0..200).any(|_| {
        fleet.turn().expect("it goes on");
        is_settling(&fleet, 2)
    });
    assert!(unknown, "no commit of both partitions is of unknown outcome");
    for _ in 0..500 {
        fleet.cluster.fail_next_of("g-0", Call::Ready, Fault::Fails(Remedy::Retry));
    }
    let position = fleet.position(0);
    fleet.cluster.hand_over(fleet.lanes[&1].broker.id(), &[PARTITION]);
    fleet.publish(60);
    fleet.until("the other has gone on", |fleet| fleet.position(0) > position);
    assert!(is_settling(&fleet, 1), "it was settled before");
    fleet.until("all ended", Fleet::is_done);
    fleet.check();
}

/// Whether the first lane waits to learn what became of a commit of so many partitions.
fn is_settling(fleet: &Fleet, partitions: usize) -> bool {
    match &fleet.lanes[&0].producing {
        Producing::Settling(settling) => settling.batch.progress.len() == partitions,
        _ => false,
    }
}

#[test]
fn what_expired_under_a_lane_stops_it_where_it_was_to_read_on() {
    let mut fleet = Fleet::new(13, 1);
    fleet.publish(20);
    fleet.start(0);
    fleet.until("all echoed", Fleet::is_done);
    fleet.publish(50);
    fleet.cluster.delete_records(&input(), PARTITION, Offset(60));
    let error = stops(&mut fleet);
    let LaneError::Start { reason, .. } = error else { panic!("{error}") };
    let (position, log_start) = (Offset(20), Offset(60));
    assert_eq!(reason, StartError::ExpiredUnread { partition: PARTITION, position, log_start });
}

/// A process that stood still for long reads before it hears that it has lost its partition.
#[test]
fn what_expired_when_another_had_done_with_it_is_not_told_as_a_loss() {
    let mut fleet = Fleet::new(13, 1);
    fleet.publish(20);
    fleet.start(0);
    fleet.until("all echoed", Fleet::is_done);
    fleet.publish(50);
    let metadata = String::new();
    let committed = Some(Committed { offset: Offset(60), metadata });
    fleet.cluster.set_committed(GROUP, &input(), PARTITION, committed);
    fleet.cluster.delete_records(&input(), PARTITION, Offset(60));
    let error = stops(&mut fleet);
    let LaneError::Start { reason, .. } = error else { panic!("{error}") };
    let (position, committed) = (Offset(20), Offset(60));
    assert_eq!(reason, StartError::GoneOn { partition: PARTITION, position, committed });
    assert_eq!(fleet.position(0), Some(Offset(60)), "it has said something");
}

#[test]
fn a_look_for_who_was_out_of_range_that_fails_is_taken_again() {
    let mut fleet = Fleet::new(19, 1);
    fleet.publish(20);
    fleet.start(0);
    fleet.until("all echoed", Fleet::is_done);
    fleet.publish(50);
    fleet.cluster.delete_records(&input(), PARTITION, Offset(60));
    fleet.cluster.fail_next(Call::Locate, Fault::Fails(Remedy::Retry));
    let error = stops(&mut fleet);
    assert!(matches!(error, LaneError::Start { .. }), "{error}");
}

#[test]
fn a_fetch_that_was_out_of_range_stops_a_lane_though_the_bounds_are_sound_by_now() {
    let mut fleet = Fleet::new(14, 1);
    fleet.publish(20);
    fleet.start(0);
    fleet.until("all echoed", Fleet::is_done);
    if let Some(lane) = fleet.lanes.get_mut(&0) {
        lane.check_bounds();
    }
    let error = stops(&mut fleet);
    assert!(error.to_string().contains("out of range for a moment"), "{error}");
}

/// Retention takes what was worked on, and the marker behind it: nothing of that is lost.
#[test]
fn an_emptied_log_is_not_blamed_for_what_expired_elsewhere() {
    let mut fleet = Fleet::new(17, 2);
    fleet.publish_one(PARTITION, None, "small");
    let mut source = fleet.cluster.producer("source");
    assert!(source.ready(Duration::ZERO).expect("ready"));
    let mut aborted = Transaction::begin(&mut source, Duration::MAX).expect("begins");
    aborted.produce(&nothing(input(), PARTITION), 0).expect("produces");
    aborted.deliver().expect("delivers");
    drop(aborted);
    fleet.start(0);
    fleet.until("the end is reached", |fleet| fleet.position(0) == Some(Offset(3)));
    fleet.cluster.delete_records(&input(), PARTITION, Offset(3));
    let other = Partition(1);
    fleet.publish_to(other, 50);
    fleet.cluster.delete_records(&input(), other, Offset(40));
    let error = stops(&mut fleet);
    let LaneError::Start { reason, .. } = error else { panic!("{error}") };
    let (position, log_start) = (Offset(0), Offset(40));
    assert_eq!(reason, StartError::ExpiredUnread { partition: other, position, log_start });
}

#[test]
fn who_was_out_of_range_is_not_told_before_all_bounds_are_known() {
    let mut fleet = Fleet::new(18, 2);
    fleet.publish(20);
    fleet.start(0);
    fleet.until("all echoed", Fleet::is_done);
    let other = Partition(1);
    let position = fleet.lanes[&0].core.partition(other).expect("it is ours").next_read;
    fleet.publish_to(other, 50);
    fleet.cluster.delete_records(&input(), other, Offset(40));
    fleet.cluster.lose_leader(&input(), other);
    (0..20).for_each(|_| fleet.turn().expect("it waits"));
    fleet.cluster.elect_leader(&input(), other);
    let error = stops(&mut fleet);
    let LaneError::Start { reason, .. } = error else { panic!("{error}") };
    let log_start = Offset(40);
    assert_eq!(reason, StartError::ExpiredUnread { partition: other, position, log_start });
}

fn stops(fleet: &mut Fleet) -> LaneError {
    (0..200).find_map(|_| fleet.turn().err()).expect("it never stopped")
}

#[test]
fn a_commit_that_came_to_nothing_is_made_again_though_the_position_it_had_stands() {
    let mut fleet = Fleet::new(15, 1);
    let stuck = fleet.publish_one(PARTITION, Some("stuck"), "small");
    fleet.publish(20);
    fleet.start(0);
    if let Some(lane) = fleet.lanes.get_mut(&0) {
        lane.step.stuck.insert((PARTITION, stuck));
    }
    fleet.until("the others are done", |fleet| fleet.outputs().len() == 20);
    assert_eq!(fleet.position(0), Some(stuck));
    fleet.cluster.fail_next(Call::Commit, Fault::Fails(Remedy::Rebuild));
    fleet.publish(20);
    fleet.until("those behind are done too", |fleet| fleet.outputs().len() == 40);
    fleet.crash(0);
    fleet.start(1);
    fleet.until("the next owner does the rest", Fleet::is_done);
    fleet.check();
}

#[test]
fn an_answer_that_comes_after_the_membership_is_gone_takes_nothing_up() {
    let mut fleet = Fleet::new(20, 1);
    fleet.start(0);
    let lane = fleet.lanes.get_mut(&0).expect("it was started");
    let mut polled = || lane.broker.poll(Duration::from_millis(5)).expect("polls");
    let assigned = (0..50).any(|_| matches!(polled(), Some(Polled::Assigned(_))));
    assert!(assigned, "it joins the group");
    lane.assigned(vec![PARTITION]).expect("accepts");
    lane.lose_all().expect("it goes on");
    let Ok(Some(Polled::Located(located))) = lane.broker.poll(Duration::ZERO) else {
        panic!("the answer didn't come")
    };
    lane.located(located).expect("it is passed over");
    assert_eq!(lane.core.partitions().count(), 0, "another member owns it");
}

#[test]
fn an_answer_about_an_assignment_that_is_over_takes_nothing_up() {
    let mut fleet = Fleet::new(16, 1);
    fleet.start(0);
    let lane = fleet.lanes.get_mut(&0).expect("it was started");
    let assigned = (0..50).any(|_| {
        let polled = lane.broker.poll(Duration::from_millis(5)).expect("polls");
        matches!(polled, Some(Polled::Assigned(_)))
    });
    assert!(assigned, "it joins the group");
    lane.assigned(vec![PARTITION]).expect("accepts");
    assert!(lane.group.is_locating(), "the answer isn't there yet");
    let facts = vec![nothing_known(PARTITION)];
    let stale = Located { id: lane.group.question() + 1, partitions: Ok(facts) };
    lane.located(stale).expect("it is passed over");
    assert_eq!(lane.core.partitions().count(), 0, "another owner may have gone on since");
}
