//! Wrong files, each with the exact lines it is answered with.

use super::orders;

/// A sound file, of which each case spoils something.
const SOUND: &str = "\
pipeline: orders
source: {topic: orders, schema: Order, key: order_key}
stages:
  split: {from: source, handler: split_order, fan_out: {parts: lines, join: settle}}
  price: {from: split, handler: price_line, to: settle}
  supply: {from: split, handler: supply_line, to: settle}
joins:
  settle: {of: [price, supply], timeout: 10s, gather: settle_order, into: settled}
sinks:
  settled: {topic: settled}
";

/// The cases: blocks of lines, parted by empty ones.
const CASES: &str = include_str!("wrong_files.txt");

/// One way to spoil the file.
struct Case {
    sound: String,
    spoiled: String,
    answer: Vec<String>,
}

fn case(block: &str) -> Case {
    let marked = |mark: &str| {
        let lines = block.lines().filter_map(|line| line.strip_prefix(mark));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    Case { sound: marked("- ").join("\n"), spoiled: marked("+ ").join("\n"), answer: marked("! ") }
}

#[test]
fn every_wrong_file_is_answered_with_exactly_its_lines() {
    assert!(orders(SOUND).is_ok());
    let blocks = CASES.split("\n\n").filter(|block| !block.starts_with('#'));
    let cases: Vec<Case> = blocks.map(case).collect();
    assert!(cases.len() > 60, "only {} cases were read", cases.len());
    for Case { sound, spoiled, answer } in cases {
        assert!(SOUND.contains(&sound), "`{sound}` isn't in the sound file");
        let problems = match orders(&SOUND.replacen(&sound, &spoiled, 1)) {
            Ok(_) => panic!("`{spoiled}` passed"),
            Err(problems) => problems.to_string(),
        };
        assert_eq!(problems.lines().collect::<Vec<_>>(), answer, "for `{spoiled}`");
    }
}

#[test]
fn a_circle_of_stages_is_told_once() {
    let text = "\
pipeline: p
source: {topic: in, schema: Order}
stages:
  a: {from: c, handler: price_line}
  b: {from: a, handler: price_line}
  c: {from: b, handler: price_line}
  d: {from: c, handler: price_line}
";
    assert_eq!(
        orders(text).unwrap_err().to_string(),
        "orders.yaml:4:13: stage `a`: stages read one another in a circle: a <- c <- b <- a; \
         let one of them read `source`"
    );
}

#[test]
fn a_topic_whose_name_grows_too_long_is_named() {
    let long = "o".repeat(245);
    let text = SOUND.replace("topic: orders,", &format!("topic: {long},"));
    assert_eq!(
        orders(&text).unwrap_err().to_string(),
        format!(
            "orders.yaml:2:9: source: its topic `{long}.cursors` would have a name of 253 \
             characters, Kafka takes 249; shorten the names it is made of"
        )
    );
}

#[test]
fn a_file_that_is_no_mapping_is_named() {
    let deep = "[".repeat(40) + &"]".repeat(40);
    for (text, expected) in [
        ("", "1:1: the file is empty; begin it with `pipeline: <name>`"),
        ("# nothing yet", "1:1: the file is empty; begin it with `pipeline: <name>`"),
        (
            "- orders",
            "1:1: `the file`: expected a mapping with some of pipeline, partitions, source, \
             stages, joins, sinks, found a list",
        ),
        (&deep, "1:18: the file is nested too deeply"),
    ] {
        assert_eq!(orders(text).unwrap_err().to_string(), format!("orders.yaml:{expected}"));
    }
}

#[test]
fn an_almost_empty_file_is_told_all_that_it_lacks() {
    let problems = orders("partitions: 8").unwrap_err().to_string();
    let lines: Vec<&str> = problems.lines().collect();
    assert_eq!(
        lines,
        [
            "orders.yaml:1:1: `pipeline` is missing; add `pipeline: <name>`",
            "orders.yaml:1:1: there is no stage; add one under `stages:`",
            "orders.yaml:1:1: `source` is missing; add `source: {topic: <topic>, schema: <item>}`",
        ]
    );
}

#[test]
fn a_file_that_breaks_off_anywhere_is_answered() {
    for end in 0..SOUND.len() - 2 {
        let problems = orders(&SOUND[..end]).expect_err("the last brace is missing at least");
        assert!(!problems.list.is_empty(), "nothing was found in the first {end} bytes");
    }
}

#[test]
fn a_file_that_lacks_any_of_its_lines_is_answered() {
    let lines: Vec<&str> = SOUND.lines().collect();
    for lost in 0..lines.len() {
        let kept = lines.iter().enumerate().filter(|(index, _)| *index != lost);
        let text = kept.map(|(_, line)| format!("{line}\n")).collect::<String>();
        assert!(orders(&text).is_err(), "nobody misses `{}`", lines[lost]);
    }
}
