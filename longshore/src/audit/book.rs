//! The books of an audit: every record is entered, faults that show at once are told at once, the
//! others when the books are closed.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use longshore_kafka::{Offset, Record};
use longshore_schemas::records::PartStatus;
use longshore_schemas::{Origin, TopicName};

use super::bits::Bits;
use super::claim::Claim;
use super::fault::{Fault, Place};
use super::input::{Found, Input, hash_of};
use super::once::Once;
use super::order::{Order, Output};
use super::plan::{Audited, Kind, Plan, Written};
use super::report::{NotChecked, Report, StageReport};
use crate::inspect::Progress;

/// The committed progress of a stage, by partition.
pub(super) type ProgressOf = BTreeMap<i32, Progress>;

/// The progress of a stage around the reading of topics.
#[derive(Debug, Default)]
pub(super) struct Around {
    /// As it stood before any was read: what was finished then must show.
    pub(super) before: ProgressOf,
    /// As it stood after all were: what shows must be finished by then.
    pub(super) after: ProgressOf,
}

/// What it means that nothing came of a finished item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Nothing {
    /// It is lost.
    Lost,
    /// The stage may leave items out.
    LeftOut,
    /// Nobody knows: records may have gone from this topic.
    Expired(TopicName),
}

/// The books of all stages.
pub(super) struct Books {
    stages: Vec<Book>,
    /// The results of joins that have been seen in each topic.
    results: HashSet<(TopicName, String)>,
    pub(super) report: Report,
}

/// The book of one stage.
struct Book {
    audited: Audited,
    input: Arc<Input>,
    /// Items with an output or an outcome.
    done: BTreeMap<i32, Bits>,
    /// Items that were given up.
    given_up: BTreeMap<i32, Bits>,
    once: BTreeMap<TopicName, Once>,
    order: Order,
    tally: StageReport,
}

/// How a record ends its item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Done,
    GivenUp,
}

impl Books {
    /// Empty books. `inputs` has the input of each of the plan's stages.
    pub(super) fn new(plan: &Plan, inputs: &BTreeMap<TopicName, Arc<Input>>, shown: usize) -> Self {
        let book = |audited: &Audited| {
            let input = &inputs[&audited.consumer.topic];
            Book::new(audited.clone(), Arc::clone(input))
        };
        Self {
            stages: plan.stages.iter().map(book).collect(),
            results: HashSet::new(),
            report: Report::new(shown),
        }
    }

    /// Enters a record that a committed reader got of a topic.
    pub(super) fn enter(&mut self, written: &Written, record: &Record) {
        let claim = match written.kind {
            Kind::Inbox => Claim::of_inbox(record),
            Kind::Outputs | Kind::DeadLetters => Claim::of(record),
        };
        match claim {
            Claim::NoItem => {}
            Claim::Made(origin) => self.enter_item(written, record, &origin, (|_| true, End::Done)),
            Claim::Ended { origin, stage, status } => {
                let end = match status {
                    PartStatus::Done | PartStatus::Skipped => End::Done,
                    PartStatus::Failed => End::GivenUp,
                };
                let is_writer = |it: &Audited| it.ends(&stage);
                self.enter_item(written, record, &origin, (is_writer, end));
            }
            Claim::DeadLetter { origin, stage } => {
                let is_writer = |it: &Audited| it.is(&stage);
                self.enter_item(written, record, &origin, (is_writer, End::GivenUp));
            }
            Claim::Result(origin) => self.enter_result(record, origin),
            Claim::Untraceable(origin) => self.untraceable(written, record, origin),
        }
    }

    fn enter_item(
        &mut self,
        written: &Written,
        record: &Record,
        origin: &Origin,
        (is_writer, end): (impl Fn(&Audited) -> bool, End),
    ) {
        let writes_here = |book: &&mut Book| {
            let audited = &book.audited;
            audited.consumer.topic == origin.topic
                && audited.writes.contains(&written.topic)
                && is_writer(audited)
        };
        let mut writers = self.stages.iter_mut().filter(writes_here);
        match (writers.next(), writers.next()) {
            (None, _) => self.untraceable(written, record, origin.to_string()),
            (Some(book), None) => book.enter(record, origin, (written.kind, end), &mut self.report),
            (Some(_), Some(_)) => {
                let (topic, input) = (written.topic.clone(), origin.topic.clone());
                let several = NotChecked::SeveralWriters { topic, input };
                self.report.not_checked(several);
            }
        }
    }

