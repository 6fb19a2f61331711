//! What an audit found, what it looked at, and what it couldn't look at.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use longshore_schemas::{StageName, TopicName};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::fault::{Fault, Invariant};
use crate::inspect::Consumer;
use crate::table::Table;

/// The outcome of an audit. `{}` prints it for people.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Each audited stage.
    pub stages: Vec<StageReport>,
    /// Each audited join.
    pub joins: Vec<JoinReport>,
    /// Results of joins that were looked at.
    pub results: u64,
    /// Records that belong to none of the audited stages, in topics that others write too.
    pub of_others: u64,
    /// Records that only uncommitted readers get: aborted ones, and those of open transactions.
    pub hidden: u64,
    /// Looks at the committed progress of a partition.
    pub looks: u64,
    /// Dead letters that were held against their items.
    pub dead_letters: u64,
    /// Partitions whose last stable offset was looked at.
    pub partitions: u64,
    /// How many faults were found of each kind.
    pub counts: BTreeMap<Invariant, u64>,
    /// The first of them.
    pub faults: Vec<Fault>,
    /// What couldn't be checked.
    pub not_checked: BTreeSet<NotChecked>,
    #[serde(skip)]
    shown: usize,
}

/// What was looked at of one stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StageReport {
    /// Its name.
    pub stage: String,
    /// Its consumer group.
    pub group: String,
    /// Its input.
    pub input: String,
    /// Items that were finished when the audit began: each was looked for.
    pub finished: u64,
    /// Of those, items that nothing came of.
    pub untold: u64,
    /// Items that were given up.
    pub given_up: u64,
    /// Records that were held against their origins.
    pub records: u64,
    /// Of those, records that had to be in order.
    pub in_order: u64,
    /// Records of items that have expired: their origins can't be looked at.
    pub expired: u64,
    /// Records of items that were written after the audit began.
    pub newer: u64,
}

/// What was looked at of one join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JoinReport {
    /// Its name.
    pub join: String,
    /// Openings in its inbox that weren't set aside.
    pub openings: u64,
    /// Parts that ended in its inbox, each once.
    pub parts: u64,
    /// Closings in its journal.
    pub closings: u64,
    /// Its results.
    pub results: u64,
}

impl JoinReport {
    pub(super) fn new(join: &StageName) -> Self {
        Self { join: join.to_string(), openings: 0, parts: 0, closings: 0, results: 0 }
    }
}

/// Something that couldn't be checked, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotChecked {
    /// A group that never committed.
    NoProgress(String),
    /// A group of which a map can't be read.
    UnusableMap(String),
    /// Nothing came of some items, or it has expired.
    Expired {
        /// The topic from which records may have gone.
        topic: TopicName,
        /// The stage.
        stage: StageName,
        /// How many items.
        items: u64,
    },
    /// Nothing came of some items, or an open transaction holds it back.
    Held {
        /// The topic that is held back.
        topic: TopicName,
        /// The stage.
        stage: StageName,
        /// How many items.
        items: u64,
    },
    /// A join without committed progress: nothing tells which of its groups are dealt with.
    NoLow(String),
    /// What should stand in a topic of a join isn't there, and may be gone or held back.
    JoinExpired {
        /// The join.
        join: StageName,
        /// The topic.
        topic: TopicName,
    },
    /// Stages that read the same topic and write the same one: nothing tells whose a record is.
    SeveralWriters {
        /// What they write.
        topic: TopicName,
        /// What they read.
        input: TopicName,
    },
}

/// The short answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All was checked, and nothing is wrong.
    Clean,
    /// Something is wrong.
    Faulty,
    /// Nothing wrong was found, but not all could be checked.
    Inconclusive,
}

impl Report {
    pub(super) fn new(shown: usize) -> Self {
        Self {
            stages: Vec::new(),
            joins: Vec::new(),
            results: 0,
            of_others: 0,
            hidden: 0,
            looks: 0,
            dead_letters: 0,
            partitions: 0,
            counts: Invariant::ALL.into_iter().map(|it| (it, 0)).collect(),
            faults: Vec::new(),
            not_checked: BTreeSet::new(),
            shown,
        }
    }

    /// The short answer.
    pub fn verdict(&self) -> Verdict {
        if self.counts.values().any(|count| *count > 0) {
            Verdict::Faulty
        } else if self.not_checked.is_empty() {
            Verdict::Clean
        } else {
            Verdict::Inconclusive
        }
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        *self.counts.entry(fault.breaks()).or_default() += 1;
        if self.faults.len() < self.shown {
            self.faults.push(fault);
        }
    }

