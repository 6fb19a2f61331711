//! What came of each item, item by item: everything that is known of it comes in one piece.

use longshore_kafka::Offset;
use longshore_kafka::lane::config::Ordering;
use longshore_schemas::{Origin, TopicName};

use super::book::Around;
use super::facts::{About, End, ItemFact, Line, Made, Output, Spot};
use super::fault::{Fault, Place};
use super::input::{Absent, Input};
use super::looks::ProgressOf;
use super::plan::{Audited, Plan};
use super::report::{Report, StageReport};
use crate::inspect::Progress;

/// What it means that nothing came of a finished item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Nothing {
    /// It is lost.
    Lost,
    /// The stage may leave items out.
    LeftOut {
        /// Whether all that it wrote was read: of what it didn't leave out all must be there.
        is_whole: bool,
    },
    /// Nobody knows: records may have gone from this topic.
    Expired(TopicName),
    /// Nobody knows: an open transaction holds this topic back.
    Held(TopicName),
}

impl Nothing {
    /// Whether all that the stage wrote was read.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self, Self::Lost | Self::LeftOut { is_whole: true })
    }
}

/// A stage whose items are settled.
pub(super) struct Settled<'a> {
    pub(super) audited: &'a Audited,
    /// The number of its input.
    pub(super) input: u16,
    pub(super) around: &'a Around,
    pub(super) nothing: &'a Nothing,
    pub(super) tally: StageReport,
    /// How the item at hand ended.
    ends: Ends,
}

/// How an item ended in a stage.
#[derive(Default)]
struct Ends {
    done: Option<Place>,
    given_up: Option<Place>,
    /// The index of the output that must come next, and whether one was missed.
    next_index: u32,
    gap: Option<(u32, Place)>,
}

/// Takes the facts of items in their order.
pub(super) struct Items<'a> {
    plan: &'a Plan,
    inputs: &'a [Input],
    pub(super) stages: Vec<Settled<'a>>,
    at: Option<Spot>,
    /// Key and content of the item at hand, if it is there.
    item: Option<(Option<u64>, u64)>,
    last: Option<(u16, u32, u16)>,
}

impl<'a> Settled<'a> {
    pub(super) fn new(
        audited: &'a Audited,
        input: u16,
        (around, nothing): &'a (Around, Nothing),
        tally: StageReport,
    ) -> Self {
        Self { audited, input, around, nothing, tally, ends: Ends::default() }
    }

    /// Whether it ever committed.
    pub(super) fn has_progress(&self) -> bool {
        self.around.after.values().any(|it| *it != Progress::None)
    }
}

impl<'a> Items<'a> {
    pub(super) fn new(plan: &'a Plan, inputs: &'a [Input], stages: Vec<Settled<'a>>) -> Self {
        Self { plan, inputs, stages, at: None, item: None, last: None }
    }

    /// Takes the next fact. If it is of an output that must be in order: that.
    pub(super) fn take(&mut self, fact: ItemFact, report: &mut Report) -> Option<Output> {
        if self.at != Some(fact.item) {
            self.end(report);
            self.at = Some(fact.item);
        }
        match fact.what {
            About::Item { key, content } => {
                self.item = Some((key, content));
                None
            }
            About::Made(made) => self.made(fact.item, made, report),
        }
    }

    /// Ends the item at hand.
    pub(super) fn end(&mut self, report: &mut Report) {
        let is_there = self.item.take().is_some();
        self.last = None;
        let Some(spot) = self.at.take() else {
            return;
        };
        let topic = &self.inputs[usize::from(spot.input)].topic;
        let Spot { input, partition, offset } = spot;
        for stage in self.stages.iter_mut().filter(|it| it.input == input) {
            let ends = std::mem::take(&mut stage.ends);
            if is_there && stage.has_progress() {
                stage.settle(Place { topic: topic.clone(), partition, offset }, ends, report);
            }
        }
    }

