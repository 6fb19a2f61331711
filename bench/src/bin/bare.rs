//! The ceiling: nothing but a consumer, one transactional producer or two in turn, and the lane's
//! settings, headers and order of calls (begin, produce, wait, offsets, commit). It handles
//! nothing, keeps no order but the broker's, and survives nothing.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tokio::signal::unix::{SignalKind, signal};

type Transactional = ThreadedProducer<DefaultProducerContext>;

const CALL_MAX: Duration = Duration::from_secs(60);
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

#[derive(Parser)]
struct Told {
    #[arg(long)]
    servers: String,
    #[arg(long)]
    from: String,
    #[arg(long)]
    to: String,
    #[arg(long)]
    group: String,
    #[arg(long)]
    commit_millis: u64,
    /// How many producers take turns
    #[arg(long)]
    producers: usize,
    /// Produce each record as it is read, not all of them when the transaction is due
    #[arg(long)]
    as_they_come: bool,
}

fn main() -> Result<()> {
    let told = Told::parse();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (stop, stopped) = std::sync::mpsc::channel();
    let _entered = runtime.enter();
    let mut terminate = signal(SignalKind::terminate())?;
    runtime.spawn(async move {
        terminate.recv().await;
        stop.send(())
    });
    let consumer = consumer(&told)?;
    let producers: Vec<_> =
        (0..told.producers).map(|number| producer(&told, number)).collect::<Result<_>>()?;
    let mut turns = (0..told.producers).cycle();
    while stopped.try_recv().is_err() {
        let turn = turns.next().context("at least one producer")?;
        relay(&told, &consumer, &producers[turn])?;
    }
    Ok(())
}

/// One transaction.
fn relay(told: &Told, consumer: &BaseConsumer, producer: &Transactional) -> Result<()> {
    let since = Instant::now();
    let interval = Duration::from_millis(told.commit_millis);
    let mut progress = vec![-1_i64; 1024];
    let mut held = Vec::new();
    let mut has_begun = false;
    while since.elapsed() < interval {
        let Some(message) = consumer.poll(Duration::from_millis(1)) else { continue };
        let message = message?;
        progress[usize::try_from(message.partition())?] = message.offset() + 1;
        if !told.as_they_come {
            held.push(message);
            continue;
        }
        if !std::mem::replace(&mut has_begun, true) {
            producer.begin_transaction()?;
        }
        produce(producer, &told.to, &message)?;
    }
    if !told.as_they_come && !held.is_empty() {
        has_begun = true;
        producer.begin_transaction()?;
        for message in held {
            produce(producer, &told.to, &message)?;
        }
    }
    if has_begun { commit(told, consumer, producer, &progress) } else { Ok(()) }
}

fn produce(producer: &Transactional, to: &str, message: &BorrowedMessage<'_>) -> Result<()> {
    let (topic, partition, offset) = (message.topic(), message.partition(), message.offset());
    let origin = format!("{topic}/{partition}/{offset}/0");
    let headers = OwnedHeaders::new_with_capacity(3)
        .insert(Header { key: "ls-origin", value: Some(&origin) })
        .insert(Header { key: "traceparent", value: Some(TRACEPARENT) })
        .insert(Header { key: "ls-id", value: Some(&origin) });
    let mut record = BaseRecord::to(to)
        .key(message.key().unwrap_or_default())
        .payload(message.payload().unwrap_or_default())
        .headers(headers);
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), refused)) => {
                std::thread::sleep(Duration::from_millis(1));
                record = refused;
            }
            Err((error, _)) => return Err(error.into()),
        }
    }
}

fn commit(
    told: &Told,
    consumer: &BaseConsumer,
    producer: &Transactional,
    progress: &[i64],
) -> Result<()> {
    // A flush sleeps in steps of 100 ms.
    while producer.in_flight_count() > 0 {
        std::thread::sleep(Duration::from_micros(200));
    }
    let mut offsets = TopicPartitionList::new();
    for (partition, offset) in (0..).zip(progress).filter(|(_, offset)| **offset >= 0) {
        offsets.add_partition_offset(&told.from, partition, Offset::Offset(*offset))?;
    }
    let membership = consumer.group_metadata().context("no member of its group")?;
    producer.send_offsets_to_transaction(&offsets, &membership, CALL_MAX)?;
    Ok(producer.commit_transaction(CALL_MAX)?)
}

fn consumer(told: &Told) -> Result<BaseConsumer> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &told.servers)
        .set("group.id", &told.group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        .set("isolation.level", "read_committed")
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("fetch.queue.backoff.ms", "5")
        .set("heartbeat.interval.ms", "1000")
        .set("queued.max.messages.kbytes", "65536")
        .create()?;
    consumer.subscribe(&[&told.from])?;
    Ok(consumer)
}

fn producer(told: &Told, number: usize) -> Result<Transactional> {
    let producer: Transactional = ClientConfig::new()
        .set("bootstrap.servers", &told.servers)
        .set("transactional.id", format!("{}-{number}", told.group))
        .set("linger.ms", "5")
        .set("partitioner", "murmur2_random")
        .set("retry.backoff.ms", "20")
        .set("queue.buffering.max.kbytes", "65536")
        .set("batch.size", "1000000")
        .create()?;
    producer.init_transactions(CALL_MAX)?;
    Ok(producer)
}
