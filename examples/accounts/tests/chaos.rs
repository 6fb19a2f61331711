//! `chaos` on a real Kafka: it finds the planted bug, and nothing where there is none.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// Items of a run.
const ITEMS: i64 = 3_000;
/// Accounts that they are for.
const ACCOUNTS: i64 = 50;

/// A folder with deposits.
fn deposits() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut lines = String::new();
    for number in 0..ITEMS {
        let (account, cents) = (number * 7 % ACCOUNTS, number % 1_000 + 1);
        let line = format!(r#"{{"account": "a{account}", "number": {number}, "cents": {cents}}}"#);
        writeln!(lines, "{line}").expect("memory");
    }
    let file = folder.path().join("deposits.jsonl");
    fs::write(&file, lines).expect("a file");
    (folder, file)
}

fn chaos(pipeline: &str, input: &Path, arguments: &[&str]) -> Output {
    let pipeline = Path::new(env!("CARGO_MANIFEST_DIR")).join(pipeline);
    let mut command = Command::new(env!("CARGO_BIN_EXE_accounts"));
    command.arg("chaos").arg(input).arg("--pipeline").arg(pipeline).args(["-o", "json"]);
    command.args(arguments).output().expect("the program runs")
}

fn report(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no report:\n{said}"))
}

#[test]
fn a_bug_that_shows_only_when_processes_die_is_found_and_nothing_where_there_is_none() {
    let (_folder, input) = deposits();
    let kills = ["--for", "12s", "--faults", "kill", "--shown", "3"];
    let output = chaos("balances.yaml", &input, &kills);
    let found = report(&output);
    assert_eq!(output.status.code(), Some(1), "{found:#}");
    assert_eq!(found["verdict"], "bad", "{found:#}");
    let difference = &found["report"]["difference"];
    assert_eq!(difference["compared"], ITEMS, "{found:#}");
    assert!(difference["missing"].as_u64() > Some(0), "{found:#}");
    assert_eq!(difference["shown"].as_array().map(Vec::len), Some(3), "{found:#}");
    assert_eq!(found["report"]["audit"]["faults"], Value::Array(vec![]), "{found:#}");

    let output = chaos("receipts.yaml", &input, &["--for", "25s"]);
    let found = report(&output);
    assert_eq!(found["verdict"], "good", "{found:#}");
    assert_eq!(output.status.code(), Some(0), "{found:#}");
    let tally = &found["report"]["stormy"]["tally"];
    for kind in ["kills", "freezes", "disturbances", "broker_kills"] {
        assert!(tally[kind].as_u64() > Some(0), "{kind}: {found:#}");
    }
    assert_eq!(found["report"]["difference"]["compared"], ITEMS, "{found:#}");
}

#[test]
fn what_can_not_be_published_twice_is_refused_before_anything_begins() {
    let missing = ["no-such-file.jsonl", "-", "tpch:nought"];
    let words = ["no-such-file.jsonl can't be read", "can't be published twice", "a scale is"];
    for (input, words) in missing.iter().zip(words) {
        let output = chaos("receipts.yaml", Path::new(input), &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{said}");
    }
}
