//! The groups of joins: one result per group and revision, and inbox, journal and results agree.

use std::fmt;

use longshore_schemas::records::{Closed, CompletedBy, Counts, GroupStatus};
use longshore_schemas::{StageName, TopicName};
use serde::{Deserialize, Serialize};

use super::facts::hash_of;
use super::fault::{Fault, Invariant, Place};
use super::plan::AuditedJoin;
use super::report::{JoinReport, NotChecked, Report};

/// Something that is known of a group's revision, in the order in which it must have come about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct GroupFact {
    /// The join's number in the audit.
    pub(super) join: u16,
    pub(super) group: String,
    pub(super) revision: u32,
    pub(super) what: OfGroup,
}

/// Where a record stands in a topic that is known by what is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct InPartition {
    pub(super) partition: i32,
    pub(super) offset: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum OfGroup {
    /// An opening in the inbox that was set aside as a conflict.
    SetAside(InPartition),
    /// An opening in the inbox.
    Opened(InPartition),
    /// An outcome in the inbox: of a part by its stage's hash and its number.
    Ended { stage: u64, part: u32, at: InPartition },
    /// A closing in the journal.
    Closed { at: InPartition, closing: Closing },
    /// A result.
    Result { at: InPartition, says: u64 },
}

/// What a closing says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Closing {
    opened: i64,
    through: i64,
    /// Parts that had ended.
    counted: u32,
    /// The hash of what its result must say too.
    says: u64,
    /// Whether it stood there before any result was read, so that its own must show.
    early: bool,
}

impl Closing {
    pub(super) fn of(closed: &Closed, early: bool) -> Self {
        let Counts { done, skipped, failed, .. } = closed.counts;
        Self {
            opened: closed.opened_offset,
            through: closed.through_offset,
            counted: done.saturating_add(skipped).saturating_add(failed),
            says: says(closed.status, closed.completed_by, closed.counts),
            early,
        }
    }
}

/// The hash of what result and closing both say.
pub(super) fn says(status: GroupStatus, by: CompletedBy, counts: Counts) -> u64 {
    let Counts { expected, done, skipped, failed, missing, duplicate } = counts;
    hash_of((status, by, [expected, done, skipped, failed, missing, duplicate]))
}

/// What is wrong with a group's revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongGroup {
    /// It has a second result.
    TwoResults,
    /// It was closed a second time.
    ClosedTwice,
    /// Its result is there, its closing isn't in the journal.
    NotJournalled,
    /// It was closed, and has no result.
    NoResult,
    /// Its result doesn't say what its closing says.
    Disagrees,
    /// It was closed, and its opening isn't in the inbox where the closing says.
    NotOpened,
    /// It was opened and is dealt with, and was never closed.
    NotClosed,
    /// Its closing counts more parts than have ended in the inbox.
    Overcounted {
        /// How many it counts.
        counted: u32,
        /// How many have ended.
        ended: u32,
    },
}

impl WrongGroup {
    pub(super) fn breaks(self) -> Invariant {
        match self {
            Self::NotJournalled | Self::Disagrees => Invariant::Eo1,
            Self::NoResult | Self::NotClosed => Invariant::Eo2,
            Self::TwoResults | Self::ClosedTwice => Invariant::Eo3,
            Self::NotOpened | Self::Overcounted { .. } => Invariant::Eo4,
        }
    }
}

impl fmt::Display for WrongGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TwoResults => "it is a second result",
            Self::ClosedTwice => "it is a second closing",
            Self::NotJournalled => "its closing isn't in the journal",
            Self::NoResult => "it closes the group, which has no result",
            Self::Disagrees => "it doesn't say what its closing says",
            Self::NotOpened => "its opening isn't in the inbox where it says",
            Self::NotClosed => "it opens the group, is dealt with, and was never closed",
            Self::Overcounted { counted, ended } => {
                return write!(f, "it counts {counted} parts, and {ended} ended in the inbox");
            }
        })
    }
}

