//! More records than an audit keeps in memory.

use std::io::Write;

use longshore::Exit;
use longshore_kafka::{Commit, Outgoing, Transaction};
use longshore_schemas::TopicName;
use serde_json::json;

use crate::harness::*;

/// Items of a transaction: behind each stands a marker.
const AT_ONCE: i64 = 20_000;

/// Millions of items unless it is told otherwise, so it is run by name only:
/// `LONGSHORE_AUDIT_ITEMS=4000000 cargo test -p longshore --test inspection -- --ignored large`.
/// It prints the command by which the same audit can be made and measured in a process of its own.
#[test]
#[ignore = "minutes"]
fn a_large_stage_is_clean_and_a_fault_in_it_is_found() {
    let items = std::env::var("LONGSHORE_AUDIT_ITEMS").ok().and_then(|it| it.parse().ok());
    let items: i64 = items.unwrap_or(2_000_000) / AT_ONCE * AT_ONCE;
    let (input, output, group) = (topic("in"), topic("out"), unique("group"));
    write_all(items, |item| record(&input, &format!("key {}", item % 1_000)));
    write_all(items, |item| made_of(&output, &input, item));
    commit(&group, &input, offset_of(items), &[]);
    let stage = [output.as_str(), "--input", input.as_str(), "--group", &group];
    let command = format!("longshore audit -b {} {}", kafka(), stage.join(" "));
    writeln!(std::io::stdout(), "{command}").expect("somebody reads it");

    let audit = || run_json(&["audit"].into_iter().chain(stage).collect::<Vec<_>>());
    let (exit, answer) = audit();
    assert_eq!((exit, &answer["verdict"]), (Exit::Done, &json!("clean")), "{answer:#}");
    let stage = &answer["report"]["stages"][0];
    assert_eq!((&stage["finished"], &stage["records"]), (&json!(items), &json!(items)));
    assert_eq!(stage["in_order"], json!(items));

    let doubled = items / 3;
    write(&[made_of(&output, &input, doubled)], End::Commit);
    let (_, answer) = audit();
    let (place, origin) = (offset_of(items), offset_of(doubled));
    let what = format!("{output}/0/{place} is a second record of origin {input}/0/{origin}/0");
    let faults = &answer["report"]["faults"];
    assert_eq!(*faults, json!([{"breaks": "EO-3", "what": what}]));
}

/// Where an item stands.
fn offset_of(item: i64) -> i64 {
    item + item / AT_ONCE
}

fn made_of(output_topic: &TopicName, input: &TopicName, item: i64) -> Outgoing {
    output(output_topic, input, offset_of(item))
}

fn write_all(items: i64, record: impl Fn(i64) -> Outgoing) {
    let mut producer = producer();
    for first in (0..items).step_by(AT_ONCE as usize) {
        let mut transaction = Transaction::begin(&mut producer, DEADLINE).expect("begun");
        for (tag, item) in (first..first + AT_ONCE).enumerate() {
            transaction.produce(&record(item), tag).expect("produced");
        }
        transaction.deliver().expect("delivered");
        assert!(matches!(transaction.commit(), Commit::Committed));
    }
}
