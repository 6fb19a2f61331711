//! The two ways to a pipeline: the file and Rust.

use std::path::Path;
use std::time::Duration;

use longshore_coordinator::gather::{OnFailed, OnLate, OnTimeout, Tolerance, Tolerate, When};
use longshore_kafka::lane::config::Ordering;
use longshore_kafka::lane::start::StartPolicy;
use longshore_schemas::Timestamp;

use crate::pipeline::{
    Backoff, BackoffDraft, Destination, FanOutDraft, JoinDraft, LoadError, PipelineDraft,
    SinkDraft, SourceDraft, StageDraft, StageInput, TolerateDraft, load,
};

use super::{ORDERS, orders, registered};

fn orders_in_rust() -> PipelineDraft {
    let ten_seconds = Duration::from_secs(10);
    let lines = FanOutDraft::new().parts("lines").join("settle");
    let split = StageDraft::new().from("source").handler("split_order").fan_out(lines);
    let price = StageDraft::new().from("split").handler("price_line").attempts(5);
    let supply = StageDraft::new().from("split").handler("supply_line");
    let settle = JoinDraft::new()
        .of(["price", "supply"])
        .when(When::AllEnded)
        .timeout(ten_seconds)
        .on_failed(OnFailed::Include)
        .on_timeout(OnTimeout::Partial)
        .late(OnLate::Topic)
        .gather("settle_order")
        .into("settled");
    PipelineDraft::new("orders")
        .source(
            SourceDraft::new()
                .topic("orders")
                .schema("Order")
                .key("order_key")
                .start(StartPolicy::Earliest),
        )
        .stage("split", split)
        .stage("price", price.item_timeout(ten_seconds).to("settle"))
        .stage("supply", supply.item_timeout(ten_seconds * 6).to("settle"))
        .join("settle", settle)
        .sink("settled", SinkDraft::new().topic("settled"))
}

#[test]
fn a_pipeline_is_the_same_from_the_file_and_from_rust() {
    let from_file = orders(ORDERS).unwrap();
    let from_rust = orders_in_rust().build(&registered()).unwrap();
    assert_eq!(from_file, from_rust);
}

#[test]
fn a_pipeline_written_in_rust_passes_the_same_checks() {
    let draft = orders_in_rust().stage("extra", StageDraft::new().from("splt").attempts(0));
    let problems = draft.build(&registered()).unwrap_err().to_string();
    assert_eq!(
        problems,
        "pipeline orders: stage `extra`: `from: splt`: there is no stage `splt`; \
         did you mean `split`?\n\
         pipeline orders: stage `extra`: `handler` is missing; add `handler: <name>`\n\
         pipeline orders: stage `extra`: `attempts` must be at least 1"
    );
}

#[test]
fn what_is_not_written_has_its_default() {
    let pipeline = orders(ORDERS).unwrap();
    let split = pipeline.stage(&"split".into()).unwrap();
    assert_eq!((split.partitions, split.attempts, split.concurrency), (8, 5, 256));
    assert_eq!(split.from, StageInput::Source);
    assert_eq!(split.to, Destination::OwnTopic);
    assert_eq!(split.ordering, Ordering::Key);
    assert_eq!(split.start, Some(StartPolicy::Earliest));
    assert_eq!(split.commit_interval, Duration::from_millis(100));
    let settle = pipeline.join("settle").unwrap();
    assert_eq!(settle.partitions, 8);
    assert_eq!(settle.rules.tolerate, Tolerate::default());
    assert_eq!(settle.rules.orphan_timeout, Duration::from_secs(60));
    assert_eq!(settle.rules.closed_retention, Duration::from_secs(3600));
    assert_eq!(settle.rules.open_bytes_max, 256 << 20);
    assert_eq!((settle.rules.spill_bytes_max, settle.rules.replay_max), (1 << 30, 1_000_000));
    assert_eq!(settle.rules.replay_age_max, Duration::from_secs(7 * 24 * 3600 / 2));
    assert_eq!((settle.attempts, settle.item_timeout), (5, Duration::from_secs(30)));
    let (initial, max) = (Duration::from_millis(100), Duration::from_secs(10));
    assert_eq!(settle.backoff, Backoff { initial, max });
}

const EVERY_SETTING: &str = "
pipeline: p
partitions: 3
source: {topic: in, schema: Order, key: id, start: earliest, cursors: in-cursors}
stages:
  a:
    from: source
    handler: split_order
    fan_out: {parts: bits, join: j}
    attempts: 2
    crashes_max: 6
    item_timeout: 1m 30s
    backoff: {initial: 1s, max: 2s}
    ordering: none
    concurrency: 7
    partitions: 4
    start: 2026-01-31T12:00:00Z
    commit_interval: 250ms
  b: {from: a, handler: price_line, to: j, ordering: partition}
joins:
  j:
    of: [b]
    when: any_done
    tolerate: {failed: 1.5%, missing: 2}
    timeout: 1h
    on_failed: fail_fast
    on_timeout: fail
    late: drop
    orphan_timeout: 5s
    closed_retention: 2h
    parts_max: 99
    open_bytes_max: 1.5 GiB
    spill_bytes_max: 0B
    replay_max: 77
    gather: settle_order
    attempts: 3
    crashes_max: 8
    item_timeout: 4s
    backoff: {initial: 3ms, max: 1h}
    into: out
    partitions: 5
