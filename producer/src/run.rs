//! One run: a source, from where it was to its end.

use std::collections::HashMap;
use std::time::Instant;

use longshore_kafka::Settings;
use longshore_kafka::admin::Admin;
use longshore_kafka::client::TransactionalProducer;
use longshore_kafka::publisher::Publisher;
use longshore_schemas::TopicName;
use tokio_util::sync::CancellationToken;

use crate::avro::JsonEncoder;
use crate::cursors::{Cursors, KafkaCursors};
use crate::pace::Pace;
use crate::publishing::{Limits, Publishing};
use crate::recipe::Recipe;
use crate::source;
use crate::{ProducerConfig, ProducerError, Progress, Summary, Topics};

/// Publishes a source, each of its items once however often this is run. Blocks its thread until
/// the source ends, `draining` is cancelled and what was read is committed, or it can't go on.
/// `observe` is called after every transaction, and while nothing comes many times a second.
///
/// # Errors
/// Whatever keeps it from starting, or stopped it. The next run goes on where it was.
pub fn run(
    config: &ProducerConfig,
    settings: &Settings,
    draining: &CancellationToken,
    observe: &mut dyn FnMut(&Progress),
) -> Result<Summary, ProducerError> {
    let encoder = JsonEncoder::new(&config.schema)?;
    config.check(&encoder)?;
    let size_limits = size_limits(&config.topics, settings)?;
    let mut cursors = KafkaCursors::open(settings, &config.topics.cursors)?;
    let opened = source::open(config, || cursors.read())?;
    let id = format!("{}.{}", config.group, opened.id);
    let mut producer = TransactionalProducer::new(settings.clone(), id)?;
    producer.set_size_limits(size_limits);
    let publishing = Publishing {
        // Ready first: only then no transaction of the id is open, and its cursor is final.
        publisher: Publisher::open(producer, settings.transaction_timeout)?,
        cursors: Box::new(cursors),
        source: opened.source,
        recipe: Recipe {
            name: opened.name,
            id: opened.id,
            topics: config.topics.clone(),
            encoder,
            key: config.key.clone(),
            idempotency_key: config.idempotency_key.clone(),
        },
        limits: Limits { items_max: config.batch_items_max, interval: config.commit_interval },
        pace: Pace::new(config.rate, Instant::now()),
        lane: config.group.clone(),
    };
    publishing.run(draining, observe)
}

/// The `max.message.bytes` of the topics, all of which must be there.
fn size_limits(
    topics: &Topics,
    settings: &Settings,
) -> Result<HashMap<TopicName, usize>, ProducerError> {
    let names = [&topics.items, &topics.dead_letters, &topics.cursors].map(TopicName::clone);
    let found = Admin::connect(settings)?.topics(&names)?;
    let limits: HashMap<_, _> =
        found.into_iter().map(|it| (it.name, it.settings.max_message_bytes)).collect();
    match names.into_iter().find(|topic| !limits.contains_key(topic)) {
        Some(topic) => Err(ProducerError::NoTopic { topic }),
        None => Ok(limits),
    }
}
