//! Longshore's own work on an item, without Kafka and on one thread: to be counted by callgrind.
//!
//! `instructions lane COUNT`: a lane and its worker relay so many items.
//! `instructions codec COUNT`: so many items are decoded and encoded.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use longshore::kafka::lane::config::{LaneConfig, Limits, Ordering};
use longshore::kafka::lane::start::StartPolicy;
use longshore::kafka::lane::{Lane, Siblings};
use longshore::prelude::*;
use longshore::schemas::Codec;
use longshore_bench::{Flat, Work};
use longshore_handler::Handlers;
use longshore_worker::{Retry, Route, Trust, Wiring, WorkerConfig, WorkerStep};

const PARTITIONS: usize = 8;
const KEYS: usize = 10_000;
/// Turns without an end: something is stuck.
const TURNS_MAX: usize = 1_000_000;

struct Relay;

impl Handler for Relay {
    type Item = Work;

    async fn handle(&self, item: Work, _: &Context) -> Result<Outcome, HandlerError> {
        Outcome::done(&item)
    }
}

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [subject, count] = arguments.as_slice() else {
        bail!("instructions lane|codec COUNT");
    };
    let count = count.parse().context("COUNT is a number")?;
    match subject.as_str() {
        "lane" => relay(count),
        "codec" => recode(count),
        other => bail!("`{other}` is neither lane nor codec"),
    }
}

fn samples() -> Result<Vec<(Bytes, Bytes)>> {
    let codec = Codec::<Work>::new()?;
    let sample = |number: usize| {
        let key = number * 7919 % KEYS;
        let item = Work {
            key: i64::try_from(key)?,
            sequence: i64::try_from(number)?,
            sent: 0,
            payload: "x".repeat(176),
        };
        Ok((Bytes::from(key.to_string()), codec.encode(&item)?))
    };
    (0..KEYS).map(sample).collect()
}

fn recode(count: usize) -> Result<()> {
    let (samples, codec) = (samples()?, Codec::<Work>::new()?);
    for number in 0..count {
        let (_, value) = &samples[number % samples.len()];
        let item = codec.decode(value)?;
        ensure!(codec.encode(&item)? == *value, "it isn't what it was");
    }
    Ok(())
}

fn relay(count: usize) -> Result<()> {
    longshore_telemetry::logs::start(longshore_telemetry::LogFormat::Json, |_| {})?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let config = config();
    let mut handlers = Handlers::new();
    handlers.add("relay", Relay)?;
    let service = handlers.get("relay")?.service.clone();
    let step = WorkerStep::new(&config, service, runtime.handle().clone());
    let flat = Flat::new("items".into(), samples()?, PARTITIONS, count);
    let mut lane = Lane::new(flat, step, config.lane.clone());
    for _ in 0..TURNS_MAX {
        lane.turn()?;
        if lane.broker().written() >= count {
            ensure!(lane.broker().written() == count + PARTITIONS, "written besides: marks");
            return Ok(());
        }
        // Its executors work on what they have.
        runtime.block_on(async {
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
        });
    }
    bail!("only {} of {count} were written", lane.broker().written())
}

/// As a fleet sets its lanes up by default.
fn config() -> WorkerConfig {
    let concurrency = 256;
    WorkerConfig {
        wiring: Wiring {
            stage: "relay".into(),
            trust: Trust::Source,
            route: Route::Topic("out".into()),
            part_stages: Vec::new(),
            dead_letters: "items-dlt".into(),
        },
        handler: "relay".to_owned(),
        retry: Retry {
            attempts_max: NonZeroU32::MIN,
            backoff_initial: Duration::from_millis(100),
            backoff_max: Duration::from_secs(10),
        },
        item_timeout: Duration::from_secs(30),
        concurrency: NonZeroUsize::new(concurrency).unwrap_or(NonZeroUsize::MIN),
        executors: NonZeroUsize::MIN,
        lane: LaneConfig {
            topic: "items".into(),
            group: "bench.relay".to_owned(),
            ordering: Ordering::Key,
            start: Some(StartPolicy::Earliest),
            marks: Some("bench.begun".into()),
            owner: "00000001".to_owned(),
            commit_interval: Duration::from_millis(100),
            revoke_budget: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(25),
            transaction_timeout: Duration::from_secs(20),
            fenced_after: Duration::from_secs(15),
            deaths_max: None,
            siblings: Siblings::default(),
            limits: Limits {
                in_flight_max: concurrency * 4,
                in_flight_most: 16_384,
                waiting_max: 2_000,
                held_bytes_max: 64 << 20,
                batch_items_max: 10_000,
                batch_bytes_max: 16 << 20,
            },
        },
    }
}
