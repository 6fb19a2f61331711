//! The items of a workload, written as another team's producer would: no headers of ours, no
//! transactions.

use std::time::Duration;

use anyhow::{Result, bail};
use longshore::schemas::{Codec, TopicName};
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::ground::Ground;
use crate::{Work, Workload};

/// How long the last of them may be under way.
const FLUSH_MAX: Duration = Duration::from_secs(60);
/// What an item takes beside its payload: schema, numbers.
const AROUND_PAYLOAD: usize = 24;

/// Writes the items of a workload, unless they are there already.
pub(crate) fn fill(ground: &Ground, workload: &Workload) -> Result<()> {
    let topic = TopicName::from(workload.source());
    if ground.make_topic(&topic)? {
        return Ok(());
    }
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", ground.servers())
        .set("enable.idempotence", "true")
        .set("partitioner", "murmur2_random")
        .set("linger.ms", "20")
        .set("batch.size", "1000000")
        .create()?;
    let codec = Codec::<Work>::new()?;
    let payload = "x".repeat(workload.bytes.saturating_sub(AROUND_PAYLOAD));
    let mut sequences = vec![0_i64; usize::try_from(workload.keys)?];
    for number in 0..workload.items {
        let key = usize::try_from(scattered(number) % workload.keys)?;
        let sequence = sequences[key];
        sequences[key] += 1;
        let item = Work { key: i64::try_from(key)?, sequence, sent: 0, payload: payload.clone() };
        send(&producer, &topic, &key.to_string(), &codec.encode(&item)?)?;
    }
    producer.flush(FLUSH_MAX)?;
    if producer.in_flight_count() > 0 {
        bail!("{} items of {topic} were not written", producer.in_flight_count());
    }
    Ok(())
}

/// The version of librdkafka, by which all but the Java programs reach Kafka.
pub(crate) fn client_version() -> String {
    rdkafka::util::get_rdkafka_version().1
}

fn send(producer: &BaseProducer, topic: &TopicName, key: &str, value: &[u8]) -> Result<()> {
    let mut record = BaseRecord::to(topic.as_str()).key(key).payload(value);
    loop {
        match producer.send(record) {
            Ok(()) => {
                producer.poll(Duration::ZERO);
                return Ok(());
            }
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), refused)) => {
                producer.poll(Duration::from_millis(10));
                record = refused;
            }
            Err((error, _)) => return Err(error.into()),
        }
    }
}

/// Keys in no order: neighbours of one item belong to others (Fibonacci hashing).
fn scattered(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20
}
