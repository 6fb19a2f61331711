//! More records than an audit keeps in memory.

use std::io::Write;
use std::process::Command;
use std::{env, fs};

use bytes::Bytes;
use longshore_kafka::{Commit, Outgoing, Transaction};
use longshore_schemas::TopicName;
use serde_json::{Value, json};

use crate::harness::*;

/// Items of a transaction: behind each stands a marker.
const AT_ONCE: i64 = 20_000;
/// Bytes of an item's value, and of an output's.
const VALUE: usize = 200;
/// Where the process of an audit finds what to audit, and where it says what it found.
const ARGUMENTS: &str = "LONGSHORE_AUDIT_ARGUMENTS";
const ANSWER: &str = "LONGSHORE_AUDIT_ANSWER";
/// Items of a run that takes some seconds: their facts are sorted in several runs, and the values
/// of both topics are more than such an audit may take.
const SOME: i64 = 800_000;
/// What an audit may take at its peak, however much it audits: with buffers that say little (149 to
/// 180 MiB were measured), and with those that it has by default.
const SMALL_PEAK_MIB: u64 = 256;
const PEAK_MIB: u64 = 320;

#[test]
fn an_audit_of_more_than_its_memory_takes_no_more_of_it() {
    let stage = Stage::write(SOME);
    let peak = stage.is_clean(&["--buffers", "16MiB"]);
    tell(&format!("{} MiB of values, {peak} MiB", (2 * SOME as usize * VALUE) >> 20));
    assert!(peak <= SMALL_PEAK_MIB, "{peak} MiB");
}

/// Millions of items unless it is told otherwise, so it is run by name only:
/// `LONGSHORE_AUDIT_ITEMS=4000000 cargo test -p longshore --test inspection -- --ignored large`.
#[test]
#[ignore = "minutes"]
fn a_large_stage_is_clean_and_a_fault_in_it_is_found() {
    let items = env::var("LONGSHORE_AUDIT_ITEMS").ok().and_then(|it| it.parse().ok());
    let stage = Stage::write(items.unwrap_or(2_000_000) / AT_ONCE * AT_ONCE);
    let small = stage.is_clean(&["--buffers", "16MiB"]);
    let first = stage.is_clean(&[]);
    let Stage { items, input, output, .. } = &stage;
    let doubled = items / 3;
    write(&[made_of(output, input, doubled)], End::Commit);
    let (answer, second) = stage.audit(&[]);
    let (place, origin) = (offset_of(*items), offset_of(doubled));
    let what = format!("{output}/0/{place} is a second record of origin {input}/0/{origin}/0");
    let faults = &answer["report"]["faults"];
    assert_eq!(*faults, json!([{"breaks": "EO-3", "what": what}]));
    tell(&format!("{items} items, {small} MiB; with buffers by default {first}, {second} MiB"));
    assert!(small <= SMALL_PEAK_MIB && first.max(second) <= PEAK_MIB);
}

/// The process that the others start, whose memory is an audit's alone.
#[test]
#[ignore = "started by others"]
fn an_audit_in_a_process_of_its_own() {
    let (Ok(stage), Ok(file)) = (env::var(ARGUMENTS), env::var(ANSWER)) else { return };
    let arguments: Vec<_> = ["audit"].into_iter().chain(stage.split(' ')).collect();
    let (_, answer) = run_json(&arguments);
    let status = fs::read_to_string("/proc/self/status").expect("a system that counts");
    let peak = status.lines().find_map(|it| it.strip_prefix("VmHWM:")).expect("it is counted");
    let peak = peak.trim().strip_suffix(" kB").and_then(|it| it.parse::<u64>().ok());
    let told = json!({"peak_kib": peak.expect("a number"), "answer": answer});
    fs::write(file, told.to_string()).expect("written");
}

/// A stage that has made one output of each item.
struct Stage {
    items: i64,
    input: TopicName,
    output: TopicName,
    group: String,
}

impl Stage {
    fn write(items: i64) -> Self {
        let (input, output, group) = (topic("in"), topic("out"), unique("group"));
        write_all(items, |item| {
            let value = Some(Bytes::from(format!("{item:0VALUE$}")));
            Outgoing { value, ..record(&input, &format!("key {}", item % 1_000)) }
        });
        write_all(items, |item| made_of(&output, &input, item));
        commit(&group, &input, offset_of(items), &[]);
        Self { items, input, output, group }
    }

    /// An audit in a process of its own finds nothing, and has looked at everything: the most
    /// memory that it took, in MiB.
    fn is_clean(&self, options: &[&str]) -> u64 {
        let (answer, peak) = self.audit(options);
        assert_eq!(answer["verdict"], json!("clean"), "{answer:#}");
        let stage = &answer["report"]["stages"][0];
        let looked_at = ["finished", "records", "in_order"].map(|it| stage[it].as_i64());
        assert_eq!(looked_at, [Some(self.items); 3]);
        peak
    }

    fn audit(&self, options: &[&str]) -> (Value, u64) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("answer");
        let stage = [self.output.as_str(), "--input", self.input.as_str(), "--group", &self.group];
        let arguments = [&stage[..], options].concat().join(" ");
        let test = format!("{}::an_audit_in_a_process_of_its_own", module());
        let mut process = Command::new(env::current_exe().expect("a path of the test"));
        process.args(["--ignored", "--exact", &test]).env(ARGUMENTS, arguments);
        process.env(ANSWER, &file).env("LONGSHORE_BOOTSTRAP_SERVERS", kafka());
        let ended = process.output().expect("it starts");
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
        let told = fs::read(&file).expect("it has answered");
        let mut told: Value = serde_json::from_slice(&told).expect("JSON");
        (told["answer"].take(), told["peak_kib"].as_u64().expect("a number") >> 10)
    }
}

fn tell(what: &str) {
    writeln!(std::io::stdout(), "{what}").expect("somebody reads it");
}

/// This module's path in the test binary.
fn module() -> &'static str {
    module_path!().split_once("::").map_or("", |(_, path)| path)
}

/// Where an item stands.
fn offset_of(item: i64) -> i64 {
    item + item / AT_ONCE
}

fn made_of(output_topic: &TopicName, input: &TopicName, item: i64) -> Outgoing {
    let value = Some(Bytes::from(format!("{item:0VALUE$}")));
    Outgoing { value, ..output(output_topic, input, offset_of(item)) }
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
