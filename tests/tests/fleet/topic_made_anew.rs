//! A topic is deleted and made again under its name: its offsets name other records then.

use std::time::Duration;

use longshore_kafka::admin::Stability;
use longshore_kafka::lane::broker::{Committed, Sent};
use longshore_kafka::lane::progress::{FinishedMap, Metadata};
use longshore_kafka::{Offset, Partition};
use longshore_tests::{Cluster, Fleet, Onlooker, Shape, until};

use crate::echoes;

/// Items of the topic that is deleted.
const OLD: i64 = 100;
/// Items of the new one: more, so that a position in the old one lies in the middle of it.
const NEW: std::ops::Range<i64> = 1_000..1_300;
/// As long as a worker may stand still and keep its place.
const SESSION: Duration = Duration::from_secs(60);

fn fleet() -> Fleet {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 1 });
    fleet.publish(echoes(0..OLD));
    fleet
}

/// The source is deleted, made again, and filled with the new items.
fn make_source_anew(fleet: &Fleet) {
    fleet.admin().delete_topics(&[fleet.items()]).expect("it can be deleted");
    fleet.succeeds(&["apply"]);
    fleet.publish(echoes(NEW));
}

fn position(fleet: &Fleet) -> Option<Sent> {
    let found = fleet.progress().read(&fleet.items(), Stability::Stable);
    let (partition, committed) = found.expect("the Kafka answers").remove(0);
    Some(Sent { partition, committed: committed? })
}

/// Each item of the old topic and each of the new one is done once.
fn both_are_done(fleet: &Fleet) {
    let mut done = fleet.ledger().done();
    done.sort_unstable();
    assert!(done.iter().copied().eq((0..OLD).chain(NEW)), "{done:?}");
    fleet.ledger().in_key_order();
}

#[test]
fn a_worker_does_not_read_on_in_the_middle_of_the_new_topic() {
    let fleet = fleet();
    let onlooker = Onlooker::of(&fleet);
    let worker = fleet.worker_with_session(SESSION);
    fleet.until_ended(OLD as usize);
    // With nothing more to commit: progress of the old topic would stand beside the new one.
    until("its position is at the end", || {
        let end = fleet.admin().watermarks(&fleet.items()).expect("the Kafka answers")[0].high;
        (position(&fleet)?.committed.offset == end).then_some(())
    });
    worker.freeze();
    make_source_anew(&fleet);
    worker.thaw();
    let (code, said) = worker.ends();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("was deleted and made again while it was worked on"), "{said}");
    assert_eq!(fleet.ledger().ended(), OLD as usize, "something of the new one was done");

    let worker = fleet.worker();
    fleet.until_ended(OLD as usize + NEW.count());
    worker.stop();
    both_are_done(&fleet);
    onlooker.agrees();
}

#[test]
fn progress_that_was_committed_too_late_counts_for_the_old_topic_only() {
    let fleet = fleet();
    let onlooker = Onlooker::of(&fleet);
    let worker = fleet.worker();
    fleet.until_ended(OLD as usize);
    worker.stop();
    let of_old = position(&fleet).expect("it has committed");
    make_source_anew(&fleet);
    // As a worker does that hasn't heard yet.
    fleet.progress().write(&fleet.items(), &[of_old]).expect("progress is written");
    let (code, said) = fleet.worker().ends();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("`longshore progress start-anew` begins at the first record"), "{said}");
    assert_eq!(fleet.ledger().ended(), OLD as usize, "something of the new one was done");

    let said = fleet.succeeds(&["progress", "start-anew", "--stage", "work"]);
    assert!(said.contains("begin this one at its first record, 0"), "{said}");
    fleet.succeeds(&["progress", "start-anew", "--stage", "work", "--yes"]);
    let worker = fleet.worker();
    fleet.until_ended(OLD as usize + NEW.count());
    worker.stop();
    both_are_done(&fleet);
    onlooker.agrees();
}

#[test]
fn progress_that_an_earlier_version_wrote_is_taken_up_and_upgraded() {
    let fleet = fleet();
    let worker = fleet.worker();
    fleet.until_ended(OLD as usize);
    worker.stop();
    let last = position(&fleet).expect("it has committed").committed;
    let last = Metadata::parse(&last.metadata, last.offset).expect("usable").expect("ours");

    // The earlier version has done all but the first three and the last three.
    let fleet = self::fleet();
    let mut finished = FinishedMap::default();
    finished.push(Offset(3), Offset(OLD - 3));
    let before = Metadata { base: Offset(0), topic: None, finished, ..last };
    let committed = Committed { offset: Offset(0), metadata: before.to_string() };
    assert!(committed.metadata.starts_with("ls1:"), "{committed:?}");
    let sent = Sent { partition: Partition(0), committed };
    fleet.progress().write(&fleet.items(), &[sent]).expect("progress is written");
    let worker = fleet.worker();
    fleet.until_ended(6);
    worker.stop();
    // Items of different keys end in any order.
    let mut done = fleet.ledger().done();
    done.sort_unstable();
    assert_eq!(done, [0, 1, 2, OLD - 3, OLD - 2, OLD - 1]);
    let after = position(&fleet).expect("it has committed");
    assert!(after.committed.metadata.starts_with("ls2:"), "{after:?}");
}
