//! True lag, where offsets alone would mislead.

use longshore::Exit;
use longshore_schemas::TopicName;
use serde_json::{Value, json};

use crate::harness::*;

fn lag(group: &str, topic: &TopicName) -> Value {
    let (exit, answer) = run_json(&["lag", "--group", group, "--topic", topic.as_str()]);
    assert_eq!(exit, Exit::Done);
    answer[0].clone()
}

fn unfinished(group: &str, topic: &TopicName) -> Value {
    lag(group, topic)["partitions"][0]["unfinished"].clone()
}

#[test]
fn an_idle_topic_full_of_markers_has_no_lag_once_its_end_is_reached() {
    let (group, topic) = (unique("group"), topic("marked"));
    for _ in 0..5 {
        write(&[record(&topic, "k")], End::Commit);
        write(&[record(&topic, "k")], End::Abort);
    }
    // Five records, five aborted ones, ten markers.
    commit(&group, &topic, 20, &[]);
    let idle = lag(&group, &topic);
    assert_eq!(idle["partitions"][0]["unfinished"], json!({"exactly": 0}));
    assert_eq!(idle["worst"], json!(null));
    // Behind the last record, before its marker: nothing is left either, though offsets are.
    commit(&group, &topic, 17, &[]);
    assert_eq!(unfinished(&group, &topic), json!({"exactly": 0}));
    commit(&group, &topic, 0, &[(4, 6)]);
    assert_eq!(unfinished(&group, &topic), json!({"exactly": 4}));
}

#[test]
fn the_next_unfinished_record_is_named_by_its_key() {
    let (group, topic) = (unique("group"), topic("keys"));
    let records: Vec<_> = (0..9).map(|it| record(&topic, &format!("key {it}"))).collect();
    write(&records, End::Commit);
    commit(&group, &topic, 3, &[(3, 5), (7, 8)]);
    let lag = lag(&group, &topic);
    assert_eq!(lag["partitions"][0]["unfinished"], json!({"exactly": 3}));
    let worst = &lag["worst"];
    assert_eq!((&worst["offset"], &worst["key"]), (&json!(5), &json!("key 5")));
    assert_eq!(worst["log_start_offsets"], json!(5));
    assert!(worst["age_ms"].as_u64().is_some_and(|age| age < 60_000), "{worst}");
}

#[test]
fn what_cannot_be_known_is_not_zero() {
    let (group, topic) = (unique("group"), topic("unknown"));
    write(&[record(&topic, "k"), record(&topic, "k"), record(&topic, "k")], End::Commit);
    let unknown = |reason: &str| json!({"unknown": reason});
    assert_eq!(unfinished(&group, &topic), unknown("no committed progress"));
    commit(&group, &topic, 1, &[]);
    let before = [(P0, longshore_kafka::Offset(2))];
    admin().delete_records(&topic, &before).expect("deleted");
    assert_eq!(unfinished(&group, &topic), unknown("records 1 to 2 expired unread"));
}