    pub(super) fn not_checked(&mut self, what: NotChecked) {
        self.not_checked.insert(what);
    }

    /// How many things were checked for a promise.
    fn checked(&self, invariant: Invariant) -> String {
        let sum = |of: fn(&StageReport) -> u64| self.stages.iter().map(of).sum::<u64>();
        let (records, results) = (sum(|it| it.records), self.results);
        let closings = self.joins.iter().map(|it| it.closings).sum::<u64>();
        match invariant {
            Invariant::Eo1 => format!("{records} records, {closings} closings"),
            Invariant::Eo2 => format!("{} finished items", sum(|it| it.finished)),
            Invariant::Eo3 => format!("{records} records, {results} results"),
            Invariant::Eo4 => format!("{records} records; {} more are hidden", self.hidden),
            Invariant::Eo5 | Invariant::Eo7 => format!("{} looks at a partition", self.looks),
            Invariant::Eo6 => format!("{} records", sum(|it| it.in_order)),
            Invariant::Eo8 => format!("{} dead letters", self.dead_letters),
            Invariant::Lv1 => format!("{} partitions", self.partitions),
        }
    }
}

impl StageReport {
    pub(super) fn new(consumer: &Consumer) -> Self {
        Self {
            stage: consumer.name.to_string(),
            group: consumer.group.clone(),
            input: consumer.topic.to_string(),
            finished: 0,
            untold: 0,
            given_up: 0,
            records: 0,
            in_order: 0,
            expired: 0,
            newer: 0,
        }
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fault = serializer.serialize_struct("Fault", 2)?;
        fault.serialize_field("breaks", &self.breaks())?;
        fault.serialize_field("what", &self.to_string())?;
        fault.end()
    }
}

impl Serialize for NotChecked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for NotChecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoProgress(group) => {
                write!(f, "EO-2 and EO-4: group {group} has no committed progress")
            }
            Self::UnusableMap(group) => write!(
                f,
                "EO-2 and EO-4 ahead of the position: group {group} has a map that can't be used"
            ),
            Self::Expired { topic, stage, items } => write!(
                f,
                "EO-2: nothing tells of {items} items of {stage}, but records may be gone from \
                 {topic}"
            ),
            Self::Held { topic, stage, items } => write!(
                f,
                "EO-2: nothing tells of {items} items of {stage}, but {topic} is held back by an \
                 open transaction"
            ),
            Self::NoLow(group) => {
                write!(f, "EO-2 of groups: group {group} has no committed progress")
            }
            Self::JoinExpired { join, topic } => {
                write!(
                    f,
                    "groups of {join}: records may be gone from {topic}, or are held back in it"
                )
            }
            Self::SeveralWriters { topic, input } => write!(
                f,
                "records in {topic} made of {input}: several stages write them, and nothing tells \
                 them apart"
            ),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut stages =
            Table::new(&["STAGE", "INPUT", "FINISHED", "GIVEN UP", "NOTHING", "RECORDS"]);
        for it in &self.stages {
            let counts = [it.finished, it.given_up, it.untold, it.records];
            let names = [it.stage.clone(), it.input.clone()];
            stages.row(names.into_iter().chain(counts.map(|count| count.to_string())));
        }
        writeln!(f, "{stages}")?;
        if !self.joins.is_empty() {
            let mut joins = Table::new(&["JOIN", "OPENINGS", "PARTS", "CLOSINGS", "RESULTS"]);
            for it in &self.joins {
                let counts = [it.openings, it.parts, it.closings, it.results];
                let counts = counts.map(|count| count.to_string());
                joins.row([it.join.clone()].into_iter().chain(counts));
            }
            writeln!(f, "{joins}")?;
        }
        let mut promises = Table::new(&["PROMISE", "FAULTS", "CHECKED"]);
        for (invariant, count) in &self.counts {
            let promise = invariant.promise().to_owned();
            promises.row([promise, count.to_string(), self.checked(*invariant)]);
        }
        writeln!(f, "{promises}")?;
        self.faults.iter().try_for_each(|it| writeln!(f, "at fault: {it}"))?;
        let more = self.counts.values().sum::<u64>() - self.faults.len() as u64;
        if more > 0 {
            writeln!(f, "at fault: {more} more")?;
        }
        self.not_checked.iter().try_for_each(|it| writeln!(f, "not checked: {it}"))?;
        f.write_str(match self.verdict() {
            Verdict::Clean => "nothing is wrong",
            Verdict::Faulty => "SOMETHING IS WRONG",
            Verdict::Inconclusive => "nothing wrong was found, but not all could be checked",
        })
    }
}
