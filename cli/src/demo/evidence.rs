//! Reads a finished run from its topics, by fresh readers from the beginning, into the ledger.

use std::time::Duration;

use anyhow::Context;
use longshore::inspect::Observer;
use longshore::inspect::dead_letters::{self, DeadLetter};
use longshore::kafka::Record;
use longshore::kafka::admin::Isolation;
use longshore::pipeline::Pipeline;
use longshore::schemas::records::{GroupResult, PartOutcome};
use longshore::schemas::{Codec, GroupId, Origin, TopicName, WorkItem};
use longshore_orders::items::{LineItem, Order};
use longshore_orders::verify::Ledger;

/// Nothing coming for this long ends a reading.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Enters every record of the run.
pub fn enter(observer: &Observer, pipeline: &Pipeline, ledger: &mut Ledger) -> anyhow::Result<()> {
    let source = &pipeline.source().topic;
    // Orders first: results and late parts are told by the places of their orders.
    each(observer, source, |record| {
        ledger.published(group_of(record), &decoded::<Order>(record)?);
        Ok(())
    })?;
    for join in pipeline.joins() {
        each(observer, &pipeline.results(join), |record| {
            ledger.settled(&decoded::<GroupResult>(record)?);
            Ok(())
        })?;
        each(observer, &pipeline.late(join), |record| {
            ledger.late(&decoded::<PartOutcome>(record)?);
            Ok(())
        })?;
        for topic in [pipeline.conflicts(join), pipeline.orphans(join)] {
            each(observer, &topic, |record| {
                ledger.stray(place(record));
                Ok(())
            })?;
        }
    }
    let dead = dead_letters::topics_of(pipeline);
    dead.iter().try_for_each(|topic| {
        each(observer, topic, |record| dead_letter(record, topic, source, ledger))
    })
}

/// Dead letters of the source are whole orders, all others are lines.
fn dead_letter(
    record: &Record,
    topic: &TopicName,
    source: &TopicName,
    ledger: &mut Ledger,
) -> anyhow::Result<()> {
    if topic.as_str().strip_suffix("-dlt") == Some(source.as_str()) {
        ledger.stray(place(record));
        return Ok(());
    }
    let stage = DeadLetter::of(record).stage.unwrap_or_default();
    ledger.dead_letter(&stage, &decoded::<LineItem>(record)?);
    Ok(())
}

fn each(
    observer: &Observer,
    topic: &TopicName,
    mut enter: impl FnMut(&Record) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut reader = observer.reader(topic, Isolation::Committed)?;
    for record in reader.read_all(PATIENCE)? {
        let record = record?;
        enter(&record).with_context(|| place(&record))?;
    }
    Ok(())
}

fn decoded<T: WorkItem>(record: &Record) -> anyhow::Result<T> {
    let value = record.value.as_ref().context("it has no value")?;
    Ok(Codec::<T>::shared()?.decode(value)?)
}

/// The group that the order in this record opens.
fn group_of(record: &Record) -> GroupId {
    let Record { topic, partition, offset, .. } = record;
    Origin { topic: topic.clone(), partition: partition.0, offset: offset.0, index: 0 }.group_id()
}

fn place(record: &Record) -> String {
    format!("offset {} of {}/{}", record.offset, record.topic, record.partition)
}
