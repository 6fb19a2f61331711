//! What commands answer, and with which exit code, where no Kafka is needed.

use clap::{CommandFactory, Parser};
use longshore_handler::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;
use crate::Fleet;
use crate::settings::Environment;

#[derive(Serialize, Deserialize)]
struct Name {
    text: String,
}

impl WorkItem for Name {
    const SCHEMA: &'static str = r#"{"type": "record", "name": "Name", "namespace": "greetings",
        "fields": [{"name": "text", "type": "string"}]}"#;
}

struct Greet;

impl Handler for Greet {
    type Item = Name;

    async fn handle(&self, name: Name, _: &Context) -> Result<Outcome, HandlerError> {
        Outcome::done(&name)
    }
}

const PIPELINE: &str = "\
pipeline: greetings
source: {topic: names, schema: Name, key: text, start: earliest}
stages:
  greet: {from: source, handler: greet, to: greeted}
sinks:
  greeted: {topic: greeted}
";

fn fleet() -> Fleet {
    Fleet::new().item::<Name>("Name").handler("greet", Greet)
}

/// What a command line comes to: its exit code, its answer, its error.
fn run(fleet: &Fleet, arguments: &[&str]) -> (u8, String, String) {
    let line = ["longshore"].iter().chain(arguments);
    let CommandLine { options, command } = match CommandLine::try_parse_from(line) {
        Ok(line) => line,
        Err(refused) => return (refused.exit_code() as u8, String::new(), refused.to_string()),
    };
    let (environment, mut answer) = (Environment::default(), Vec::new());
    let (exit, error) = match fleet.execute_in(&environment, (&options, &command), &mut answer) {
        Ok(exit) => (exit, String::new()),
        Err(error) => (error.exit(), error.to_string()),
    };
    (exit.code(), String::from_utf8(answer).unwrap(), error)
}

/// A broker that nobody can reach, told in a moment.
const NOWHERE: [&str; 2] = ["-b", "127.0.0.1:1"];

#[test]
fn the_command_line_is_sound() {
    CommandLine::command().debug_assert();
}

#[test]
fn wrong_usage_has_exit_code_2_and_says_what_would_be_right() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("wrong.yaml");
    std::fs::write(&wrong, PIPELINE.replace("handler: greet", "handler: greeet")).unwrap();
    let wrong = wrong.to_str().unwrap();
    let fleet = fleet().pipeline(PIPELINE);
    for (arguments, told) in [
        (&["fly"][..], "unrecognized subcommand 'fly'"),
        (&["work", "--stagee", "greet"], "unexpected argument '--stagee'"),
        (&["plan", "-p", "/nowhere.yaml"], "pipeline file /nowhere.yaml can't be read"),
        (&["plan", "-p", wrong], "no handler is registered as `greeet`; did you mean `greet`?"),
        (&["config", "check", "-p", wrong], "wrong.yaml:4:"),
        (&["work", "--stage", "great"], "--stage great: the pipeline has greet"),
        (&["coordinate", "--join", "all"], "--join all: the pipeline has no join"),
        (&["config", "show", "--drain-timeout", "0s"], "expected a duration"),
        (&["config", "show", "-X", "transactional.id=x"], "can't be overridden"),
    ] {
        let (code, _, error) = run(&fleet, arguments);
        assert_eq!(code, 2, "{arguments:?}: {error}");
        assert!(error.contains(told), "`{told}` isn't in `{error}`");
    }
}

#[test]
fn a_fleet_without_a_pipeline_asks_for_one() {
    for command in [&["plan"][..], &["apply"], &["run"], &["work"], &["coordinate"]] {
        let (code, _, error) = run(&fleet(), command);
        assert_eq!(code, 2, "{command:?}");
        assert!(error.contains("--pipeline FILE"), "{error}");
    }
    let (code, answer, _) = run(&fleet(), &["config", "check"]);
    assert_eq!((code, answer.contains("no pipeline is named")), (0, true));
}

#[test]
fn a_kafka_that_does_not_answer_has_exit_code_3_and_is_named() {
    let fleet = fleet().pipeline(PIPELINE);
    let arguments = ["work"].iter().chain(&NOWHERE).copied().collect::<Vec<_>>();
    let (code, _, error) = run(&fleet, &arguments);
    assert_eq!(code, 3);
    assert!(error.contains("no Kafka answers at 127.0.0.1:1"), "{error}");
    assert!(error.contains("longshore up"), "{error}");
}

#[test]
fn what_a_program_registers_wrongly_is_told_by_every_command() {
    let twice = fleet().handler("greet", Greet);
    let (code, _, error) = run(&twice, &["config", "check"]);
    assert_eq!(code, 2);
    assert_eq!(error, "two handlers are registered as `greet`; rename one of them");
}

#[test]
fn settings_are_shown_with_their_places() {
    let shown = run(&fleet(), &["config", "show", "--slot", "w1", "-b", "kafka:9092"]).1;
    let line = |name: &str| {
        let line = shown.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(line("slot"), ["slot", "w1", "--slot"]);
    assert_eq!(
        line("bootstrap_servers"),
        ["bootstrap_servers", "kafka:9092", "--bootstrap-server"]
    );
    assert_eq!(line("drain_timeout"), ["drain_timeout", "25s", "default"]);
    let json = run(&fleet(), &["config", "show", "-o", "json"]).1;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let drain = json.as_array().unwrap().iter().find(|it| it["name"] == "drain_timeout");
    assert_eq!(drain.unwrap()["origin"], "default");
}
