//! Whoever is alive when its partitions go to others has not died of their items.

use std::future::pending;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use futures::FutureExt;

use super::fixture::*;
use crate::lane::broker::Broker;
use crate::lane::error::LaneError;
use crate::lane::run_on_thread;
use crate::model::{Call, Fault, Member};
use crate::{Partition, Remedy, Transactions};

const PARTITION: Partition = Partition(0);
const SECOND: Duration = Duration::from_secs(1);

/// A lane at work on an item that never ends.
fn at_work() -> Fleet {
    at_work_in(Fleet::new(7, 1))
}

fn at_work_in(mut fleet: Fleet) -> Fleet {
    let offset = fleet.publish_one(PARTITION, Some("a"), "small");
    fleet.start_with(0, |config| config.drain_timeout = SECOND * 60);
    let lane = fleet.lanes.get_mut(&0).expect("it was started");
    lane.step.stuck.insert((PARTITION, offset));
    fleet.until("it is at work", |fleet| fleet.guard(0).as_deref() == Some("r0"));
    fleet
}

#[test]
fn a_lane_whose_component_cannot_go_on_says_that_nobody_died() {
    let mut fleet = at_work();
    fleet.lanes.get_mut(&0).expect("it runs").step.broken = true;
    assert!(matches!(fleet.turn(), Err(LaneError::Step { .. })));
    assert_eq!(fleet.guard(0).as_deref(), Some("-"));
}

#[test]
fn a_lane_that_is_refused_for_good_says_that_nobody_died() {
    let mut fleet = at_work();
    fleet.publish_one(PARTITION, Some("b"), "small");
    fleet.cluster.fail_next(Call::Produce, Fault::Fails(Remedy::Stop));
    let stopped = (0..200).find_map(|_| fleet.turn().err());
    assert!(matches!(stopped, Some(LaneError::Kafka { .. })), "{stopped:?}");
    assert_eq!(fleet.guard(0).as_deref(), Some("-"));
    assert_eq!(fleet.outputs().len(), 0, "what wasn't committed is left to the next owner");
}

#[test]
fn a_partition_that_is_taken_away_from_a_long_item_has_killed_nobody() {
    let mut fleet = at_work();
    fleet.start(1);
    (0..10).for_each(|_| fleet.turn().expect("both go on"));
    let second = fleet.lanes[&1].broker.id();
    fleet.cluster.hand_over(second, &[PARTITION]);
    let given_back = (0..1_000).any(|_| {
        fleet.turn().expect("both go on");
        fleet.lanes[&0].core.partition(PARTITION).is_none()
    });
    assert!(given_back, "its budget is a second");
    assert_eq!(fleet.guard(0).as_deref(), Some("-"));
}

#[test]
fn a_shutdown_takes_as_long_as_it_may_and_no_longer() {
    let mut fleet = at_work();
    fleet.lanes.get_mut(&0).expect("it runs").config.drain_timeout = SECOND * 3;
    let began = fleet.cluster.now();
    fleet.lanes.get_mut(&0).expect("it runs").begin_drain();
    let drained = (0..1_000).any(|_| {
        fleet.turn().expect("it goes on");
        fleet.lanes[&0].is_drained()
    });
    let took = fleet.cluster.now() - began;
    assert!(drained && took >= SECOND * 3 && took < SECOND * 4, "{took:?}");
}

#[test]
fn a_lane_that_drains_takes_up_nothing_that_others_leave_to_it() {
    let mut fleet = Fleet::new(8, 2);
    for slot in 0..2 {
        fleet.start(slot);
        fleet.until("it has its share", |fleet| {
            fleet.lanes[&slot].core.partitions().count() == 2 - slot
        });
    }
    let offset = fleet.publish_one(PARTITION, Some("a"), "small");
    let lane = fleet.lanes.get_mut(&0).expect("it runs");
    lane.step.stuck.insert((PARTITION, offset));
    fleet.until("it is at work", |fleet| fleet.lanes[&0].core.in_flight() == 1);
    fleet.lanes.get_mut(&0).expect("it runs").begin_drain();
    fleet.lanes.remove(&1);
    let drained = (0..1_000).any(|_| {
        fleet.turn().expect("it goes on");
        fleet.lanes[&0].is_drained()
    });
    assert!(drained, "it works on");
}

