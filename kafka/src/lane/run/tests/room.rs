//! What a lane holds stays within its bounds, however large records are.

use super::fixture::*;
use crate::Partition;

/// Of each record's value.
const LARGE: usize = 10_000;
/// How many such records there is room for.
const ROOM: usize = 8;

#[test]
fn a_turn_takes_no_more_records_than_there_is_room_for() {
    let mut fleet = Fleet::new(51, 2);
    for number in 0..100 {
        fleet.publish_one(Partition(number % 2), Some("a"), &"x".repeat(LARGE));
    }
    fleet.start_with(0, |config| config.limits.held_bytes_max = ROOM * LARGE);
    for _ in 0..20_000 {
        fleet.turn().expect("it goes on");
        let held = fleet.lanes[&0].core.held_bytes();
        // Each is held twice at most: as an item and as its outcome.
        assert!(held <= 2 * (ROOM + 1) * (LARGE + 1_000), "{held} bytes");
        if fleet.is_done() {
            return fleet.check();
        }
    }
    panic!("never came to the end: {} of 100", fleet.outputs().len());
}
