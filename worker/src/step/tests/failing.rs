//! Items that fail: again and again, at once, by a panic, by a timeout, by their outputs.

use std::time::Duration;

use bytes::Bytes;
use longshore_handler::{Context, Handler, HandlerError, Outcome, Output};
use longshore_kafka::lane::step::{Finished, Step, Verdict};
use longshore_kafka::{Record, Refusal};
use longshore_schemas::headers::Failure;
use longshore_schemas::records::{InboxRecord, PartStatus, Tick};
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::time::Instant;

use super::fixture::{FakeLane, Shared, config, done, unkeyed};
use crate::samples;

/// Class, message and attempts of an item's failure.
fn failure(finished: &Finished) -> (String, String, u32) {
    assert_eq!(finished.verdict, Verdict::Failed);
    assert_eq!(finished.outputs[0].topic.as_str(), "lines-dlt");
    let failure = Failure::read(&finished.outputs[0].headers).unwrap().unwrap();
    (failure.class, failure.message, failure.attempts)
}

/// How a part ended, as its join is told in the same outcome.
fn told_to_the_join(finished: &Finished) -> (PartStatus, String) {
    assert_eq!(finished.outputs.len(), 2, "the dead letter, and the part's end");
    let news = finished.outputs[1].value.as_ref().unwrap();
    let InboxRecord::Outcome(outcome) = InboxRecord::decode(news).unwrap() else {
        panic!("the part's end is an outcome");
    };
    (outcome.status, outcome.stage.to_string())
}

