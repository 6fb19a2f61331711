//! Faults planted by a plain transactional producer are found by name.

use longshore::{Exit, Fleet};
use longshore_handler::prelude::*;
use longshore_kafka::Outgoing;
use longshore_schemas::TopicName;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::harness::*;

/// A stage with ten items (offsets 0 to 4 and 6 to 10: markers stand at 5 and 11, and 12 is an
/// aborted record), all finished; keys a and b in turn.
struct Planted {
    input: TopicName,
    output: TopicName,
    dead_letters: TopicName,
    group: String,
}

const ITEMS: [i64; 10] = [0, 1, 2, 3, 4, 6, 7, 8, 9, 10];

impl Planted {
    fn new() -> Self {
        let planted = Self {
            input: topic("in"),
            output: topic("out"),
            dead_letters: topic("in-dlt"),
            group: unique("group"),
        };
        let items: Vec<_> = (0..5).map(|it| record(&planted.input, ["a", "b"][it % 2])).collect();
        write(&items, End::Commit);
        write(&items, End::Commit);
        write(&items[..1], End::Abort);
        commit(&planted.group, &planted.input, 14, &[]);
        planted
    }

    fn output(&self, offset: i64) -> Outgoing {
        output(&self.output, &self.input, offset)
    }

    fn outputs(&self, offsets: &[i64]) -> Vec<Outgoing> {
        offsets.iter().map(|it| self.output(*it)).collect()
    }

    fn audit(&self) -> (Exit, Value) {
        run_json(&[
            "audit",
            self.output.as_str(),
            "--input",
            self.input.as_str(),
            "--group",
            &self.group,
            "--dead-letters",
            self.dead_letters.as_str(),
        ])
    }

    /// Exactly one fault is found, and this is what is said of it.
    fn is_at_fault(&self, breaks: &str, what: &str) {
        let (exit, answer) = self.audit();
        let what = what.replace("{in}", self.input.as_str()).replace("{out}", self.output.as_str());
        let what = what.replace("{group}", &self.group);
        let expected = json!([{"breaks": breaks, "what": what}]);
        assert_eq!(answer["report"]["faults"], expected);
        assert_eq!((exit, &answer["verdict"]), (Exit::Failed, &json!("faulty")));
    }
}

#[test]
fn a_sound_stage_is_clean_and_hidden_records_are_counted() {
    let planted = Planted::new();
    write(&planted.outputs(&ITEMS), End::Abort);
    write(&planted.outputs(&ITEMS), End::Commit);
    let (exit, answer) = planted.audit();
    assert_eq!((exit, &answer["verdict"]), (Exit::Done, &json!("clean")), "{answer:#}");
    let stage = &answer["report"]["stages"][0];
    assert_eq!((&stage["finished"], &stage["records"]), (&json!(10), &json!(10)));
    assert_eq!((&stage["in_order"], &answer["report"]["hidden"]), (&json!(10), &json!(10)));
}

#[test]
fn a_lost_item_is_found() {
    let planted = Planted::new();
    write(&planted.outputs(&[0, 1, 2, 3, 4, 6, 8, 9, 10]), End::Commit);
    // Its output was written, but nobody may read it.
    write(&planted.outputs(&[7]), End::Abort);
    planted.is_at_fault("EO-2", "{in}/0/7 is finished by {group}, and nothing came of it");
}

#[test]
fn a_doubled_record_is_found() {
    let planted = Planted::new();
    write(&planted.outputs(&ITEMS), End::Commit);
    write(&planted.outputs(&[3]), End::Commit);
    planted.is_at_fault("EO-3", "{out}/0/11 is a second record of origin {in}/0/3/0");
}

#[test]
fn a_swapped_pair_is_found() {
    let planted = Planted::new();
    write(&planted.outputs(&[0, 3, 2, 1, 4, 6, 7, 8, 9, 10]), End::Commit);
    let told = "{out}/0/3, of {in}/0/1/0, comes after a record of offset 3, of its key";
    planted.is_at_fault("EO-6", told);
}

#[test]
fn an_output_of_an_aborted_item_is_found() {
    let planted = Planted::new();
    write(&planted.outputs(&ITEMS), End::Commit);
    write(&planted.outputs(&[12]), End::Commit);
    let told = "{out}/0/11 names origin {in}/0/12/0, which no committed record is";
    planted.is_at_fault("EO-4", told);
}

#[test]
fn an_output_without_its_progress_is_found() {
    let planted = Planted::new();
    write(&planted.outputs(&ITEMS), End::Commit);
    commit(&planted.group, &planted.input, 9, &[(9, 10)]);
    let told =
        "{in}/0/10 has records of {group} that can be read, and isn't finished in its progress";
    planted.is_at_fault("EO-4", told);
}

#[test]
fn a_stage_without_progress_and_outputs_that_expired_are_not_checked() {
    let planted = Planted::new();
    write(&planted.outputs(&ITEMS), End::Commit);
    let nobody = Planted { group: unique("nobody"), ..planted };
    let (exit, answer) = nobody.audit();
    assert_eq!((exit, &answer["verdict"]), (Exit::Failed, &json!("inconclusive")));

    let planted = Planted::new();
    write(&planted.outputs(&ITEMS), End::Commit);
    let before = [(P0, longshore_kafka::Offset(4))];
    admin().delete_records(&planted.output, &before).expect("deleted");
    let (exit, answer) = planted.audit();
    assert_eq!((exit, &answer["verdict"]), (Exit::Failed, &json!("inconclusive")), "{answer:#}");
    assert_eq!(answer["report"]["stages"][0]["untold"], json!(4));
}

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

#[test]
fn the_stages_of_a_pipeline_are_found_by_their_topics() {
    let (name, names, greeted) = (unique("greetings"), topic("names"), topic("greeted"));
    let text = format!(
        "pipeline: {name}\n\
         source: {{topic: {names}, schema: Name, key: text, start: earliest}}\n\
         stages:\n  greet: {{from: source, handler: greet, to: greeted}}\n\
         sinks:\n  greeted: {{topic: {greeted}}}\n"
    );
    let fleet = Fleet::new().item::<Name>("Name").handler("greet", Greet).pipeline(&text);
    create(&format!("{names}-dlt").into(), &[]);
    write(&[record(&names, "a"), record(&names, "b")], End::Commit);
    write(&[output(&greeted, &names, 0)], End::Commit);
    commit(&format!("{name}.greet"), &names, 2, &[]);
    for topic in [&names, &greeted] {
        let (exit, answer) = run(&fleet, &["audit", topic.as_str()]);
        assert_eq!(exit, Ok(Exit::Failed));
        let told = format!("at fault: {names}/0/1 is finished by greet, and nothing came of it");
        assert!(answer.contains(&told), "{answer}");
    }
    let (exit, answer) = run(&fleet, &["audit", "--may-skip"]);
    assert_eq!(exit, Ok(Exit::Done), "{answer}");
    let (exit, _) = run(&fleet, &["audit", "elsewhere"]);
    assert!(exit.unwrap_err().contains("reads or writes topic elsewhere"));
}