/// What was read of a join.
#[derive(Clone, Debug, Default)]
pub(super) struct JoinRead {
    /// Of each inbox partition: the stretch that was read, and up to where it was dealt with before
    /// any of it was.
    pub(super) inbox: Vec<InboxRead>,
    /// Whether it ever committed.
    pub(super) has_progress: bool,
    /// Of results, journal and conflicts: those of which something may be gone or held back.
    pub(super) partial: Vec<TopicName>,
}

impl JoinRead {
    fn is_whole(&self, topic: &TopicName) -> bool {
        !self.partial.contains(topic)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct InboxRead {
    pub(super) partition: i32,
    pub(super) from: i64,
    pub(super) to: i64,
    /// The `low` of its committed state: the closings of all groups opened before it are committed.
    pub(super) low: Option<i64>,
}

/// Takes the facts of groups in their order.
pub(super) struct Groups<'a> {
    joins: &'a [(&'a AuditedJoin, JoinRead)],
    reports: Vec<JoinReport>,
    of: Option<(u16, String, u32)>,
    now: Now,
}

/// What is known of the revision at hand: sixteen bytes of each of its parts, which `parts_max`
/// bounds.
#[derive(Default)]
struct Now {
    set_aside: Vec<InPartition>,
    /// The first opening that is dealt with.
    due: Option<InPartition>,
    openings: Vec<InPartition>,
    last_part: Option<(u64, u32)>,
    /// Parts that ended, and where the first outcome of each stands: those below a closing count.
    ended: Vec<InPartition>,
    closed: Option<(InPartition, Closing)>,
    has_result: bool,
}

/// Openings of one revision that are remembered: the second is a conflict already.
const OPENINGS_MAX: usize = 1_000;

