//! What a user can get wrong: each is named, with the exit code that stands for it.

use std::collections::BTreeMap;

use longshore_kafka::admin::NewTopic;
use longshore_tests::{Cluster, Fleet, Shape};

use crate::naps;

const STAGE: Shape = Shape::Stage { partitions: 2 };

fn fails(fleet: &Fleet, command: &[&str], code: i32, what: &[&str]) {
    let (ended, said) = fleet.process(command).ends();
    assert_eq!(ended, code, "{said}");
    for word in what {
        assert!(said.contains(word), "nothing of `{word}`:\n{said}");
    }
}

#[test]
fn a_wrong_pipeline_file_is_named_with_its_line() {
    let fleet = Fleet::without_topics(Cluster::shared(), STAGE);
    fleet.rewrite(|text| text.replace("attempts", "atempts"));
    fails(&fleet, &["work"], 2, &["pipeline.yaml:5", "atempts", "attempts"]);
}

#[test]
fn an_unknown_handler_is_named_with_those_that_there_are() {
    let fleet = Fleet::without_topics(Cluster::shared(), STAGE);
    fleet.rewrite(|text| text.replace("handler: work", "handler: wrok"));
    fails(&fleet, &["work"], 2, &["pipeline.yaml:5", "wrok", "work"]);
}

#[test]
fn an_unknown_schema_is_named() {
    let fleet = Fleet::without_topics(Cluster::shared(), STAGE);
    fleet.rewrite(|text| text.replace("schema: Job", "schema: Order"));
    fails(&fleet, &["work"], 2, &["pipeline.yaml:3", "Order"]);
}

#[test]
fn a_pipeline_file_that_is_not_there_is_named() {
    let fleet = Fleet::without_topics(Cluster::shared(), STAGE);
    let missing = fleet.file("missing.yaml");
    let process = fleet.process_at(Cluster::shared().servers(), &missing, &["work"]);
    let (code, said) = process.ends();
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("missing.yaml"), "{said}");
}

#[test]
fn a_kafka_that_does_not_answer_is_named() {
    let fleet = Fleet::without_topics(Cluster::shared(), STAGE);
    let nobody = "127.0.0.1:9";
    let process = fleet.process_at(nobody, &fleet.file("pipeline.yaml"), &["work"]);
    let (code, said) = process.ends();
    assert_eq!(code, 3, "{said}");
    assert!(said.contains(nobody), "{said}");
}

#[test]
fn topics_that_are_not_there_are_named() {
    let fleet = Fleet::without_topics(Cluster::shared(), STAGE);
    let items = fleet.items();
    fails(&fleet, &["work"], 4, &[items.as_str(), "longshore apply"]);
}

#[test]
fn a_topic_of_the_pipeline_with_too_few_partitions_is_named() {
    let fleet = Fleet::without_topics(Cluster::shared(), Shape::Join);
    let parts = format!("{}.split", fleet.name());
    let narrow = NewTopic {
        name: parts.as_str().into(),
        partitions: 1,
        replication: None,
        settings: BTreeMap::new(),
    };
    fleet.admin().create_topics(&[narrow]).expect("the topic is made");
    fails(&fleet, &["apply"], 4, &[&parts, "has 1 of 2 partitions"]);
}

#[test]
fn items_that_do_not_fit_the_schema_are_dead_letters_of_the_source() {
    let fleet = Fleet::new(Cluster::shared(), STAGE);
    let file = fleet.file("wrong.jsonl");
    let lines = "{\"key\": \"a\", \"number\": 0, \"does\": \"echo\"}\n{\"key\": 7}\nno JSON\n";
    std::fs::write(&file, lines).expect("a file of items");
    let said = fleet.succeeds(&["produce", file.to_str().expect("a path in UTF-8")]);
    assert!(said.contains("2 dead letters"), "{said}");
}

#[test]
fn a_topic_that_is_deleted_under_the_fleet_stops_it() {
    let fleet = Fleet::new(Cluster::shared(), STAGE);
    fleet.publish(naps(0..2_000));
    let worker = fleet.worker();
    fleet.until_ended(1);
    fleet.admin().delete_topics(&[fleet.items()]).expect("the topic is deleted");
    let (code, said) = worker.ends();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains(fleet.items().as_str()), "{said}");
}
