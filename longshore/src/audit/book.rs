//! The books of an audit: every record is entered as a fact, and when the books are closed the
//! facts are gone through in their order.

use longshore_kafka::reader::Range;
use longshore_kafka::{Offset, Partition, Record};
use longshore_schemas::records::{GroupResult, InboxRecord, JournalRecord, PartStatus};
use longshore_schemas::{Codec, Origin, ResultOrigin, TopicName};

use super::claim::{Claim, inbox_record};
use super::facts::{About, End, ItemFact, Made, Output, Spot, content_of, content_within, hash_of};
use super::fault::{Fault, Place};
use super::groups::{Closing, GroupFact, Groups, InPartition, JoinRead, OfGroup, says};
use super::input::Input;
use super::items::{Items, Nothing, Settled};
use super::looks::ProgressOf;
use super::order::Order;
use super::plan::{Audited, AuditedJoin, Kind, Plan, Written};
use super::report::{NotChecked, Report, StageReport};
use super::sorter::Sorter;
use super::state_dir::StateDir;
use crate::inspect::{InspectError, Progress};

/// The progress of a stage around the reading of topics.
#[derive(Clone, Debug, Default)]
pub(super) struct Around {
    /// As it stood before any was read: what was finished then must show.
    pub(super) before: ProgressOf,
    /// As it stood after all were: what shows must be finished by then.
    pub(super) after: ProgressOf,
}

/// The books of all stages and joins.
pub(super) struct Books<'a> {
    plan: &'a Plan,
    state: &'a StateDir,
    inputs: Vec<Input>,
    items: Sorter<ItemFact>,
    groups: Sorter<GroupFact>,
    pub(super) report: Report,
}

/// What must be known for the books to be closed.
pub(super) struct Rest {
    /// Of each stage, in the plan's order.
    pub(super) stages: Vec<(Around, Nothing)>,
    /// Of each join, in the plan's order.
    pub(super) joins: Vec<JoinRead>,
}

impl<'a> Books<'a> {
    /// Empty books, for about so many records.
    pub(super) fn new(
        plan: &'a Plan,
        state: &'a StateDir,
        (about, shown): (u64, usize),
    ) -> Result<Self, InspectError> {
        let mut inputs: Vec<Input> = Vec::new();
        for stage in &plan.stages {
            let topic = &stage.consumer.topic;
            if inputs.iter().all(|it| it.topic != *topic) {
                inputs.push(Input::new(topic.clone()));
            }
        }
        Ok(Self {
            plan,
            state,
            inputs,
            items: Sorter::new(state, "items", about)?,
            groups: Sorter::new(state, "groups", about)?,
            report: Report::new(shown),
        })
    }

    /// These stretches of a topic will be read.
    pub(super) fn reads(&mut self, topic: &TopicName, ranges: &[Range]) {
        if let Some(input) = self.inputs.iter_mut().find(|it| it.topic == *topic) {
            input.reads(ranges);
        }
    }

    /// Enters an item, if the topic is an input.
    pub(super) fn enter_item(&mut self, record: &Record) -> Result<(), InspectError> {
        let Some(input) = self.input(&record.topic) else {
            return Ok(());
        };
        let what =
            About::Item { key: record.key.as_ref().map(hash_of), content: content_of(record) };
        self.items.take(ItemFact { item: spot(input, record.partition, record.offset), what })
    }

    /// Enters a record that a committed reader got of a topic. `is_early`: it stood there before
    /// anything was read.
    pub(super) fn enter(
        &mut self,
        written: &Written,
        record: &Record,
        is_early: bool,
    ) -> Result<(), InspectError> {
        match written.kind {
            Kind::Journal => self.enter_journal(record, is_early),
            Kind::Conflicts => self.enter_conflict(record),
            Kind::Inbox => {
                let says = inbox_record(record);
                self.enter_claim(written, record, Claim::of_inbox(record, says.as_ref()))?;
                says.map_or(Ok(()), |says| self.enter_inbox(record, says))
            }
            Kind::Outputs | Kind::DeadLetters => {
                self.enter_claim(written, record, Claim::of(record))
            }
        }
    }

    fn enter_claim(
        &mut self,
        written: &Written,
        record: &Record,
        claim: Claim,
    ) -> Result<(), InspectError> {
        match claim {
            Claim::NoItem => Ok(()),
            Claim::Made(origin) => self.enter_made(written, record, &origin, (|_| true, End::Done)),
            Claim::Ended { origin, stage, status } => {
                let end = match status {
                    PartStatus::Done | PartStatus::Skipped => End::Done,
                    PartStatus::Failed => End::GivenUp,
                };
                self.enter_made(written, record, &origin, (|it| it.ends(&stage), end))
            }
            Claim::DeadLetter { origin, stage } => {
                let end = match written.kind {
                    Kind::DeadLetters => End::DeadLetter(content_within(record)),
                    _ => End::GivenUp,
                };
                self.enter_made(written, record, &origin, (|it| it.is(&stage), end))
            }
            Claim::Result(origin) => self.enter_result(written, record, &origin),
            Claim::Untraceable(origin) => {
                self.untraceable(written, record, origin);
                Ok(())
            }
        }
    }

