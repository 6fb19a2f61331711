//! A position whose records are gone: the lane stops and says so, and works on nothing.

use longshore_kafka::lane::broker::{Committed, Sent};
use longshore_kafka::{Offset, Partition};
use longshore_tests::{Cluster, Fleet, Shape};

use crate::echoes;

/// A fleet of one partition whose first hundred items are done, and nobody runs.
fn after_a_hundred() -> Fleet {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 1 });
    fleet.publish(echoes(0..100));
    let worker = fleet.worker();
    fleet.until_ended(100);
    worker.stop();
    fleet
}

fn stops_saying(fleet: &Fleet, what: &str) {
    let (code, said) = fleet.worker().ends();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains(what), "nothing of `{what}`:\n{said}");
    assert_eq!(fleet.ledger().ended(), 100);
}

#[test]
fn a_position_below_the_start_of_the_log_stops_the_lane() {
    let fleet = after_a_hundred();
    fleet.publish(echoes(100..200));
    fleet.admin().delete_records(&fleet.items(), &[(Partition(0), Offset(150))]).expect("deleted");
    stops_saying(&fleet, "expired before they were processed");
}

#[test]
fn a_position_beyond_the_end_of_the_log_stops_the_lane() {
    let fleet = after_a_hundred();
    // As any tool moves offsets: the metadata beside them is lost.
    let beyond = Committed { offset: Offset(10_000), metadata: String::new() };
    let beyond = Sent { partition: Partition(0), committed: beyond };
    fleet.progress().write(&fleet.items(), &[beyond]).expect("progress is written");
    stops_saying(&fleet, "but the log ends at");
}