    fn made(&mut self, spot: Spot, made: Made, report: &mut Report) -> Option<Output> {
        let at = Place {
            topic: self.plan.topics[usize::from(made.topic)].topic.clone(),
            partition: made.partition,
            offset: made.offset,
        };
        let origin = Origin {
            topic: self.inputs[usize::from(spot.input)].topic.clone(),
            partition: spot.partition,
            offset: spot.offset,
            index: made.index,
        };
        let tally = &mut self.stages[usize::from(made.stage)].tally;
        let Some((key, content)) = self.item else {
            match self.inputs[usize::from(spot.input)].absent(spot) {
                Absent::Expired => tally.expired += 1,
                Absent::Newer => tally.newer += 1,
                Absent::Never => report.fault(Fault::Unknown { origin: origin.to_string(), at }),
            }
            return None;
        };
        tally.records += 1;
        let this = (made.stage, made.index, made.topic);
        if self.last.replace(this) == Some(this) {
            let origin = origin.to_string();
            report.fault(match made.end {
                End::DeadLetter(_) => Fault::DeadTwice { origin, at },
                End::Done | End::GivenUp => Fault::Doubled { origin, at },
            });
            return None;
        }
        if let End::DeadLetter(kept) = made.end {
            report.dead_letters += 1;
            if kept != content {
                let item = Place { topic: origin.topic, ..at_origin(spot, &at) };
                report.fault(Fault::Altered { item, at: at.clone() });
            }
        }
        let stage = &mut self.stages[usize::from(made.stage)];
        stage.ends.take(&made, at);
        // Redriven dead letters may come in any order.
        let is_ordered = !matches!(made.end, End::DeadLetter(_));
        let key = match stage.audited.ordering {
            Ordering::Key => key?,
            Ordering::Partition => 0,
            Ordering::None => return None,
        };
        is_ordered.then(|| output(spot, &made, key))
    }
}

fn at_origin(spot: Spot, at: &Place) -> Place {
    Place { topic: at.topic.clone(), partition: spot.partition, offset: spot.offset }
}

fn output(spot: Spot, made: &Made, key: u64) -> Output {
    let Made { stage, topic, partition, offset, index, .. } = *made;
    let line = Line { stage, topic, partition, of: spot.partition, key };
    Output { line, offset, item: spot.offset, index }
}

impl Ends {
    fn take(&mut self, made: &Made, at: Place) {
        if made.index > self.next_index && self.gap.is_none() {
            self.gap = Some((self.next_index, at.clone()));
        }
        self.next_index = self.next_index.max(made.index.saturating_add(1));
        match made.end {
            End::Done => self.done.get_or_insert(at),
            End::GivenUp | End::DeadLetter(_) => self.given_up.get_or_insert(at),
        };
    }
}

impl Settled<'_> {
    /// Holds what came of an item against what progress says of it.
    fn settle(&mut self, item: Place, ends: Ends, report: &mut Report) {
        let (before, after) = (&self.around.before, &self.around.after);
        let was_finished = finishes(before, item.partition, item.offset) == Some(true);
        self.tally.given_up += u64::from(ends.given_up.is_some());
        self.tally.finished += u64::from(was_finished);
        let stage = self.audited.consumer.name.clone();
        // A stage that is in no pipeline may write elsewhere too. Of an item that ended since, a
        // topic may have been read before.
        let is_whole = !self.audited.ends.is_empty() && self.nothing.is_whole();
        if let (Some((index, later)), true) = (ends.gap, is_whole && was_finished) {
            report.fault(Fault::Gap { stage: stage.clone(), item: item.clone(), index, later });
        }
        match (ends.done, ends.given_up) {
            (Some(done), Some(given_up)) => {
                report.fault(Fault::TwoEnds { stage, item, ends: Box::new((done, given_up)) });
            }
            (None, None) if was_finished => {
                self.tally.untold += 1;
                if *self.nothing == Nothing::Lost {
                    report.fault(Fault::Lost { stage, item });
                }
            }
            (Some(at), None) | (None, Some(at)) => {
                if finishes(after, item.partition, item.offset) == Some(false) {
                    report.fault(Fault::Unfinished { stage, item, at });
                }
            }
            (None, None) => {}
        }
    }
}

fn finishes(progress: &ProgressOf, partition: i32, offset: i64) -> Option<bool> {
    let progress = progress.get(&partition).unwrap_or(&Progress::None);
    progress.finishes(Offset(offset))
}