    fn enter_made(
        &mut self,
        written: &Written,
        record: &Record,
        origin: &Origin,
        (is_writer, end): (impl Fn(&Audited) -> bool, End),
    ) -> Result<(), InspectError> {
        let writes_here = |(_, audited): &(usize, &Audited)| {
            audited.consumer.topic == origin.topic
                && audited.writes.contains(&written.topic)
                && is_writer(audited)
        };
        let mut writers = self.plan.stages.iter().enumerate().filter(writes_here);
        let (stage, audited) = match (writers.next(), writers.next()) {
            (None, _) => {
                self.untraceable(written, record, origin.to_string());
                return Ok(());
            }
            (Some(writer), None) => writer,
            (Some(_), Some(_)) => {
                let (topic, input) = (written.topic.clone(), origin.topic.clone());
                self.report.not_checked(NotChecked::SeveralWriters { topic, input });
                return Ok(());
            }
        };
        let (Some(input), Some(topic)) = (self.input(&audited.consumer.topic), self.topic(written))
        else {
            return Ok(());
        };
        let what = About::Made(Made {
            stage: number(stage),
            index: origin.index,
            topic,
            partition: record.partition.0,
            offset: record.offset.0,
            end,
        });
        let (partition, offset) = (Partition(origin.partition), Offset(origin.offset));
        self.items.take(ItemFact { item: spot(input, partition, offset), what })
    }

    /// Dead letters may come from others: sources, or stages that aren't audited.
    fn untraceable(&mut self, written: &Written, record: &Record, origin: String) {
        if written.is_closed && written.kind != Kind::DeadLetters {
            let at = Place::of(record);
            self.report.fault(Fault::Unknown { origin, at });
        } else {
            self.report.of_others += 1;
        }
    }

    // ----- groups

    fn enter_inbox(&mut self, record: &Record, says: InboxRecord) -> Result<(), InspectError> {
        let at = standing(record);
        let (group, revision, what) = match says {
            InboxRecord::Open(it) => (it.group_id, it.revision, OfGroup::Opened(at)),
            InboxRecord::Outcome(it) => {
                let what = OfGroup::Ended { stage: hash_of(&it.stage), part: it.part_id.0, at };
                (it.group_id, it.revision, what)
            }
            InboxRecord::Seal(_) | InboxRecord::Tick(_) => return Ok(()),
        };
        match self.plan.joins.iter().position(|it| it.consumer.topic == record.topic) {
            Some(join) => self.enter_group(join, (group.as_str(), revision.0), what),
            None => Ok(()),
        }
    }

    /// An opening that was set aside isn't closed.
    fn enter_conflict(&mut self, record: &Record) -> Result<(), InspectError> {
        let join = self.plan.joins.iter().position(|it| it.conflicts == record.topic);
        let origin = Origin::read(&record.headers).ok().flatten();
        let (Some(join), Some(origin), Some(InboxRecord::Open(opening))) =
            (join, origin, inbox_record(record))
        else {
            return Ok(());
        };
        let at = InPartition { partition: origin.partition, offset: origin.offset };
        let of = (opening.group_id.as_str(), opening.revision.0);
        self.enter_group(join, of, OfGroup::SetAside(at))
    }

    fn enter_journal(&mut self, record: &Record, is_early: bool) -> Result<(), InspectError> {
        let join = self.plan.joins.iter().position(|it| it.journal == record.topic);
        let says = record.value.as_ref().and_then(|it| JournalRecord::decode(it).ok());
        let (Some(join), Some(JournalRecord::Closed(closed))) = (join, says) else {
            return Ok(());
        };
        let closing = Closing::of(&closed, is_early);
        let what = OfGroup::Closed { at: standing(record), closing };
        self.enter_group(join, (closed.group_id.as_str(), closed.revision.0), what)
    }

    fn enter_result(
        &mut self,
        written: &Written,
        record: &Record,
        origin: &ResultOrigin,
    ) -> Result<(), InspectError> {
        self.report.results += 1;
        let is_its = |it: &AuditedJoin| it.name == origin.join && it.results == written.topic;
        let Some(join) = self.plan.joins.iter().position(is_its) else {
            self.report.of_others += 1;
            return Ok(());
        };
        let decoded = Codec::<GroupResult>::shared().ok().zip(record.value.as_ref());
        let result = decoded.and_then(|(codec, value)| codec.decode(value).ok());
        let says = result.map_or(0, |it| says(it.status, it.completed_by, it.counts));
        let of = (origin.group_id.as_str(), origin.revision.0);
        self.enter_group(join, of, OfGroup::Result { at: standing(record), says })
    }

