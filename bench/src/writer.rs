//! Writes records as another team's producer would: no transactions.

use std::time::Duration;

use anyhow::{Result, bail};
use longshore::kafka::Outgoing;
use longshore::schemas::Headers;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::ground::Ground;

/// How long the last of the records may be under way.
const FLUSH_MAX: Duration = Duration::from_secs(60);
/// How long there may be no room for a record before it is looked again.
const ROOM_WAIT: Duration = Duration::from_millis(10);

/// The version of librdkafka, by which all but the Java programs reach Kafka.
pub(crate) fn client_version() -> String {
    rdkafka::util::get_rdkafka_version().1
}

/// A producer that keeps the order of its records.
pub(crate) struct Writer(BaseProducer);

impl Writer {
    /// Connects. Records wait for company so long at most.
    pub(crate) fn open(ground: &Ground, linger: Duration) -> Result<Self> {
        let producer = ClientConfig::new()
            .set("bootstrap.servers", ground.servers())
            .set("enable.idempotence", "true")
            .set("partitioner", "murmur2_random")
            .set("linger.ms", linger.as_millis().to_string())
            .set("batch.size", "1000000")
            .create()?;
        Ok(Self(producer))
    }

    /// Writes a record as soon as there is room for it. Its delivery isn't waited for.
    pub(crate) fn send(&self, outgoing: &Outgoing) -> Result<()> {
        let mut record = native(outgoing);
        // Bounded: a record that can't be delivered leaves its room after the client's
        // `message.timeout.ms`.
        loop {
            match self.0.send(record) {
                Ok(()) => {
                    self.0.poll(Duration::ZERO);
                    return Ok(());
                }
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), refused)) => {
                    self.0.poll(ROOM_WAIT);
                    record = refused;
                }
                Err((error, _)) => return Err(error.into()),
            }
        }
    }

    /// Waits until all of them are delivered.
    pub(crate) fn flush(&self) -> Result<()> {
        self.0.flush(FLUSH_MAX)?;
        match self.0.in_flight_count() {
            0 => Ok(()),
            count => bail!("{count} records were not written within {FLUSH_MAX:?}"),
        }
    }
}

fn native(outgoing: &Outgoing) -> BaseRecord<'_, [u8], [u8]> {
    let mut record = BaseRecord::to(outgoing.topic.as_str());
    if let Some(partition) = outgoing.partition {
        record = record.partition(partition.0);
    }
    if let Some(key) = &outgoing.key {
        record = record.key(key.as_ref());
    }
    if let Some(value) = &outgoing.value {
        record = record.payload(value.as_ref());
    }
    match outgoing.headers.is_empty() {
        true => record,
        false => record.headers(headers(&outgoing.headers)),
    }
}

fn headers(headers: &Headers) -> OwnedHeaders {
    let native = OwnedHeaders::new_with_capacity(headers.len());
    headers.iter().fold(native, |native, (key, value)| {
        native.insert(Header { key, value: value.map(|value| value.as_ref()) })
    })
}
