//! A group whose progress is gone is told from a new one by what it has begun.

use super::fixture::*;
use crate::lane::broker::Committed;
use crate::lane::error::LaneError;
use crate::lane::start::StartError;
use crate::model::{Call, Fault};
use crate::{Offset, Partition, Remedy};

const PARTITION: Partition = Partition(0);

fn fleet(seed: u64, partitions: i32) -> Fleet {
    let fleet = Fleet::new(seed, partitions);
    fleet.cluster.create_topic(&marks(), 1);
    fleet
}

fn start(fleet: &mut Fleet, slot: usize) {
    fleet.start_with(slot, |config| config.marks = Some(marks()));
}

/// The keys of the marks that are there.
fn begun(fleet: &Fleet) -> Vec<String> {
    let key = |key: &[u8]| String::from_utf8(key.to_vec()).expect("text");
    let marks = fleet.cluster.read_committed(&marks());
    marks.iter().map(|it| key(it.key.as_deref().expect("a key"))).collect()
}

/// What a lane stops with.
fn stops(fleet: &mut Fleet) -> LaneError {
    let error = (0..1_000).find_map(|_| fleet.turn().err());
    error.expect("it doesn't stop")
}

fn drain(fleet: &mut Fleet, slot: usize) {
    fleet.lanes.get_mut(&slot).expect("it runs").begin_drain();
    fleet.until("it drains", |fleet| fleet.lanes[&slot].is_drained());
    fleet.lanes.remove(&slot);
}

#[test]
fn progress_that_is_gone_is_not_taken_for_a_new_group() {
    for seed in 0..20 {
        let mut fleet = fleet(seed, 2);
        fleet.publish(60);
        start(&mut fleet, 0);
        fleet.until("it works", Fleet::is_done);
        drain(&mut fleet, 0);
        let before = fleet.position(0);
        fleet.cluster.set_committed(GROUP, &input(), PARTITION, None);
        start(&mut fleet, 0);
        let error = stops(&mut fleet);
        let reason = StartError::ProgressLost { partition: PARTITION };
        assert!(matches!(&error, LaneError::Start { reason: it, .. } if *it == reason), "{error}");
        assert!(error.to_string().contains("`longshore progress start-anew`"), "{error}");
        fleet.crash(0);
        fleet.check();

        // Somebody says where it stood.
        let offset = before.expect("it has committed");
        let committed = Committed { offset, metadata: String::new() };
        fleet.cluster.set_committed(GROUP, &input(), PARTITION, Some(committed));
        fleet.publish(20);
        start(&mut fleet, 1);
        fleet.until("it does the rest", Fleet::is_done);
        fleet.check();
    }
}

/// Each owner marks what it commits in: whoever wrote what it found may not have.
#[test]
fn a_partition_is_marked_once_in_each_assignment() {
    let mut fleet = fleet(3, 2);
    start(&mut fleet, 0);
    fleet.cluster.fail_next_of("g-0", Call::Commit, Fault::Fails(Remedy::Rebuild));
    fleet.until("it commits where it begins", |fleet| {
        fleet.position(0).and(fleet.position(1)).is_some()
    });
    for round in 1..4 {
        fleet.publish(20);
        fleet.until("it works", Fleet::is_done);
        let begun = begun(&fleet);
        for key in ["g/in/0", "g/in/1"] {
            let marks = begun.iter().filter(|it| *it == key).count();
            assert_eq!(marks, round, "of {key} after so many assignments");
        }
        drain(&mut fleet, 0);
        start(&mut fleet, 0);
    }
    fleet.check();
}

#[test]
fn a_topic_that_is_made_anew_is_begun_anew() {
    let mut fleet = fleet(4, 1);
    fleet.publish(20);
    start(&mut fleet, 0);
    fleet.until("it works", Fleet::is_done);
    drain(&mut fleet, 0);
    fleet.make_input_anew();
    start(&mut fleet, 0);
    fleet.until("it begins", |fleet| fleet.position(0) == Some(Offset(0)));
    drain(&mut fleet, 0);
    // What was marked last counts.
    fleet.cluster.set_committed(GROUP, &input(), PARTITION, None);
    start(&mut fleet, 0);
    let error = stops(&mut fleet);
    assert!(matches!(error, LaneError::Start { .. }), "{error}");
}

#[test]
fn a_topic_that_takes_no_mark_is_no_item_s_fault() {
    let mut fleet = fleet(5, 1);
    fleet.cluster.limit_messages(&marks(), 1);
    fleet.publish(3);
    start(&mut fleet, 0);
    let error = stops(&mut fleet).to_string();
    assert!(error.contains("begun doesn't take that a partition was begun"), "{error}");
    assert!(fleet.cluster.read_committed(&dead_letters()).is_empty());
}
