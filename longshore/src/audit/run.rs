//! An audit of a cluster: progress, everything that was read and written, progress again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use longshore_coordinator::JoinState;
use longshore_kafka::admin::{GroupProgress, Isolation, Stability};
use longshore_kafka::reader::{Range, ReadError, ReadFrom};
use longshore_schemas::TopicName;

use super::book::{Around, Books, Rest};
use super::groups::{InboxRead, JoinRead};
use super::held::readable;
use super::items::Nothing;
use super::looks::{Looks, ProgressOf};
use super::plan::{Audited, AuditedJoin, Plan};
use super::report::Report;
use super::state_dir::StateDir;
use crate::inspect::{Consumer, InspectError, Observer, PATIENCE, Progress};

/// How an audit is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// Faults that are named; all are counted.
    pub shown: usize,
    /// Whether stages may leave items out: one that nothing came of is counted then, and no fault.
    pub may_skip: bool,
    /// How long a transaction is waited for that is open when its topic's turn comes.
    pub patience: Duration,
    /// The folder for what doesn't fit in memory; by default the system's for temporary files.
    pub state_dir: Option<PathBuf>,
}

/// Audits the stages and joins of a plan.
///
/// # Errors
/// If Kafka doesn't answer, or what is remembered can't be kept on disk.
pub fn audit(observer: &Observer, plan: &Plan, options: &Options) -> Result<Report, InspectError> {
    let state = StateDir::create(options.state_dir.as_deref())?;
    let mut reading = Reading::begin(observer, plan)?;
    let early = reading.journal_ends()?;
    let names = reading.names();
    let about = names.iter().map(|it| reading.offsets(it)).sum::<Result<u64, _>>()?;
    let mut books = Books::new(plan, &state, (about, options.shown))?;
    for topic in &names {
        reading.read(topic, options.patience, (&early, &mut books))?;
        reading.look(Stability::AsWritten, &mut books.report)?;
    }
    reading.look_for_open(options.patience, &mut books.report)?;
    let after = reading.look(Stability::Stable, &mut books.report)?;
    reading.check_ends(&mut books.report)?;
    let rest = reading.rest(after, options)?;
    books.close(&rest)
}

/// What is known while topics are read.
struct Reading<'a> {
    observer: &'a Observer,
    plan: &'a Plan,
    groups: Vec<(&'a Consumer, GroupProgress, Looks)>,
    before: Vec<ProgressOf>,
    /// The stretches that were read.
    read: BTreeMap<TopicName, Vec<Range>>,
    /// Topics of which an open transaction held something back.
    held: BTreeSet<TopicName>,
}

/// The ends of journals, by topic and partition.
type Ends = BTreeMap<(TopicName, i32), i64>;

impl<'a> Reading<'a> {
    fn begin(observer: &'a Observer, plan: &'a Plan) -> Result<Self, InspectError> {
        let mut groups = Vec::new();
        for it in plan.consumers() {
            groups.push((it, observer.progress(&it.group)?, Looks::new(&it.group, &it.topic)));
        }
        let (read, held) = (BTreeMap::new(), BTreeSet::new());
        let mut reading = Self { observer, plan, groups, before: Vec::new(), read, held };
        // The first look has nothing to be held against.
        reading.before = reading.look_at(Stability::Stable)?.0;
        Ok(reading)
    }

    /// Looks at the progress of every consumer.
    fn look(
        &mut self,
        stability: Stability,
        report: &mut Report,
    ) -> Result<Vec<ProgressOf>, InspectError> {
        let (progress, faults) = self.look_at(stability)?;
        faults.into_iter().for_each(|it| report.fault(it));
        report.looks = self.groups.iter().map(|(_, _, looks)| looks.count).sum();
        Ok(progress)
    }

    fn look_at(
        &mut self,
        stability: Stability,
    ) -> Result<(Vec<ProgressOf>, Vec<super::fault::Fault>), InspectError> {
        let (mut all, mut faults) = (Vec::new(), Vec::new());
        for (consumer, progress, looks) in &mut self.groups {
            let read = |stability| -> Result<ProgressOf, InspectError> {
                let found = progress.read(&consumer.topic, stability)?.into_iter();
                Ok(found.map(|(partition, it)| (partition.0, Progress::of(it))).collect())
            };
            let mut found = read(stability)?;
            if stability == Stability::AsWritten && looks.suspects(&found) {
                found = read(Stability::Stable)?;
            }
            faults.extend(looks.look(&found));
            all.push(found);
        }
        Ok((all, faults))
    }

    /// Every topic once, journals last.
    fn names(&self) -> Vec<TopicName> {
        let written = self.plan.topics.iter().map(|it| it.topic.clone());
        let inputs = self.plan.stages.iter().map(|it| it.consumer.topic.clone());
        let is_written = |topic: &TopicName| self.plan.topics.iter().any(|it| it.topic == *topic);
        let inputs: BTreeSet<_> = inputs.filter(|it| !is_written(it)).collect();
        inputs.into_iter().chain(written).collect()
    }

    fn offsets(&self, topic: &TopicName) -> Result<u64, InspectError> {
        let logs = self.observer.admin().watermarks(topic)?;
        let offsets = logs.iter().map(|it| it.high.0 - it.log_start.0);
        Ok(u64::try_from(offsets.sum::<i64>()).unwrap_or(0))
    }

    fn journal_ends(&self) -> Result<Ends, InspectError> {
        let mut ends = Ends::new();
        for join in &self.plan.joins {
            for log in self.observer.admin().watermarks(&join.journal)? {
                ends.insert((join.journal.clone(), log.partition.0), log.high.0);
            }
        }
        Ok(ends)
    }