/// A lane that drains has lost its membership while outputs were written, and its abort came to
/// nothing.
fn drains_with_a_transaction_open() -> Fleet {
    let mut fleet = Fleet::new(9, 1);
    fleet.start_with(0, |config| config.drain_timeout = SECOND * 5);
    fleet.until("it is at work", |fleet| fleet.guard(0).is_some());
    fleet.publish(20);
    let begun = (0..200).any(|_| {
        fleet.turn().expect("it goes on");
        fleet.lanes[&0].core.in_flight() > 0
    });
    assert!(begun, "nothing is at work");
    fleet.cluster.fail_next(Call::SendProgress, Fault::Fails(Remedy::Leave));
    fleet.cluster.fail_next(Call::Abort, Fault::Fails(Remedy::Rebuild));
    fleet.lanes.get_mut(&0).expect("it runs").begin_drain();
    let lost = (0..200).any(|_| {
        fleet.turn().expect("it goes on");
        fleet.lanes[&0].core.partitions().next().is_none()
    });
    assert!(lost && is_open(&fleet), "nothing is left open");
    fleet
}

/// Whether a transaction holds up those who read the outputs.
fn is_open(fleet: &Fleet) -> bool {
    let ends = fleet.cluster.ends(&output(), PARTITION);
    ends.is_some_and(|(stable, end)| stable < end)
}

#[test]
fn a_lane_that_drains_leaves_no_transaction_open() {
    let mut fleet = drains_with_a_transaction_open();
    while !fleet.lanes[&0].is_drained() {
        fleet.turn().expect("it goes on");
    }
    assert!(!is_open(&fleet));
}

#[test]
fn a_lane_that_drains_does_not_wait_for_ever_for_brokers_that_do_not_answer() {
    let mut fleet = drains_with_a_transaction_open();
    for _ in 0..200 {
        fleet.cluster.fail_next(Call::Ready, Fault::Fails(Remedy::Retry));
    }
    let began = fleet.cluster.now();
    while !fleet.lanes[&0].is_drained() {
        // As `run` does.
        fleet.lanes.get_mut(&0).expect("it runs").begin_drain();
        fleet.turn().expect("it goes on");
    }
    let took = fleet.cluster.now() - began;
    assert!(took < SECOND * 6, "{took:?}");
}

#[test]
fn an_item_whose_dead_letter_is_refused_stops_the_lane_before_it() {
    let mut fleet = Fleet::new(10, 1);
    fleet.cluster.limit_messages(&dead_letters(), 1);
    let large = fleet.publish_one(PARTITION, None, "large");
    fleet.publish(20);
    fleet.start(0);
    let error = (0..2_000).find_map(|_| fleet.turn().err()).expect("it stops");
    assert!(matches!(error, LaneError::DeadLetterRefused { .. }), "{error}");
    assert_eq!((fleet.position(0), fleet.guard(0).as_deref()), (Some(large), Some("-")));
}

/// Progress that the client has sent twice may arrive once more, in whatever is open then.
#[test]
fn a_lane_that_stops_says_so_with_a_producer_that_has_nothing_under_way() {
    let mut fleet = at_work();
    fleet.publish_one(PARTITION, Some("b"), "small");
    let late = SECOND + Duration::from_millis(20);
    fleet.cluster.fail_next(Call::SendProgress, Fault::Late(late));
    let committed = (0..200).any(|_| {
        fleet.turn().expect("it goes on");
        !fleet.outputs().is_empty()
    });
    assert!(committed, "the call was repeated");
    fleet.cluster.fail_next(Call::Commit, Fault::Slow(SECOND / 10));
    fleet.lanes.get_mut(&0).expect("it runs").step.broken = true;
    assert!(matches!(fleet.turn(), Err(LaneError::Step { .. })));
    assert_eq!(fleet.guard(0).as_deref(), Some("-"));
}