    fn enter_group(
        &mut self,
        join: usize,
        (group, revision): (&str, u32),
        what: OfGroup,
    ) -> Result<(), InspectError> {
        let group = group.to_owned();
        self.groups.take(GroupFact { join: number(join), group, revision, what })
    }

    // ----- the end

    /// Closes the books.
    pub(super) fn close(self, rest: &Rest) -> Result<Report, InspectError> {
        let Self { plan, state, inputs, items, groups, mut report } = self;
        let mut lines = Sorter::new(state, "lines", items.taken())?;
        let stages = plan.stages.iter().zip(&rest.stages);
        let settled = stages.map(|(audited, rest)| {
            let input = inputs.iter().position(|it| it.topic == audited.consumer.topic);
            let tally = StageReport::new(&audited.consumer);
            Settled::new(audited, number(input.unwrap_or_default()), rest, tally)
        });
        let mut settling = Items::new(plan, &inputs, settled.collect());
        let mut facts = items.sorted()?;
        while let Some(fact) = facts.next()? {
            if let Some(output) = settling.take(fact, &mut report) {
                lines.take(output)?;
            }
        }
        settling.end(&mut report);
        drop(facts);
        let mut stages = settling.stages;
        check_order(plan, &mut stages, lines, &mut report)?;
        stages.into_iter().for_each(|stage| tell(stage, &mut report));
        check_groups(plan, &rest.joins, groups, &mut report)?;
        Ok(report)
    }

    fn input(&self, topic: &TopicName) -> Option<u16> {
        self.inputs.iter().position(|it| it.topic == *topic).map(number)
    }

    fn topic(&self, written: &Written) -> Option<u16> {
        self.plan.topics.iter().position(|it| it.topic == written.topic).map(number)
    }
}

fn check_order(
    plan: &Plan,
    stages: &mut [Settled<'_>],
    lines: Sorter<Output>,
    report: &mut Report,
) -> Result<(), InspectError> {
    let mut order = Order::default();
    let mut outputs = lines.sorted()?;
    while let Some(output) = outputs.next()? {
        let stage = &mut stages[usize::from(output.line.stage)];
        stage.tally.in_order += 1;
        if let Some(behind) = order.take(&output) {
            let topic = plan.topics[usize::from(output.line.topic)].topic.clone();
            let origin = Origin {
                topic: stage.audited.consumer.topic.clone(),
                partition: output.line.of,
                offset: output.item,
                index: output.index,
            };
            let at = Place { topic, partition: output.line.partition, offset: output.offset };
            report.fault(Fault::Swapped { origin, at, behind });
        }
    }
    Ok(())
}

/// What is said of a stage in the end.
fn tell(stage: Settled<'_>, report: &mut Report) {
    let Settled { audited, around, nothing, ref tally, .. } = stage;
    let group = &audited.consumer.group;
    if !stage.has_progress() {
        report.not_checked(NotChecked::NoProgress(group.clone()));
    } else if around.after.values().any(Progress::is_unusable) {
        report.not_checked(NotChecked::UnusableMap(group.clone()));
    }
    let (name, items) = (audited.consumer.name.clone(), tally.untold);
    match nothing {
        Nothing::Expired(topic) if items > 0 => {
            let topic = topic.clone();
            report.not_checked(NotChecked::Expired { topic, stage: name, items });
        }
        Nothing::Held(topic) if items > 0 => {
            let topic = topic.clone();
            report.not_checked(NotChecked::Held { topic, stage: name, items });
        }
        Nothing::Lost | Nothing::LeftOut { .. } | Nothing::Expired(_) | Nothing::Held(_) => {}
    }
    report.stages.push(stage.tally);
}

fn check_groups(
    plan: &Plan,
    reads: &[JoinRead],
    groups: Sorter<GroupFact>,
    report: &mut Report,
) -> Result<(), InspectError> {
    let joins: Vec<_> = plan.joins.iter().zip(reads.iter().cloned()).collect();
    let mut of_joins = Groups::new(&joins);
    let mut facts = groups.sorted()?;
    while let Some(fact) = facts.next()? {
        of_joins.take(&fact, report);
    }
    of_joins.close(report);
    Ok(())
}

fn spot(input: u16, partition: Partition, offset: Offset) -> Spot {
    Spot { input, partition: partition.0, offset: offset.0 }
}

fn standing(record: &Record) -> InPartition {
    InPartition { partition: record.partition.0, offset: record.offset.0 }
}

/// A stage's, a join's or a topic's number: a pipeline has far fewer than 65,536 of them.
fn number(index: usize) -> u16 {
    u16::try_from(index).expect("a pipeline has fewer stages and topics")
}

#[cfg(test)]
mod tests;
