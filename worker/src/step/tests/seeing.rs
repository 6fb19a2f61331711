//! What a handler sees of its item.

use longshore_handler::Context;
use longshore_kafka::Record;
use longshore_schemas::Timestamp;
use longshore_schemas::headers::TRACEPARENT;

use super::fixture::{FakeLane, Shared, config, done};
use crate::{Trust, WorkerConfig, samples};

const SENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async fn seen(config: &WorkerConfig, record: Record) -> Context {
    let seen = Shared::<Option<Context>>::default();
    let log = seen.clone();
    let mut lane = FakeLane::calling(config, move |_, cx| {
        log.with(|seen| *seen = Some(cx));
        async { done() }
    });
    lane.give([record]);
    lane.until(1).await;
    seen.get().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_handler_sees_where_its_item_comes_from_and_what_it_belongs_to() {
    let mut record = samples::part_record(17);
    record.headers.set_text("ls-id", "line 1 of order 7");
    record.headers.set_text("tenant", "acme");
    record.headers.set_text(TRACEPARENT, SENT);
    let cx = seen(&config(), record.clone()).await;
    assert_eq!(cx.origin.to_string(), "lines/3/17/0");
    assert_eq!((cx.stage.as_str(), cx.attempt, cx.attempts_max), ("price", 1, 5));
    assert_eq!(cx.id, "line 1 of order 7");
    assert_eq!(cx.idempotency_key.as_str(), "line 1 of order 7");
    assert_eq!((cx.key, cx.timestamp), (record.key, Some(Timestamp(1_000))));
    assert_eq!(cx.part, Some(samples::part()));
    assert_eq!(cx.headers.text("tenant"), Some("acme"));
    assert!(cx.traceparent.starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
    assert_ne!(cx.traceparent, SENT, "an attempt is a span of its own");
}

#[tokio::test(start_paused = true)]
async fn a_handler_of_a_source_sees_no_group_that_anyone_wrote_in_our_name() {
    let mut config = config();
    config.wiring.trust = Trust::Source;
    let mut record = samples::part_record(17);
    record.headers.set_text("ls-id", "message 9");
    record.headers.set_text("tenant", "acme");
    let cx = seen(&config, record).await;
    assert_eq!((cx.id.as_str(), cx.part), ("message 9", None));
    let names: Vec<_> = cx.headers.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["ls-id", "tenant"]);
}
