//! A stage on a whole lane, over the model of Kafka.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::{Duration, Instant};

use longshore_handler::Handlers;
use longshore_handler::prelude::*;
use longshore_kafka::lane::config::{LaneConfig, Limits, Ordering};
use longshore_kafka::lane::start::StartPolicy;
use longshore_kafka::model::{Cluster, Member};
use longshore_kafka::{Failure, Partition, Remedy};
use longshore_schemas::TopicName;
use longshore_telemetry::{Health, Shutdown};
use longshore_worker::{Retry, Route, Trust, Wiring, WorkerConfig, WorkerError, run};

const ITEMS: i64 = 1_000;
const DEADLINE: Duration = Duration::from_secs(60);

/// Doubles a number; one of ten fails twice first, and what is no number fails for good.
struct Double;

impl Handler for Double {
    type Item = RawItem;

    async fn handle(&self, item: RawItem, cx: &Context) -> Result<Outcome, HandlerError> {
        let bytes = item.value.unwrap_or_default();
        let number: i64 = std::str::from_utf8(&bytes)?
            .parse()
            .map_err(|error| HandlerError::permanent("no_number", format!("{error}")))?;
        if number % 10 == 0 && cx.attempt < 3 {
            return Err(HandlerError::transient("away", "not yet"));
        }
        Ok(Output::bytes((2 * number).to_string()).into())
    }
}

fn config(handler: &str) -> WorkerConfig {
    WorkerConfig {
        wiring: Wiring {
            stage: "double".into(),
            trust: Trust::Source,
            route: Route::Topic("doubled".into()),
            part_stages: Vec::new(),
            dead_letters: "numbers-dlt".into(),
        },
        handler: handler.into(),
        retry: Retry {
            attempts_max: NonZeroU32::new(5).unwrap(),
            backoff_initial: Duration::from_millis(2),
            backoff_max: Duration::from_millis(10),
        },
        item_timeout: Duration::from_secs(10),
        concurrency: NonZeroUsize::new(64).unwrap(),
        executors: NonZeroUsize::new(2).unwrap(),
        lane: lane(),
    }
}

/// Its times are the model's, which passes them as fast as it is polled.
fn lane() -> LaneConfig {
    let hour = Duration::from_secs(3_600);
    LaneConfig {
        topic: "numbers".into(),
        group: "numbers.double".into(),
        ordering: Ordering::Key,
        start: Some(StartPolicy::Earliest),
        marks: None,
        owner: "test".into(),
        commit_interval: Duration::from_millis(10),
        revoke_budget: hour,
        drain_timeout: hour,
        transaction_timeout: hour,
        fenced_after: hour,
        deaths_max: Some(5),
        siblings: Default::default(),
        limits: Limits {
            in_flight_max: 256,
            in_flight_most: 256,
            waiting_max: 1_000,
            held_bytes_max: 1 << 20,
            batch_items_max: 1_000,
            batch_bytes_max: 1 << 20,
        },
    }
}

fn handlers() -> Handlers {
    let mut handlers = Handlers::new();
    handlers.add("double", Double).unwrap();
    handlers
}

fn topics(cluster: &Cluster) {
    for topic in ["numbers", "numbers-dlt", "doubled"] {
        cluster.create_topic(&topic.into(), 2);
    }
    for number in 0..ITEMS {
        let value = match number {
            500 => "five hundred".to_owned(),
            _ => number.to_string(),
        };
        let key = format!("key {}", number % 17);
        let partition = Partition(i32::from(number % 17 > 8));
        cluster.append(&"numbers".into(), partition, Some(&key), &value);
    }
}

fn values(cluster: &Cluster, topic: &str) -> Vec<String> {
    let records = cluster.read_committed(&TopicName::from(topic));
    let text = |record: longshore_kafka::Record| {
        String::from_utf8(record.value.unwrap().to_vec()).unwrap()
    };
    records.into_iter().map(text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_item_is_doubled_or_dead_lettered_once_and_the_lane_drains() {
    let cluster = Cluster::new(7);
    topics(&cluster);
    let shutdown = Shutdown::manual();
    let health = Health::new(shutdown.token());
    let component = health.register("double", DEADLINE);
    let connected = cluster.clone();
    let connect = move || Ok(connected.member("numbers.double", &"numbers".into(), "double-0"));
    let worker = tokio::spawn({
        let token = shutdown.token();
        async move { run(config("double"), &handlers(), connect, component, token).await }
    });

    let begun = Instant::now();
    let ended = || values(&cluster, "doubled").len() + values(&cluster, "numbers-dlt").len();
    while ended() < ITEMS as usize {
        assert!(!worker.is_finished(), "it stopped: {:?}", worker.await);
        assert!(begun.elapsed() < DEADLINE, "{} of {ITEMS} ended", ended());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    shutdown.begin();
    worker.await.unwrap().unwrap();

    let doubled = values(&cluster, "doubled");
    assert_eq!(doubled.len(), ITEMS as usize - 1);
    let numbers: BTreeSet<i64> = doubled.iter().map(|it| it.parse().unwrap()).collect();
    let expected: BTreeSet<i64> = (0..ITEMS).filter(|it| *it != 500).map(|it| 2 * it).collect();
    assert_eq!(numbers, expected);
    assert_eq!(values(&cluster, "numbers-dlt"), ["five hundred"]);
}

#[tokio::test]
async fn a_worker_that_can_not_start_says_why() {
    let start = async |handler: &str| {
        let health = Health::new(Shutdown::manual().token());
        let component = health.register("double", DEADLINE);
        let connect = || -> Result<Member, Failure> {
            Err(Failure {
                remedy: Remedy::Stop,
                call: "connect",
                code: "_ALL_BROKERS_DOWN".into(),
                message: "no broker answers at localhost:1".into(),
            })
        };
        let token = Shutdown::manual().token();
        run(config(handler), &handlers(), connect, component, token).await.unwrap_err()
    };
    let unknown = start("duoble").await;
    assert_eq!(
        unknown.to_string(),
        "stage `double`: no handler is registered as `duoble`; registered are: double"
    );
    let away = start("double").await;
    assert!(matches!(away, WorkerError::Lane { .. }), "{away}");
    assert!(away.to_string().contains("no broker answers at localhost:1"), "{away}");
}
