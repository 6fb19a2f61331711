//! Dead letters are told with all that their headers say.

use longshore::{Exit, Fleet};
use longshore_schemas::Timestamp;
use longshore_schemas::headers::Failure;
use serde_json::json;

use crate::harness::*;

#[test]
fn the_newest_of_a_stage_are_listed() {
    let topic = topic("in-dlt");
    let letter = |stage: &str, number: i64| {
        let mut record = record(&topic, &format!("key {number}"));
        let failure = Failure {
            class: "poison".into(),
            message: format!("line {number} has no price"),
            origin: format!("in/3/{number}/0").parse().unwrap(),
            attempts: 5,
            stage: stage.into(),
            failed_at: Timestamp(1_700_000_000_000 + number),
            item_time: None,
        };
        failure.write(&mut record.headers);
        record
    };
    let mut letters: Vec<_> = (0..10).map(|it| letter("price", it)).collect();
    letters.push(letter("pack", 10));
    write(&letters, End::Commit);
    write(&letters, End::Abort);
    let line = ["dlq", "list", "--topic", topic.as_str(), "--stage", "price", "--limit", "2"];
    let (exit, answer) = run_json(&line);
    assert_eq!((exit, &answer["count"]), (Exit::Done, &json!(10)));
    let kept = answer["letters"].as_array().unwrap();
    let expected = json!({
        "topic": topic.as_str(), "partition": 0, "offset": 9, "class": "poison",
        "message": "line 9 has no price", "origin": "in/3/9/0", "stage": "price", "attempts": 5,
        "failed_at_ms": 1_700_000_000_009_i64, "key": "key 9",
    });
    assert_eq!((kept.len(), &kept[1]), (2, &expected));
    let (_, table) = run(&Fleet::new(), &line);
    assert!(table.contains("2023-11-14T22:13:20.009Z  price  poison  5"), "{table}");
    assert!(table.ends_with("2 of 10 dead letters\n"), "{table}");
}