sinks:
  out: {topic: \"results\", partitions: 6}
";

fn noon() -> Timestamp {
    Timestamp(1_769_860_800_000)
}

fn every_stage_setting_in_rust() -> StageDraft {
    let (initial, max) = (Duration::from_secs(1), Duration::from_secs(2));
    StageDraft::new()
        .from("source")
        .handler("split_order")
        .fan_out(FanOutDraft::new().parts("bits").join("j"))
        .attempts(2)
        .crashes_max(6)
        .item_timeout(Duration::from_secs(90))
        .backoff(BackoffDraft::new().initial(initial).max(max))
        .ordering(Ordering::None)
        .concurrency(7)
        .partitions(4)
        .start(StartPolicy::At(noon()))
        .commit_interval(Duration::from_millis(250))
}

fn every_join_setting_in_rust() -> JoinDraft {
    let hour = Duration::from_secs(3600);
    let tolerate = TolerateDraft::new().failed(Tolerance::Share("1.5%".parse().unwrap()));
    JoinDraft::new()
        .of(["b"])
        .when(When::AnyDone)
        .tolerate(tolerate.missing(Tolerance::Count(2)))
        .timeout(hour)
        .on_failed(OnFailed::FailFast)
        .on_timeout(OnTimeout::Fail)
        .late(OnLate::Drop)
        .orphan_timeout(Duration::from_secs(5))
        .closed_retention(hour * 2)
        .parts_max(99)
        .open_bytes_max(1536 << 20)
        .spill_bytes_max(0)
        .replay_max(77)
        .gather("settle_order")
        .attempts(3)
        .crashes_max(8)
        .item_timeout(Duration::from_secs(4))
        .backoff(BackoffDraft::new().initial(Duration::from_millis(3)).max(hour))
        .into("out")
        .partitions(5)
}

#[test]
fn every_setting_that_is_written_holds() {
    let file = orders(EVERY_SETTING).unwrap();
    let source = SourceDraft::new().topic("in").schema("Order").key("id");
    let b = StageDraft::new().from("a").handler("price_line").to("j");
    let rust = PipelineDraft::new("p")
        .partitions(3)
        .source(source.start(StartPolicy::Earliest).cursors("in-cursors"))
        .stage("a", every_stage_setting_in_rust())
        .stage("b", b.ordering(Ordering::Partition))
        .join("j", every_join_setting_in_rust())
        .sink("out", SinkDraft::new().topic("results").partitions(6));
    assert_eq!(file, rust.build(&registered()).unwrap());
    let a = file.stage(&"a".into()).unwrap();
    assert_eq!(a.start, Some(StartPolicy::At(noon())));
    let (initial, max) = (Duration::from_secs(1), Duration::from_secs(2));
    assert_eq!(a.backoff, Backoff { initial, max });
    assert_eq!(file.source().partitions, 3);
    let j = file.join("j").unwrap();
    assert_eq!((j.partitions, j.rules.open_bytes_max), (5, 1536 << 20));
    assert_eq!((j.rules.spill_bytes_max, j.rules.replay_max), (0, 77));
    assert_eq!((j.attempts, j.item_timeout), (3, Duration::from_secs(4)));
    assert_eq!((a.crashes_max, j.crashes_max), (Some(6), Some(8)));
    let (initial, max) = (Duration::from_millis(3), Duration::from_secs(3600));
    assert_eq!(j.backoff, Backoff { initial, max });
}

#[test]
fn a_stage_that_reads_the_source_begins_where_the_source_says() {
    let text = ORDERS.replace("start: earliest}", "start: latest}");
    let pipeline = orders(&text).unwrap();
    let starts: Vec<_> = pipeline.stages().iter().map(|stage| stage.start).collect();
    assert_eq!(
        starts,
        [Some(StartPolicy::Latest), Some(StartPolicy::Earliest), Some(StartPolicy::Earliest)]
    );
}

#[test]
fn an_item_that_is_given_up_ends_the_part_of_every_stage_that_it_would_have_come_to() {
    let text = ORDERS.replace(
        "  price:  {from: split,",
        "  check: {from: split, handler: price_line}\n  price:  {from: check,",
    );
    let pipeline = orders(&text).unwrap();
    let settle = pipeline.join("settle").unwrap();
    let ends = |stage: &str| {
        let stage = pipeline.stage(&stage.into()).unwrap();
        let of = pipeline.part_stages(stage, settle);
        of.iter().map(|of| of.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(ends("split"), [""; 0]);
    assert_eq!(ends("check"), ["price"]);
    assert_eq!(ends("price"), ["price"]);
    assert_eq!(ends("supply"), ["supply"]);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = load(Path::new("/nowhere/orders.yaml"), &registered()).unwrap_err();
    assert!(matches!(error, LoadError::Unreadable { .. }));
    assert!(error.to_string().starts_with("pipeline file /nowhere/orders.yaml can't be read: "));
}

#[test]
fn a_file_is_loaded_and_its_problems_carry_its_path() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/orders/orders.yaml");
    let pipeline = load(Path::new(path), &registered()).unwrap();
    assert_eq!(pipeline.name(), "orders");
}
