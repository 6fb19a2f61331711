//! Nothing goes wrong.

use longshore_tests::{Cluster, Fleet, Shape};

use crate::echoes;

#[test]
fn every_item_ends_once_and_those_of_a_key_in_order() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 4 });
    fleet.publish(echoes(0..3_000));
    let worker = fleet.worker();
    fleet.until_ended(3_000);
    worker.stop();
    let ledger = fleet.ledger();
    ledger.each_once(3_000);
    ledger.in_key_order();
    assert_eq!(ledger.done().len(), 3_000);
    assert_eq!(fleet.outputs_by_witness(), 3_000);
    fleet.audit_is_clean();
}

#[test]
fn items_published_twice_are_there_once() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 2 });
    fleet.publish(echoes(0..100));
    let file = fleet.file("items-1.jsonl");
    let file = file.to_str().expect("a path in UTF-8");
    let said = fleet.succeeds(&["produce", file, "--source-id", file]);
    assert!(said.contains("already published"), "{said}");
    let worker = fleet.worker();
    fleet.until_ended(100);
    worker.stop();
    fleet.ledger().each_once(100);
}