    /// Enters all that committed readers get of a topic, and counts what only others get.
    fn read(
        &mut self,
        topic: &TopicName,
        patience: Duration,
        (early, books): (&Ends, &mut Books<'_>),
    ) -> Result<(), InspectError> {
        let mut reader = self.observer.reader(topic, Isolation::Committed)?;
        let wanted = reader.ranges(&ReadFrom::LogStart)?;
        let (ranges, faults) = readable(self.observer, topic, wanted, patience)?;
        books.report.partitions += ranges.len() as u64;
        if !faults.is_empty() {
            self.held.insert(topic.clone());
        }
        faults.into_iter().for_each(|it| books.report.fault(it));
        books.reads(topic, &ranges);
        let written = self.plan.topics.iter().find(|it| it.topic == *topic);
        // Both readers mostly wait for the broker.
        let (visible, all) = thread::scope(|scope| {
            let all = written.map(|_| scope.spawn(|| count(self.observer, topic, &ranges)));
            let mut visible = 0;
            for record in reader.read(&ranges, PATIENCE)? {
                let record = record?;
                visible += 1;
                books.enter_item(&record)?;
                if let Some(written) = written {
                    let end = early.get(&(topic.clone(), record.partition.0));
                    let is_early = end.is_some_and(|end| record.offset.0 < *end);
                    books.enter(written, &record, is_early)?;
                }
            }
            let all = all.map(|it| it.join().expect("counting doesn't panic")).transpose()?;
            Ok::<_, InspectError>((visible, all.unwrap_or(visible)))
        })?;
        books.report.hidden += u64::saturating_sub(all, visible);
        self.read.insert(topic.clone(), ranges);
        Ok(())
    }

    /// No transaction is open where nothing else is to be found out: among the marks of what was
    /// begun, if the pipeline has them.
    fn look_for_open(
        &mut self,
        patience: Duration,
        report: &mut Report,
    ) -> Result<(), InspectError> {
        let Some(marks) = self.plan.marks.clone() else {
            return Ok(());
        };
        for topic in self.observer.admin().topics(&[marks])?.into_iter().map(|it| it.name) {
            let reader = self.observer.reader(&topic, Isolation::Committed)?;
            let wanted = reader.ranges(&ReadFrom::LogStart)?;
            let (ranges, faults) = readable(self.observer, &topic, wanted, patience)?;
            report.partitions += ranges.len() as u64;
            faults.into_iter().for_each(|it| report.fault(it));
        }
        Ok(())
    }

    /// Positions must lie within logs, whose ends are looked at last.
    fn check_ends(&self, report: &mut Report) -> Result<(), InspectError> {
        for (consumer, _, looks) in &self.groups {
            let logs = self.observer.admin().watermarks(&consumer.topic)?;
            let ends = logs.iter().map(|it| (it.partition.0, it.high.0)).collect();
            looks.beyond(&ends).into_iter().for_each(|it| report.fault(it));
        }
        Ok(())
    }

    // ----- what remains to be known

    fn rest(&mut self, after: Vec<ProgressOf>, options: &Options) -> Result<Rest, InspectError> {
        let expired = expired(self.observer, self.plan)?;
        let before = std::mem::take(&mut self.before);
        let (of_stages, of_joins) = before.split_at(self.plan.stages.len());
        let around = of_stages.iter().cloned().zip(after);
        let stages = self.plan.stages.iter().zip(around).map(|(stage, (before, after))| {
            (Around { before, after }, self.nothing(stage, &expired, options))
        });
        let stages = stages.collect();
        let joins = self.plan.joins.iter().zip(of_joins);
        let joins = joins.map(|(join, before)| self.join_read(join, before, &expired));
        Ok(Rest { stages, joins: joins.collect() })
    }

    fn nothing(&self, stage: &Audited, expired: &[TopicName], options: &Options) -> Nothing {
        let held = self.held.iter().find(|it| stage.writes.contains(*it));
        match (expired.iter().find(|it| stage.writes.contains(*it)), held) {
            (expired, held) if options.may_skip => {
                Nothing::LeftOut { is_whole: expired.is_none() && held.is_none() }
            }
            (Some(topic), _) => Nothing::Expired(topic.clone()),
            (None, Some(topic)) => Nothing::Held(topic.clone()),
            (None, None) => Nothing::Lost,
        }
    }

    fn join_read(
        &self,
        join: &AuditedJoin,
        before: &ProgressOf,
        expired: &[TopicName],
    ) -> JoinRead {
        let low = |partition: i32| match before.get(&partition) {
            Some(Progress::Ours(it)) => it.state.parse::<JoinState>().ok().map(|it| it.low),
            _ => None,
        };
        let inbox = self.read.get(&join.consumer.topic).into_iter().flatten();
        let inbox = inbox.map(|it| InboxRead {
            partition: it.partition.0,
            from: it.from.0,
            to: it.to.0,
            low: low(it.partition.0),
        });
        let kept = [&join.results, &join.journal, &join.conflicts];
        let is_partial = |it: &&TopicName| expired.contains(it) || self.held.contains(*it);
        JoinRead {
            inbox: inbox.collect(),
            has_progress: before.values().any(|it| *it != Progress::None),
            partial: kept.into_iter().filter(is_partial).cloned().collect(),
        }
    }
}

/// How many records there are in all, for whoever reads uncommitted ones too.
fn count(observer: &Observer, topic: &TopicName, ranges: &[Range]) -> Result<u64, InspectError> {
    let mut reader = observer.reader(topic, Isolation::Uncommitted)?;
    let counted: Result<u64, ReadError> = reader.read(ranges, PATIENCE)?.count();
    Ok(counted?)
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
