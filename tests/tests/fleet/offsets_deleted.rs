//! Somebody deletes the group's progress.

use longshore_tests::{Cluster, Fleet, Rounds, Shape, Watch};

use crate::echoes;

/// Items of a test.
const ITEMS: i64 = 400;

#[test]
fn the_progress_of_a_group_at_work_cannot_be_deleted() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 2 });
    let mut work = Rounds::publish_of(ITEMS, &fleet, 2);
    let (items, watch) = (work.items(), Watch::of(&fleet));
    let worker = fleet.worker();
    fleet.until_ended(1);
    work.next();
    let said = delete_offsets(&fleet);
    assert_eq!(said.matches("GroupSubscribedToTopicException").count(), 2, "{said}");
    work.finish();
    watch.ends_well(items, [worker]);
}

/// With `start: earliest`, and nothing else, it would look like a new group.
#[test]
fn a_stage_whose_progress_was_deleted_does_nothing_again_until_it_is_told_to() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 2 });
    fleet.publish(echoes(0..ITEMS));
    let worker = fleet.worker();
    fleet.until_ended(ITEMS as usize);
    worker.stop();
    let said = delete_offsets(&fleet);
    assert!(said.contains("Successful"), "{said}");
    let (code, said) = fleet.worker().ends();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("the group has worked on it before, and its progress is gone"), "{said}");
    fleet.ledger().each_once(ITEMS);

    let again = ["progress", "start-anew", "--stage", "work"];
    let said = fleet.succeeds(&again);
    assert!(said.contains("whatever was done before is done again"), "{said}");
    fleet.succeeds(&[&again[..], &["--yes"]].concat());
    let worker = fleet.worker();
    fleet.until_ended(2 * ITEMS as usize);
    worker.stop();

    // What was begun by somebody's word is known as well.
    delete_offsets(&fleet);
    let (code, said) = fleet.worker().ends();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("its progress is gone"), "{said}");
    assert_eq!(fleet.ledger().ended(), 2 * ITEMS as usize);
}

/// A group that is new has to be told, and isn't taken for one that has lost its progress.
#[test]
fn a_stage_that_never_began_asks_where_to_start() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 2 });
    fleet.publish(echoes(0..ITEMS));
    fleet.rewrite(|text| text.replace(", start: earliest", ""));
    let (code, said) = fleet.worker().ends();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("the group has no committed progress in this topic"), "{said}");
    assert_eq!(fleet.ledger().ended(), 0);
}

/// By Kafka's own tool: what it said.
pub fn delete_offsets(fleet: &Fleet) -> String {
    let class = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";
    let mut tool = Cluster::shared().tool(class);
    let group = format!("{}.work", fleet.name());
    tool.args(["--delete-offsets", "--group", &group, "--topic", fleet.items().as_str()]);
    let output = tool.output().expect("Kafka's tool runs");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}
