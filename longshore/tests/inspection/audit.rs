//! Faults planted by a plain transactional producer are found by name.

use longshore::{Exit, Fleet};
use longshore_handler::prelude::*;
use longshore_kafka::{Commit, Outgoing, Transaction};
use longshore_schemas::headers::Failure;
use longshore_schemas::{Timestamp, TopicName};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::harness::*;

mod large;

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

    /// The dead letter of an item, which is of this key.
    fn dead_letter(&self, offset: i64, key: &str) -> Outgoing {
        let mut record = record(&self.dead_letters, key);
        let failure = Failure {
            class: "poison".into(),
            message: "bad".into(),
            origin: format!("{}/0/{offset}/0", self.input).parse().expect("an origin"),
            attempts: 1,
            stage: self.group.as_str().into(),
            failed_at: Timestamp(0),
            item_time: None,
        };
        failure.write(&mut record.headers);
        record
    }

    fn audit(&self) -> (Exit, Value) {
        run_json(&[
            "audit",
            self.output.as_str(),
            "--patience",
            "1s",
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
        let what = what.replace("{dead}", self.dead_letters.as_str());
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
    let told = "{in}/0/10 has records of {group} that can be read, {out}/0/9 among them, and isn't \
                finished in its progress";
    planted.is_at_fault("EO-1", told);
}

#[test]
fn progress_without_its_outputs_is_found() {
    let planted = Planted::new();
    write(&planted.outputs(&ITEMS[..9]), End::Commit);
    commit(&planted.group, &planted.input, 9, &[(9, 11)]);
    planted.is_at_fault("EO-2", "{in}/0/10 is finished by {group}, and nothing came of it");
}

#[test]
fn progress_behind_the_end_of_its_input_is_found() {
    let planted = Planted::new();
    write(&planted.outputs(&ITEMS), End::Commit);
    commit(&planted.group, &planted.input, 99, &[]);
    let told = "group {group} at {in}/0/99: its position lies behind the log's end, 14";
    planted.is_at_fault("EO-1", told);
}

#[test]
fn a_dead_letter_is_an_end_and_a_doubled_one_is_found() {
    let planted = Planted::new();
    write(&planted.outputs(&ITEMS[..9]), End::Commit);
    write(&[planted.dead_letter(10, "a")], End::Abort);
    write(&[planted.dead_letter(10, "a")], End::Commit);
    let (exit, answer) = planted.audit();
    assert_eq!((exit, &answer["verdict"]), (Exit::Done, &json!("clean")), "{answer:#}");
    assert_eq!(answer["report"]["dead_letters"], json!(1));
    write(&[planted.dead_letter(10, "a")], End::Commit);
    planted.is_at_fault("EO-8", "{dead}/0/4 is a second dead letter of {in}/0/10/0");
}

#[test]
fn a_dead_letter_that_differs_from_its_item_is_found() {
    let changes: [fn(&mut Outgoing); 3] = [
        |it| it.key = None,
        |it| it.value = Some("other".into()),
        |it| it.headers.push("behind", None),
    ];
    for change in changes {
        let planted = Planted::new();
        write(&planted.outputs(&ITEMS[..9]), End::Commit);
        let mut dead_letter = planted.dead_letter(10, "a");
        change(&mut dead_letter);
        write(&[dead_letter], End::Commit);
        planted.is_at_fault("EO-8", "dead letter {dead}/0/0 differs from its item, {in}/0/10");
    }
}

#[test]
fn a_transaction_that_hangs_is_found_and_its_producer_named() {
    let planted = Planted::new();
    write(&planted.outputs(&ITEMS[..9]), End::Commit);
    let mut producer = producer();
    let mut open = Transaction::begin(&mut producer, DEADLINE).expect("begun");
    open.produce(&planted.output(10), 0).expect("produced");
    open.deliver().expect("delivered");

    let (exit, answer) = planted.audit();
    assert_eq!((exit, &answer["verdict"]), (Exit::Failed, &json!("faulty")), "{answer:#}");
    let faults = answer["report"]["faults"].as_array().expect("faults");
    let [fault] = &faults[..] else { panic!("{answer:#}") };
    assert_eq!(fault["breaks"], json!("LV-1"));
    let said = fault["what"].as_str().expect("text");
    let (input, output) = (&planted.input, &planted.output);
    let told = format!(
        "the transaction that began with {output}/0/10, of {input}/0/10/0, is still open after \
         1s, and holds back all behind it; it is held by producer id "
    );
    let holder = said.strip_prefix(&told).unwrap_or_else(|| panic!("{said}"));
    let id = holder.split(' ').next().and_then(|it| it.parse::<u64>().ok());
    assert!(id.is_some() && holder.ends_with("open since offset 10"), "{said}");
    // What came of the item may lie behind it.
    let told = format!("but {output} is held back by an open transaction");
    assert!(answer["report"]["not_checked"][0].as_str().expect("text").contains(&told));

    assert!(matches!(open.commit(), Commit::Committed));
    let (exit, answer) = planted.audit();
    assert_eq!((exit, &answer["verdict"]), (Exit::Done, &json!("clean")), "{answer:#}");
}

#[test]
fn state_that_cannot_be_kept_stops_the_audit_and_none_is_left() {
    let planted = Planted::new();
    write(&planted.outputs(&ITEMS), End::Commit);
    let folder = tempfile::tempdir().expect("a folder");
    let audit = |state: &std::path::Path| {
        let (output, input) = (planted.output.as_str(), planted.input.as_str());
        let state = state.to_str().expect("UTF-8");
        let stage = ["audit", output, "--input", input, "--group", &planted.group];
        let arguments: Vec<_> = stage.into_iter().chain(["--state-dir", state]).collect();
        run(&Fleet::new(), &arguments)
    };
    let below = folder.path().join("state");
    assert_eq!(audit(&below).0, Ok(Exit::Done));
    assert_eq!(std::fs::read_dir(&below).expect("made").count(), 0);
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("written");
    assert!(audit(&file).0.unwrap_err().contains("--state-dir"));
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

/// A pipeline of one stage, `greet`, over these topics.
fn greetings(name: &str, names: &TopicName, greeted: &TopicName) -> Fleet {
    let text = format!(
        "pipeline: {name}\n\
         source: {{topic: {names}, schema: Name, key: text, start: earliest}}\n\
         stages:\n  greet: {{from: source, handler: greet, to: greeted}}\n\
         sinks:\n  greeted: {{topic: {greeted}}}\n"
    );
    create(&format!("{names}-dlt").into(), &[]);
    Fleet::new().item::<Name>("Name").handler("greet", Greet).pipeline(&text)
}

/// Two of each item: the first of the second item was in a transaction that was aborted.
#[test]
fn an_item_of_which_only_the_second_output_is_there_is_found() {
    let (name, names, greeted) = (unique("greetings"), topic("names"), topic("greeted"));
    let fleet = greetings(&name, &names, &greeted);
    write(&[record(&names, "a"), record(&names, "b")], End::Commit);
    let output = |offset, index| output_of(&greeted, &names, (offset, index));
    write(&[output(0, 0), output(0, 1)], End::Commit);
    write(&[output(1, 0)], End::Abort);
    write(&[output(1, 1)], End::Commit);
    commit(&format!("{name}.greet"), &names, 2, &[]);
    let what = format!(
        "output 0 that greet made of {names}/0/1 is missing, and a later one is there, \
         {greeted}/0/5"
    );
    // One that leaves outputs of an item out hasn't left out the item.
    for arguments in [&["audit", "-o", "json"][..], &["audit", "-o", "json", "--may-skip"]] {
        let (exit, answer) = run(&fleet, arguments);
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(answer["report"]["faults"], json!([{"breaks": "EO-1", "what": what}]));
        assert_eq!(exit, Ok(Exit::Failed));
    }
}

#[test]
fn the_stages_of_a_pipeline_are_found_by_their_topics() {
    let (name, names, greeted) = (unique("greetings"), topic("names"), topic("greeted"));
    let fleet = greetings(&name, &names, &greeted);
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