    fn enter_result(&mut self, record: &Record, origin: String) {
        self.report.results += 1;
        let at = Place::of(record);
        if !self.results.insert((record.topic.clone(), origin.clone())) {
            self.report.fault(Fault::Doubled { origin, at });
        }
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

    /// Closes the books: of each stage, in the plan's order, its progress and what it means that
    /// nothing came of an item.
    pub(super) fn close(mut self, stages: &[(Around, Nothing)]) -> Report {
        for (book, (around, nothing)) in self.stages.into_iter().zip(stages) {
            book.close(around, nothing, &mut self.report);
        }
        self.report
    }
}

impl Book {
    fn new(audited: Audited, input: Arc<Input>) -> Self {
        Self {
            order: Order::new(audited.ordering),
            tally: StageReport::new(&audited.consumer),
            audited,
            input,
            done: BTreeMap::new(),
            given_up: BTreeMap::new(),
            once: BTreeMap::new(),
        }
    }

    fn enter(
        &mut self,
        record: &Record,
        origin: &Origin,
        (kind, end): (Kind, End),
        report: &mut Report,
    ) {
        let partition = origin.partition;
        let item = match self.input.find(partition, origin.offset) {
            Found::Record(item) => item,
            Found::Expired => return self.tally.expired += 1,
            Found::Newer => return self.tally.newer += 1,
            Found::Nothing => {
                let (origin, at) = (origin.to_string(), Place::of(record));
                return report.fault(Fault::Unknown { origin, at });
            }
        };
        self.tally.records += 1;
        let once = self.once.entry(record.topic.clone()).or_default();
        if !once.see(partition, item, origin.index) {
            let (origin, at) = (origin.to_string(), Place::of(record));
            return report.fault(Fault::Doubled { origin, at });
        }
        let ended = match end {
            End::Done => &mut self.done,
            End::GivenUp => &mut self.given_up,
        };
        ended.entry(partition).or_default().insert(item);
        // Redriven dead letters may come in any order.
        if kind != Kind::DeadLetters {
            self.enter_output(record, origin, item, report);
        }
    }

    fn enter_output(&mut self, record: &Record, origin: &Origin, item: usize, report: &mut Report) {
        let output = Output {
            lies_in: hash_of((record.topic.as_str(), record.partition)),
            partition: origin.partition,
            offset: origin.offset,
            item,
            index: origin.index,
        };
        if let Some(behind) = self.order.take(&self.input, output) {
            report.fault(Fault::Swapped { origin: origin.clone(), at: Place::of(record), behind });
        }
    }

    fn close(mut self, around: &Around, nothing: &Nothing, report: &mut Report) {
        let group = &self.audited.consumer.group;
        if around.after.values().all(|it| *it == Progress::None) {
            report.not_checked(NotChecked::NoProgress(group.clone()));
        } else {
            if around.after.values().any(Progress::is_unusable) {
                report.not_checked(NotChecked::UnusableMap(group.clone()));
            }
            let input = Arc::clone(&self.input);
            for (partition, offset, item) in input.records() {
                self.settle(around, (partition, offset, item), nothing, report);
            }
        }
        self.tally.in_order = self.order.checked;
        if self.tally.untold > 0
            && let Nothing::Expired(topic) = nothing
        {
            report.not_checked(NotChecked::Expired {
                topic: topic.clone(),
                stage: self.audited.consumer.name.clone(),
                items: self.tally.untold,
            });
        }
        report.stages.push(self.tally);
    }

    /// Holds what came of an item against what progress says of it.
    fn settle(
        &mut self,
        around: &Around,
        (partition, offset, index): (i32, i64, usize),
        nothing: &Nothing,
        report: &mut Report,
    ) {
        let has = |ends: &BTreeMap<i32, Bits>| {
            let bits = ends.get(&partition);
            bits.is_some_and(|it| it.contains(index))
        };
        let (done, given_up) = (has(&self.done), has(&self.given_up));
        let was_finished = finishes(&around.before, partition, offset) == Some(true);
        self.tally.given_up += u64::from(given_up);
        self.tally.finished += u64::from(was_finished);
        let stage = self.audited.consumer.name.clone();
        let item = Place { topic: self.input.topic.clone(), partition, offset };
        if done && given_up {
            report.fault(Fault::TwoEnds { stage, item });
        } else if !done && !given_up && was_finished {
            self.tally.untold += 1;
            if *nothing == Nothing::Lost {
                report.fault(Fault::Lost { stage, item });
            }
        } else if (done || given_up) && finishes(&around.after, partition, offset) == Some(false) {
            report.fault(Fault::Unfinished { stage, item });
        }
    }
}

fn finishes(progress: &ProgressOf, partition: i32, offset: i64) -> Option<bool> {
    let progress = progress.get(&partition).unwrap_or(&Progress::None);
    progress.finishes(Offset(offset))
}

#[cfg(test)]
mod tests;
