//! An audit of a cluster: progress, inputs, everything written, progress again.

use std::collections::BTreeMap;
use std::sync::Arc;

use longshore_kafka::admin::{Isolation, Stability};
use longshore_kafka::reader::ReadFrom;
use longshore_schemas::TopicName;

use super::book::{Around, Books, Nothing, ProgressOf};
use super::input::{Input, OFFSETS_MAX};
use super::plan::{Audited, Plan, Written};
use super::report::Report;
use crate::inspect::{InspectError, Observer, PATIENCE};

/// How an audit is made.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Faults that are named; all are counted.
    pub shown: usize,
    /// Whether stages may leave items out: one that nothing came of is counted then, and no fault.
    pub may_skip: bool,
}

/// Audits the stages of a plan. Transactions that are open when a topic's turn comes are waited
/// for.
pub fn audit(observer: &Observer, plan: &Plan, options: Options) -> Result<Report, InspectError> {
    let before = progress(observer, plan)?;
    let mut books = Books::new(plan, &inputs(observer, plan)?, options.shown);
    for written in &plan.topics {
        read(observer, written, &mut books)?;
    }
    let after = progress(observer, plan)?;
    let expired = expired(observer, plan)?;
    let around = before.into_iter().zip(after);
    let stages = plan.stages.iter().zip(around).map(|(stage, (before, after))| {
        (Around { before, after }, nothing(stage, &expired, options))
    });
    Ok(books.close(&stages.collect::<Vec<_>>()))
}

fn progress(observer: &Observer, plan: &Plan) -> Result<Vec<ProgressOf>, InspectError> {
    let of_stage = |stage: &Audited| {
        let standings = observer.standings(&stage.consumer, Stability::Stable)?;
        let progress = standings.into_iter().map(|it| (it.partition.0, it.progress));
        Ok(progress.collect())
    };
    plan.stages.iter().map(of_stage).collect()
}

fn inputs(
    observer: &Observer,
    plan: &Plan,
) -> Result<BTreeMap<TopicName, Arc<Input>>, InspectError> {
    let mut inputs = BTreeMap::new();
    for stage in &plan.stages {
        let topic = &stage.consumer.topic;
        if !inputs.contains_key(topic) {
            inputs.insert(topic.clone(), Arc::new(input(observer, topic)?));
        }
    }
    Ok(inputs)
}

fn input(observer: &Observer, topic: &TopicName) -> Result<Input, InspectError> {
    let mut reader = observer.reader(topic, Isolation::Committed)?;
    let ranges = reader.ranges(&ReadFrom::LogStart)?;
    let spans = ranges.iter().map(|it| it.to.0 - it.from.0);
    let offsets = u64::try_from(spans.sum::<i64>()).unwrap_or(0);
    if offsets > OFFSETS_MAX {
        return Err(InspectError::TooLarge { topic: topic.clone(), offsets, max: OFFSETS_MAX });
    }
    let mut input = Input::new(topic.clone(), &ranges);
    for record in reader.read(&ranges, PATIENCE)? {
        input.take(&record?);
    }
    Ok(input)
}

/// Enters all that committed readers get of a topic, and counts what only others get.
fn read(observer: &Observer, written: &Written, books: &mut Books) -> Result<(), InspectError> {
    let mut reader = observer.reader(&written.topic, Isolation::Committed)?;
    let ranges = reader.ranges(&ReadFrom::LogStart)?;
    let mut visible = 0;
    for record in reader.read(&ranges, PATIENCE)? {
        books.enter(written, &record?);
        visible += 1;
    }
    let mut all = 0;
    let mut reader = observer.reader(&written.topic, Isolation::Uncommitted)?;
    for record in reader.read(&ranges, PATIENCE)? {
        record?;
        all += 1;
    }
    books.report.hidden += u64::saturating_sub(all, visible);
    Ok(())
}

/// The topics from which records may have gone: deleted, or compacted away.
fn expired(observer: &Observer, plan: &Plan) -> Result<Vec<TopicName>, InspectError> {
    let names: Vec<_> = plan.topics.iter().map(|it| it.topic.clone()).collect();
    let mut expired = Vec::new();
    for topic in observer.admin().topics(&names)? {
        let logs = observer.admin().watermarks(&topic.name)?;
        let is_compacted = topic.settings.cleanup_policy.contains("compact");
        if is_compacted || logs.iter().any(|it| it.log_start.0 > 0) {
            expired.push(topic.name);
        }
    }
    Ok(expired)
}

fn nothing(stage: &Audited, expired: &[TopicName], options: Options) -> Nothing {
    let may_be_in = expired.iter().find(|it| stage.writes.contains(*it));
    match may_be_in {
        _ if options.may_skip => Nothing::LeftOut,
        Some(topic) => Nothing::Expired(topic.clone()),
        None => Nothing::Lost,
    }
}