#[tokio::test(start_paused = true)]
async fn an_item_is_tried_until_its_attempts_are_spent_with_bounded_pauses() {
    let attempts = Shared::<Vec<(u32, u32, Instant)>>::default();
    let log = attempts.clone();
    let mut lane = FakeLane::calling(&config(), move |_, cx| {
        log.with(|log| log.push((cx.attempt, cx.attempts_max, Instant::now())));
        async { Err(HandlerError::transient("away", "refused")) }
    });
    lane.give([unkeyed(17)]);
    lane.until(1).await;
    let expected = ("away".into(), "refused".into(), 5);
    assert_eq!(failure(lane.of(17)), expected);
    let attempts = attempts.get();
    let numbers: Vec<_> = attempts.iter().map(|(attempt, max, _)| (*attempt, *max)).collect();
    assert_eq!(numbers, [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]);
    // A millisecond more than the longest pause: the timer's own.
    for (pair, longest) in attempts.windows(2).zip([1, 2, 4, 4]) {
        let pause = pair[1].2 - pair[0].2;
        assert!(pause <= Duration::from_millis(longest * 1_000 + 1), "{pause:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_item_that_heals_is_done() {
    let mut lane = FakeLane::calling(&config(), |_, cx| async move {
        match cx.attempt {
            5 => done(),
            _ => Err(HandlerError::transient("away", "refused")),
        }
    });
    lane.give([unkeyed(17)]);
    lane.until(1).await;
    assert_eq!(lane.of(17).verdict, Verdict::Done);
}

#[tokio::test(start_paused = true)]
async fn what_can_not_heal_is_given_up_at_once() {
    let calls = Shared::<u32>::default();
    let counter = calls.clone();
    let mut lane = FakeLane::calling(&config(), move |_, cx| {
        counter.with(|calls| *calls += 1);
        async move {
            match cx.origin.offset {
                0 => Err(HandlerError::permanent("sold_out", "no pieces left")),
                _ => Ok(Outcome::many(["a", "b"].map(Output::bytes))),
            }
        }
    });
    lane.give([unkeyed(0), samples::part_record(1)]);
    lane.until(2).await;
    let expected = ("sold_out".into(), "no pieces left".into(), 1);
    assert_eq!(failure(lane.of(0)), expected);
    let (class, _, attempts) = failure(lane.of(1));
    assert_eq!((class.as_str(), attempts), ("misfit", 1));
    assert_eq!(told_to_the_join(lane.of(1)), (PartStatus::Failed, "price".into()));
    assert_eq!(calls.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_item_that_does_not_read_never_meets_its_handler() {
    struct Unreachable;
    impl Handler for Unreachable {
        type Item = Tick;
        async fn handle(&self, _: Tick, _: &Context) -> Result<Outcome, HandlerError> {
            panic!("the handler was called");
        }
    }
    let mut lane = FakeLane::with(&config(), Unreachable);
    let mut forged = unkeyed(1);
    forged.headers.set_text("ls-group", "without the rest");
    lane.give([unkeyed(0), forged]);
    lane.until(2).await;
    let (class, _, attempts) = failure(lane.of(0));
    assert_eq!((class.as_str(), attempts), ("undecodable", 1));
    let (class, message, attempts) = failure(lane.of(1));
    assert_eq!((class.as_str(), attempts), ("unreadable_headers", 0));
    assert!(message.contains("ls-revision"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_or_panics_fails_and_harms_no_one_else() {
    let mut lane = FakeLane::calling(&config(), |_, cx| async move {
        match cx.origin.offset {
            0 => panic!("no price"),
            1 => std::future::pending().await,
            _ => done(),
        }
    });
    let begun = Instant::now();
    lane.give((0..50).map(unkeyed));
    lane.until(50).await;
    assert_eq!(failure(lane.of(0)), ("panic".into(), "no price".into(), 5));
    let (class, _, attempts) = failure(lane.of(1));
    assert_eq!((class.as_str(), attempts), ("timeout", 5));
    assert!(begun.elapsed() >= Duration::from_secs(50), "five attempts of ten seconds");
    let others = lane.finished.iter().filter(|it| it.verdict == Verdict::Done);
    assert_eq!(others.count(), 48);
}

#[tokio::test(start_paused = true)]
async fn a_part_that_fails_tells_its_join_in_the_same_outcome() {
    let mut lane = FakeLane::calling(&config(), |_, _| async {
        Err(HandlerError::permanent("sold_out", "no pieces left"))
    });
    lane.give([samples::part_record(17)]);
    lane.until(1).await;
    let finished = lane.of(17);
    assert_eq!(failure(finished).0, "sold_out");
    assert_eq!(told_to_the_join(finished), (PartStatus::Failed, "price".into()));
}

#[tokio::test(start_paused = true)]
async fn a_part_that_kills_is_not_tried_again_and_its_join_is_told() {
    let calls = Shared::<u32>::default();
    let counter = calls.clone();
    let mut lane = FakeLane::calling(&config(), move |_, _| {
        counter.with(|calls| *calls += 1);
        async { done() }
    });
    lane.give_up(Record { key: None, ..samples::part_record(17) }, 6);
    lane.until(1).await;
    let (class, message, deaths) = failure(lane.of(17));
    assert_eq!((class.as_str(), deaths), ("crash", 6));
    assert!(message.starts_with("6 processes"), "{message}");
    assert_eq!(told_to_the_join(lane.of(17)), (PartStatus::Failed, "price".into()));
    assert_eq!(calls.get(), 0);
}

/// What it has in hand would never end otherwise.
#[test]
fn a_task_that_has_ended_stops_the_lane() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let entered = runtime.enter();
    let mut lane = FakeLane::calling(&config(), |_, _| async { done() });
    lane.step.flush().unwrap();
    drop(entered);
    drop(runtime);
    lane.step.flush().unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn an_item_whose_output_is_refused_fails_and_then_no_further() {
    let mut lane = FakeLane::calling(&config(), |_, _| async { done() });
    lane.give([samples::part_record(17)]);
    lane.until(1).await;
    let refusal = Refusal {
        topic: "priced".into(),
        code: "MSG_SIZE_TOO_LARGE".into(),
        message: "2000 bytes of at most 1000".into(),
    };
    let mut finished = lane.finished.remove(0);
    finished.outputs = lane.step.refused(&finished, &refusal).unwrap();
    finished.verdict = Verdict::Failed;
    let (class, message, _) = failure(&finished);
    assert_eq!(class, "refused");
    let expected = "refused by topic priced: 2000 bytes of at most 1000 (MSG_SIZE_TOO_LARGE)";
    assert!(message.ends_with(expected), "{message}");
    assert_eq!(finished.outputs.len(), 2, "the dead letter, and the part's end");
    assert_eq!(finished.outputs[0].value, Some(Bytes::from_static(b"line 1")));
    assert_eq!(lane.step.refused(&finished, &refusal), None);
}

#[tokio::test(start_paused = true)]
async fn retries_and_committed_dead_letters_are_counted_by_the_class_of_their_error() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let mut lane = FakeLane::calling(&config(), |_, cx| async move {
        match cx.origin.offset {
            0 => Err(HandlerError::transient("away", "refused")),
            1 => Err(HandlerError::permanent("sold_out", "no pieces left")),
            _ => done(),
        }
    });
    lane.give((0..10).map(unkeyed));
    lane.until(10).await;
    let dead_letters = |class: &str, count: u32| {
        let labels = format!("{{lane=\"orders.price\",class=\"{class}\"}}");
        format!("longshore_dead_letters_total{labels} {count}")
    };
    let before = recorder.handle().render();
    assert!(!before.contains("longshore_dead_letters_total"), "{before}");
    let batch = std::mem::take(&mut lane.finished);
    lane.step.committed(batch, &[]);
    let text = recorder.handle().render();
    let retries = r#"longshore_retries_total{lane="orders.price",class="away"} 4"#;
    for line in [retries, &dead_letters("away", 1), &dead_letters("sold_out", 1)] {
        assert!(text.lines().any(|other| other == line), "no {line} in\n{text}");
    }
}