impl<'a> Groups<'a> {
    pub(super) fn new(joins: &'a [(&'a AuditedJoin, JoinRead)]) -> Self {
        let reports = joins.iter().map(|(join, _)| JoinReport::new(&join.name)).collect();
        Self { joins, reports, of: None, now: Now::default() }
    }

    /// Takes the next fact.
    pub(super) fn take(&mut self, fact: &GroupFact, report: &mut Report) {
        let is_next = self.of.as_ref().is_none_or(|(join, group, revision)| {
            (*join, group.as_str(), *revision) != (fact.join, &fact.group, fact.revision)
        });
        if is_next {
            self.end(report);
            self.of = Some((fact.join, fact.group.clone(), fact.revision));
        }
        match &fact.what {
            OfGroup::SetAside(at) => keep(&mut self.now.set_aside, *at),
            OfGroup::Opened(at) => self.opened(*at),
            OfGroup::Ended { stage, part, at } => self.ended((*stage, *part), *at),
            OfGroup::Closed { at, closing } => self.closed(*at, *closing, report),
            OfGroup::Result { at, says } => self.result(*at, *says, report),
        }
    }

    /// Ends the taking.
    pub(super) fn close(mut self, report: &mut Report) {
        self.end(report);
        report.joins = self.reports;
    }

    fn opened(&mut self, at: InPartition) {
        if self.now.set_aside.contains(&at) {
            return;
        }
        let (_, read) = self.join();
        let low = read.inbox.iter().find(|it| it.partition == at.partition).and_then(|it| it.low);
        if low.is_some_and(|low| at.offset < low) {
            self.now.due.get_or_insert(at);
        }
        keep(&mut self.now.openings, at);
        self.tally().openings += 1;
    }

    fn ended(&mut self, part: (u64, u32), at: InPartition) {
        if self.now.last_part.replace(part) != Some(part) {
            self.now.ended.push(at);
            self.tally().parts += 1;
        }
    }

    fn closed(&mut self, at: InPartition, closing: Closing, report: &mut Report) {
        self.tally().closings += 1;
        if self.now.closed.is_some() {
            return self.fault(At::Journal(at), WrongGroup::ClosedTwice, report);
        }
        self.now.closed = Some((at, closing));
        let (_, read) = self.join();
        let inbox = read.inbox.iter().find(|it| it.partition == at.partition);
        let Some(inbox) = inbox.copied() else {
            return;
        };
        let opened = InPartition { partition: at.partition, offset: closing.opened };
        let was_read = (inbox.from..inbox.to).contains(&closing.opened);
        if was_read && !self.now.openings.contains(&opened) {
            self.fault(At::Journal(at), WrongGroup::NotOpened, report);
        }
        if was_read && closing.through <= inbox.to {
            let below =
                |it: &&InPartition| it.partition == at.partition && it.offset < closing.through;
            let ended = self.now.ended.iter().filter(below).count();
            let ended = u32::try_from(ended).unwrap_or(u32::MAX);
            if ended < closing.counted {
                let wrong = WrongGroup::Overcounted { counted: closing.counted, ended };
                self.fault(At::Journal(at), wrong, report);
            }
        }
    }

    fn result(&mut self, at: InPartition, says: u64, report: &mut Report) {
        self.tally().results += 1;
        if std::mem::replace(&mut self.now.has_result, true) {
            return self.fault(At::Results(at), WrongGroup::TwoResults, report);
        }
        match self.now.closed {
            None => {
                let (join, _) = self.join();
                let journal = [&join.journal];
                self.missing(At::Results(at), WrongGroup::NotJournalled, (&journal, report));
            }
            Some((_, closing)) if closing.says != says => {
                self.fault(At::Results(at), WrongGroup::Disagrees, report);
            }
            Some(_) => {}
        }
    }

    fn end(&mut self, report: &mut Report) {
        if self.of.is_none() {
            return;
        }
        let (join, read) = self.join();
        match (self.now.closed, self.now.due) {
            (Some((at, closing)), _) if closing.early && !self.now.has_result => {
                let results = [&join.results];
                self.missing(At::Journal(at), WrongGroup::NoResult, (&results, report));
            }
            (None, Some(at)) => {
                let either = [&join.journal, &join.conflicts];
                self.missing(At::Inbox(at), WrongGroup::NotClosed, (&either, report));
            }
            (None, None) if !read.has_progress && !self.now.openings.is_empty() => {
                report.not_checked(NotChecked::NoLow(join.consumer.group.clone()));
            }
            (None | Some(_), _) => {}
        }
        self.now = Now::default();
    }

    /// What should stand in one of these topics isn't there: a fault, unless it may be gone.
    fn missing(&self, at: At, wrong: WrongGroup, (from, report): (&[&TopicName], &mut Report)) {
        let (join, read) = self.join();
        match from.iter().find(|topic| !read.is_whole(topic)) {
            None => self.fault(at, wrong, report),
            Some(topic) => report.not_checked(NotChecked::JoinExpired {
                join: join.name.clone(),
                topic: TopicName::clone(topic),
            }),
        }
    }

    fn fault(&self, at: At, wrong: WrongGroup, report: &mut Report) {
        let Some((_, group, revision)) = &self.of else {
            return;
        };
        let (join, _) = self.join();
        let (topic, spot) = match at {
            At::Inbox(spot) => (&join.consumer.topic, spot),
            At::Journal(spot) => (&join.journal, spot),
            At::Results(spot) => (&join.results, spot),
        };
        report.fault(Fault::Join {
            join: StageName::clone(&join.name),
            of: (group.clone(), *revision),
            at: Place { topic: topic.clone(), partition: spot.partition, offset: spot.offset },
            wrong,
        });
    }

    fn join(&self) -> &'a (&'a AuditedJoin, JoinRead) {
        &self.joins[self.number()]
    }

    fn number(&self) -> usize {
        self.of.as_ref().map_or(0, |(join, _, _)| usize::from(*join))
    }

    fn tally(&mut self) -> &mut JoinReport {
        let number = self.number();
        &mut self.reports[number]
    }
}

/// Where the record at fault stands.
enum At {
    Inbox(InPartition),
    Journal(InPartition),
    Results(InPartition),
}

fn keep(spots: &mut Vec<InPartition>, at: InPartition) {
    if spots.len() < OPENINGS_MAX {
        spots.push(at);
    }
}

#[cfg(test)]
mod tests;