/// A lane at work, whose slot another one has taken.
fn with_successor() -> (Fleet, Member) {
    let mut fleet = Fleet::new(11, 1);
    fleet.keeps_slots = true;
    let fleet = at_work_in(fleet);
    let mut successor = fleet.member(0);
    successor.poll(Duration::ZERO).expect("it takes the slot");
    (fleet, successor)
}

/// Turns until the lane has heard that it has lost all.
fn loses_all(fleet: &mut Fleet) {
    let has_lost = (0..300).any(|_| {
        fleet.turn().expect("it waits");
        fleet.lanes[&0].core.partitions().count() == 0
    });
    assert!(has_lost);
    assert!(!fleet.lanes[&0].status().joined);
}

#[test]
fn a_lane_whose_slot_was_taken_leaves_its_successor_alone() {
    let (mut fleet, mut successor) = with_successor();
    loses_all(&mut fleet);
    assert!(successor.ready(Duration::ZERO).expect("it answers"));
    successor.begin().expect("begins");
    successor.produce(&nothing(output(), PARTITION), 0).expect("produces");
    assert_eq!(successor.deliveries(SECOND).pending, 0);
    // Its own producer is no good any more. Another one of the same id would fence the successor's.
    fleet.cluster.fail_next_of("g-0", Call::Poll, Fault::BrokerError);
    let stopped = (0..100_000).find_map(|turn| {
        if turn == 20 {
            successor.commit(SECOND).expect("nobody has fenced it");
        }
        fleet.turn().err()
    });
    assert!(matches!(stopped, Some(LaneError::Kafka { .. })), "{stopped:?}");
    successor.begin().expect("nobody has fenced it since");
}

/// It is told by that, before its next heartbeat.
#[test]
fn a_lane_whose_progress_is_refused_for_its_slot_leaves_its_transactional_id_alone() {
    let (mut fleet, _successor) = with_successor();
    fleet.publish_one(PARTITION, Some("b"), "small");
    let aborted = fleet.cluster.seen().aborted;
    let has_tried = (0..100).any(|_| {
        fleet.turn().expect("it goes on");
        fleet.cluster.seen().aborted > aborted
    });
    assert!(has_tried, "it has committed nothing");
    for _ in 0..300 {
        fleet.turn().expect("it waits");
        assert!(!fleet.lanes[&0].status().connected, "it would fence whoever has the slot");
    }
}

#[test]
fn a_lane_whose_topic_was_made_anew_leaves_no_word_in_the_new_one() {
    let mut fleet = at_work();
    fleet.cluster.make_topic_anew(&input(), 1);
    assert!(matches!(fleet.turn(), Err(LaneError::Kafka { .. })));
    assert_eq!(fleet.position(0), None, "whoever comes next would go on there");
}

#[test]
fn a_lane_that_nobody_waits_for_any_more_comes_to_its_end() {
    let fleet = Fleet::new(12, 1);
    let (member, config) = (fleet.member(0), config("owner".to_owned()));
    let (status, statuses) = channel();
    let observe = move |it| status.send(it).expect("somebody looks");
    let connect = move || Ok(member);
    let lane = run_on_thread("lane", (Echo::new(1), config), connect, pending(), observe);
    let mut lane = Box::pin(lane);
    assert!((&mut lane).now_or_never().is_none());
    while statuses.recv().expect("it runs").partitions == 0 {}
    drop(lane);
    let deadline = Instant::now() + SECOND * 5;
    let ended = loop {
        match statuses.recv_timeout(SECOND) {
            Err(RecvTimeoutError::Disconnected) => break true,
            _ if Instant::now() >= deadline => break false,
            _ => {}
        }
    };
    assert!(ended, "it works on");
}
