//! Partitions are added to the source while it is worked on.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use longshore_kafka::admin::{Isolation, Stability};
use longshore_schemas::TopicName;
use longshore_tests::{Cluster, Fleet, Job, Onlooker, Shape, until};

use crate::naps;

/// Partitions of the source at first, and then.
const BEFORE: usize = 2;
const AFTER: usize = 5;
/// Items before that, for some seconds of work, and as many after it.
const ITEMS: i64 = 3_000;
/// The last of those before it are held until it is done: more than there are keys.
const HELD: i64 = 40;

/// Nobody joins or leaves: the worker itself finds the partitions that have no owner.
#[test]
fn a_worker_that_is_alone_reads_partitions_that_are_added() {
    let fleet = Fleet::new(Cluster::shared(), shape());
    let release = publish_held(&fleet);
    let onlooker = Onlooker::of(&fleet);
    let worker = fleet.worker();
    until("work has begun", || (fleet.ledger().ended() > 0).then_some(()));
    add_partitions(&fleet.items());
    assert!(fleet.ledger().ended() < ITEMS as usize, "there was no work any more");
    fs::write(&release, "").expect("the release is given");
    fleet.publish(naps(ITEMS..2 * ITEMS));
    each_ends_once(&fleet);
    worker.stop();
    onlooker.agrees();
    fleet.audit_is_clean();
}

/// The group is to start at the end of what there is, but it isn't new when the partitions are:
/// what was published into them before it knew of them isn't missed.
#[test]
fn partitions_that_are_added_to_a_known_topic_are_read_from_their_beginning() {
    let fleet = Fleet::new(Cluster::shared(), shape());
    fleet.rewrite(|text| text.replace("start: earliest", "start: latest"));
    let worker = fleet.worker();
    until("the group has progress", || (known_partitions(&fleet) == BEFORE).then_some(()));
    let release = publish_held(&fleet);
    let onlooker = Onlooker::of(&fleet);
    until("work has begun", || (fleet.ledger().ended() > 0).then_some(()));
    add_partitions(&fleet.items());
    assert!(fleet.ledger().ended() < ITEMS as usize, "there was no work any more");
    fs::write(&release, "").expect("the release is given");
    fleet.publish(naps(ITEMS..2 * ITEMS));
    assert_eq!(known_partitions(&fleet), BEFORE, "the group has found them before their items");
    // Dead letters have a partition for each of the source: a worker insists on it.
    let (code, said) = fleet.worker().ends();
    assert_eq!(code, 4, "{said}");
    let dead_letters = format!("{}-dlt", fleet.items());
    assert!(said.contains(&format!("{dead_letters}: has {BEFORE} of {AFTER}")), "{said}");
    add_partitions(&dead_letters.as_str().into());
    let second = fleet.worker();
    each_ends_once(&fleet);
    assert!(second.has_partitions(), "the second worker has nothing to do");
    worker.stop();
    second.stop();
    onlooker.agrees();
    fleet.audit_is_clean();
}

/// Publishes the items before it; the last of each key end when the file is there.
fn publish_held(fleet: &Fleet) -> PathBuf {
    let release = fleet.file("release");
    let held = |job: Job| match job.number < ITEMS - HELD {
        true => job,
        false => job.held_until(&release),
    };
    fleet.publish(naps(0..ITEMS).map(held));
    release
}

fn shape() -> Shape {
    Shape::Stage { partitions: BEFORE as u32 }
}

fn add_partitions(topic: &TopicName) {
    let mut tool = Cluster::shared().tool("org.apache.kafka.tools.TopicCommand");
    tool.args(["--alter", "--topic", topic.as_str(), "--partitions", &AFTER.to_string()]);
    let output = tool.output().expect("Kafka's tool runs");
    assert!(output.status.success(), "{output:?}");
}

/// Those of the source in which the group has progress.
fn known_partitions(fleet: &Fleet) -> usize {
    let found = fleet.progress().read(&fleet.items(), Stability::AsWritten);
    found.expect("the Kafka answers").iter().filter(|(_, it)| it.is_some()).count()
}

/// Keys have moved between partitions, so only the audit can say whether they are in order: those
/// of each partition have to be.
fn each_ends_once(fleet: &Fleet) {
    fleet.until_ended(2 * ITEMS as usize);
    fleet.ledger().each_once(2 * ITEMS);
    let later = fleet.published(Isolation::Committed).into_iter();
    let later = later.filter(|(_, job)| job.number >= ITEMS);
    let partitions: BTreeSet<_> = later.map(|(partition, _)| partition).collect();
    assert_eq!(partitions.len(), AFTER, "a partition has no items");
}
