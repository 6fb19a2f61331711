//! Progress is shown as it is, and changed as it is said.

use longshore::{Exit, Fleet};
use longshore_kafka::Offset;
use longshore_kafka::client::{BrokerOptions, KafkaBroker};
use longshore_kafka::lane::broker::Broker;
use longshore_schemas::TopicName;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

use crate::harness::*;

fn progress(what: &str, group: &str, topic: &TopicName, more: &[&str]) -> Value {
    let line = ["progress", what, "--group", group, "--topic", topic.as_str()];
    let line: Vec<_> = line.iter().chain(more).copied().collect();
    let (exit, answer) = run_json(&line);
    assert_eq!(exit, Exit::Done);
    answer
}

fn filled(count: usize) -> (String, TopicName) {
    let (group, topic) = (unique("group"), topic("in"));
    write(&vec![record(&topic, "k"); count], End::Commit);
    (group, topic)
}

#[test]
fn a_map_is_shown_and_dropped_only_when_told_to() {
    let (group, topic) = filled(10);
    commit(&group, &topic, 2, &[(4, 6), (8, 9)]);
    let shown = progress("show", &group, &topic, &[])[0].clone();
    assert_eq!((&shown["position"], &shown["finished"]), (&json!(2), &json!([[4, 6], [8, 9]])));
    assert_eq!((&shown["owner"], &shown["order"]), (&json!("test.1"), &json!("k")));

    let said = progress("drop-map", &group, &topic, &[]);
    assert_eq!(said["done"], json!(false));
    assert!(said["changes"][0].as_str().unwrap().contains("3 finished offsets ahead"), "{said}");
    assert_eq!(progress("show", &group, &topic, &[])[0], shown);

    assert_eq!(progress("drop-map", &group, &topic, &["--yes"])["done"], json!(true));
    let after = progress("show", &group, &topic, &[])[0].clone();
    assert_eq!((&after["position"], &after["finished"]), (&json!(2), &json!([])));
    assert_eq!(progress("drop-map", &group, &topic, &["--yes"])["changes"], json!([]));
}

#[test]
fn an_accepted_loss_is_counted_and_leaves_the_rest_of_the_map() {
    let (group, topic) = filled(20);
    commit(&group, &topic, 2, &[(4, 6), (10, 14), (16, 17)]);
    assert_eq!(progress("accept-loss", &group, &topic, &["--yes"])["changes"], json!([]));
    admin().delete_records(&topic, &[(P0, Offset(12))]).expect("deleted");
    let said = progress("accept-loss", &group, &topic, &["--yes"]);
    // From 2 to 12 are ten offsets, of which 4, 5, 10 and 11 were finished.
    assert!(said["changes"][0].as_str().unwrap().contains("at most 6 items"), "{said}");
    let after = progress("show", &group, &topic, &[])[0].clone();
    assert_eq!((&after["position"], &after["finished"]), (&json!(14), &json!([[16, 17]])));
}

#[test]
fn a_position_beyond_the_end_goes_back_to_it() {
    let (group, topic) = filled(3);
    commit(&group, &topic, 100, &[]);
    progress("accept-loss", &group, &topic, &["--yes"]);
    assert_eq!(progress("show", &group, &topic, &[])[0]["position"], json!(4));
}

#[test]
fn a_group_with_members_is_left_alone() {
    let (group, topic) = filled(10);
    commit(&group, &topic, 2, &[(4, 6)]);
    let mut member = KafkaBroker::connect(BrokerOptions {
        settings: settings(),
        topic: topic.clone(),
        group: group.clone(),
        slot: None,
        transactional_id: unique("txn"),
    })
    .expect("connected");
    let until = Instant::now() + Duration::from_secs(60);
    let line = ["progress", "drop-map", "--group", &group, "--topic", topic.as_str(), "--yes"];
    loop {
        member.poll(Duration::from_millis(100)).expect("polled");
        let members = admin().group(&group).expect("asked").map_or(0, |it| it.members.len());
        if members > 0 {
            break;
        }
        assert!(Instant::now() < until, "never joined");
    }
    let (exit, _) = run(&Fleet::new(), &line);
    assert!(exit.unwrap_err().contains("has members"));
    assert_eq!(progress("show", &group, &topic, &[])[0]["finished"], json!([[4, 6]]));
    member.close();
}
