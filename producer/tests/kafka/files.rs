//! Files of JSON lines.

use std::io::Write;
use std::num::NonZeroU32;
use std::time::Duration;

use longshore_producer::source::SourceError;
use longshore_producer::{Ending, ProducerError};
use longshore_schemas::headers::{Failure, LINE, SOURCE};

use crate::harness::{Scene, file, keys, numbers, publish, publish_until};

#[test]
fn bad_lines_go_to_the_dead_letters_with_file_and_line_and_the_run_goes_on() {
    let scene = Scene::new("bad-lines", &[]);
    let mut lines = numbers(2_000);
    lines[4] = "not JSON".to_owned();
    lines[999] = r#"{"n": "1000"}"#.to_owned();
    lines[1_500] = format!(r#"{{"n": 1501, "text": "{}"}}"#, "x".repeat(2 << 20));
    let mut file = file(&lines);
    file.write_all(b"{\"n\": 2001, \"text\": \"\xFF\"}\n").unwrap();

    let summary = publish(&scene.numbers(&file)).expect("publishes");
    assert_eq!((summary.published.items, summary.published.dead_letters), (1_997, 4));

    assert_eq!(scene.items().len(), 1_997);
    let mut told: Vec<_> = scene
        .dead_letters()
        .iter()
        .map(|letter| {
            assert_eq!(letter.headers.text(SOURCE), file.path().to_str());
            let failure = Failure::read(&letter.headers).unwrap().unwrap();
            (letter.headers.parse::<u64>(LINE).unwrap(), failure.class)
        })
        .collect();
    told.sort();
    let told: Vec<_> = told.iter().map(|(line, class)| (*line, class.as_str())).collect();
    let expected = [
        (5, "not_json"),
        (1_000, "schema_mismatch"),
        // A line above a megabyte, and its dead letter cut to what its topic takes.
        (1_501, "line_too_long"),
        (2_001, "not_utf8"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn an_item_that_is_too_large_for_its_topic_is_set_aside_and_its_neighbours_are_published() {
    let scene = Scene::new("oversized", &[("max.message.bytes", "20000")]);
    let mut lines = numbers(500);
    lines[250] = format!(r#"{{"n": 251, "text": "{}"}}"#, "x".repeat(30_000));
    let summary = publish(&scene.numbers(&file(&lines))).expect("publishes");
    assert_eq!((summary.published.items, summary.published.dead_letters), (499, 1));
    let expected: Vec<_> = (1..=500).filter(|n| *n != 251).collect();
    assert_eq!(keys(&scene.items()), expected);
    let letters = scene.dead_letters();
    assert_eq!(letters[0].value.as_deref(), Some(lines[250].as_bytes()));
    let failure = Failure::read(&letters[0].headers).unwrap().unwrap();
    assert_eq!((failure.class.as_str(), failure.origin.offset), ("refused", 251));
}

#[test]
fn the_same_file_twice_is_one_run_by_whatever_name_and_more_of_it_goes_on() {
    let scene = Scene::new("twice", &[]);
    let (mut original, copy) = (file(&numbers(1_200)), file(&numbers(1_200)));
    assert_eq!(publish(&scene.numbers(&original)).unwrap().ending, Ending::Finished);
    assert_eq!(publish(&scene.numbers(&original)).unwrap().ending, Ending::AlreadyPublished);
    assert_eq!(publish(&scene.numbers(&copy)).unwrap().ending, Ending::AlreadyPublished);
    writeln!(original, r#"{{"n": 1201}}"#).unwrap();
    let summary = publish(&scene.numbers(&original)).unwrap();
    assert_eq!((summary.resumed_at.line, summary.published.items), (1_200, 1));
    assert_eq!(keys(&scene.items()), (1..=1_201).collect::<Vec<_>>());
}

#[test]
fn a_file_that_was_cut_off_is_refused_and_published_under_an_id_of_its_own() {
    let scene = Scene::new("changed", &[]);
    let original = file(&numbers(1_200));
    publish(&scene.numbers(&original)).unwrap();
    // The first 4 KiB are the same.
    let shorter = file(&numbers(1_000));
    let mut config = scene.numbers(&shorter);
    let error = publish(&config).unwrap_err();
    assert!(matches!(error, ProducerError::Source(SourceError::Shorter { .. })), "{error}");
    config.source_id = Some("shorter".to_owned());
    assert_eq!(publish(&config).unwrap().published.items, 1_000);
    assert_eq!(scene.items().len(), 2_200);
}

#[test]
fn a_rate_is_kept_and_a_drain_commits_what_was_read() {
    let scene = Scene::new("rate", &[]);
    let file = file(&numbers(10_000));
    let mut config = scene.numbers(&file);
    config.rate = NonZeroU32::new(500);
    let drained = publish_until(&config, |it| it.elapsed >= Duration::from_secs(2));
    assert_eq!(drained.ending, Ending::Drained);
    // The pace begins a moment before the clock of the run does.
    let most = (drained.published.elapsed + Duration::from_millis(100)).as_secs_f64() * 500.0;
    let items = drained.published.items as f64;
    assert!((most / 2.0..=most).contains(&items), "{drained:?}");
    assert_eq!(scene.items().len() as u64, drained.published.items);
}

#[test]
fn a_topic_that_is_missing_is_named() {
    let scene = Scene::new("missing", &[]);
    let file = file(&numbers(1));
    let mut config = scene.numbers(&file);
    config.topics.dead_letters = "producer-no-such-topic".into();
    let error = publish(&config).unwrap_err();
    assert!(error.to_string().contains("producer-no-such-topic"), "{error}");
}
