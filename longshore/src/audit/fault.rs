//! What can be wrong, each with the record at fault.

use std::fmt;
use std::time::Duration;

use longshore_kafka::Record;
use longshore_schemas::{Origin, StageName, TopicName};
use serde::Serialize;

use super::groups::WrongGroup;
use super::held::Holders;
use super::looks::WrongProgress;

/// A promise that is checked. Named as in the design, so that reports and tests say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Invariant {
    /// A transaction commits the progress of exactly the items whose outputs it carries.
    #[serde(rename = "EO-1")]
    Eo1,
    /// Every input offset below the position has one terminal outcome.
    #[serde(rename = "EO-2")]
    Eo2,
    /// An origin occurs once for committed readers.
    #[serde(rename = "EO-3")]
    Eo3,
    /// Nothing aborted or uncommitted is ever read.
    #[serde(rename = "EO-4")]
    Eo4,
    /// A position never goes back; the finished map loses an offset only when the position passes.
    #[serde(rename = "EO-5")]
    Eo5,
    /// Outputs of a key are in the order of its inputs.
    #[serde(rename = "EO-6")]
    Eo6,
    /// Progress of a partition comes from one owner per generation.
    #[serde(rename = "EO-7")]
    Eo7,
    /// A poison item is dead-lettered once, byte for byte.
    #[serde(rename = "EO-8")]
    Eo8,
    /// Every partition's last stable offset reaches its end.
    #[serde(rename = "LV-1")]
    Lv1,
}

impl Invariant {
    /// All of them, in order.
    pub const ALL: [Self; 9] = [
        Self::Eo1,
        Self::Eo2,
        Self::Eo3,
        Self::Eo4,
        Self::Eo5,
        Self::Eo6,
        Self::Eo7,
        Self::Eo8,
        Self::Lv1,
    ];

    /// Its name and what it promises.
    pub fn promise(self) -> &'static str {
        match self {
            Self::Eo1 => "EO-1 outputs and progress together",
            Self::Eo2 => "EO-2 no loss",
            Self::Eo3 => "EO-3 no duplicate",
            Self::Eo4 => "EO-4 nothing uncommitted visible",
            Self::Eo5 => "EO-5 progress never goes back",
            Self::Eo6 => "EO-6 order of each key",
            Self::Eo7 => "EO-7 one owner at a time",
            Self::Eo8 => "EO-8 dead letters once, unchanged",
            Self::Lv1 => "LV-1 every transaction ends",
        }
    }
}

/// The place of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its topic.
    pub topic: TopicName,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
}

impl Place {
    pub(super) fn of(record: &Record) -> Self {
        Self { topic: record.topic.clone(), partition: record.partition.0, offset: record.offset.0 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.topic, self.partition, self.offset)
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A finished item that nothing came of.
    Lost {
        /// The stage that finished it.
        stage: StageName,
        /// The item.
        item: Place,
    },
    /// An item that was both done and given up.
    TwoEnds {
        /// The stage.
        stage: StageName,
        /// The item.
        item: Place,
        /// Its output, and what says that it was given up.
        ends: Box<(Place, Place)>,
    },
    /// An item of which an output is missing, though a later one is there.
    Gap {
        /// The stage.
        stage: StageName,
        /// The item.
        item: Place,
        /// The first output that is missing.
        index: u32,
        /// The later one.
        later: Place,
    },
    /// A record whose origin stands in another one of its topic already.
    Doubled {
        /// Its origin.
        origin: String,
        /// The second record.
        at: Place,
    },
    /// The same of a dead letter.
    DeadTwice {
        /// Its origin.
        origin: String,
        /// The second dead letter.
        at: Place,
    },
    /// A dead letter that isn't its item, byte for byte.
    Altered {
        /// The item.
        item: Place,
        /// The dead letter.
        at: Place,
    },
    /// A record of an item that no committed progress says to be finished: its transaction wasn't
    /// committed as a whole, or it was written outside any.
    Unfinished {
        /// The stage.
        stage: StageName,
        /// The item.
        item: Place,
        /// One of the records.
        at: Place,
    },
    /// A record that no committed record is the origin of.
    Unknown {
        /// What it names as its origin, if anything.
        origin: String,
        /// The record.
        at: Place,
    },
    /// A record that comes after one of a later item of the same key.
    Swapped {
        /// Its origin.
        origin: Origin,
        /// The record.
        at: Place,
        /// The offset of the later item.
        behind: i64,
    },
    /// A fault of committed progress.
    Progress {
        /// The group.
        group: String,
        /// The partition, and the position that is at fault.
        at: Place,
        /// What is wrong with it.
        wrong: WrongProgress,
    },
    /// A fault between a join's inbox, journal and results.
    Join {
        /// The join.
        join: StageName,
        /// The group of parts, and its revision.
        of: (String, u32),
        /// The record at fault.
        at: Place,
        /// What is wrong with it.
        wrong: WrongGroup,
    },
    /// A transaction that doesn't end.
    Hanging {
        /// Its first record.
        at: Place,
        /// What it names as its origin, if anything.
        origin: Option<String>,
        /// Who holds it open, as far as the broker tells.
        holders: Holders,
        /// How long it was waited for.
        waited: Duration,
    },
}

impl Fault {
    /// What it breaks.
    pub fn breaks(&self) -> Invariant {
        match self {
            Self::Unfinished { .. } | Self::Gap { .. } => Invariant::Eo1,
            Self::Lost { .. } | Self::TwoEnds { .. } => Invariant::Eo2,
            Self::Doubled { .. } => Invariant::Eo3,
            Self::Unknown { .. } => Invariant::Eo4,
            Self::Swapped { .. } => Invariant::Eo6,
            Self::DeadTwice { .. } | Self::Altered { .. } => Invariant::Eo8,
            Self::Progress { wrong, .. } => wrong.breaks(),
            Self::Join { wrong, .. } => wrong.breaks(),
            Self::Hanging { .. } => Invariant::Lv1,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost { stage, item } => {
                write!(f, "{item} is finished by {stage}, and nothing came of it")
            }
            Self::TwoEnds { stage, item, ends } => {
                let (done, given_up) = &**ends;
                write!(f, "{item} has an output of {stage}, {done}, and is given up by it, in ")?;
                given_up.fmt(f)
            }
            Self::Gap { stage, item, index, later } => write!(
                f,
                "output {index} that {stage} made of {item} is missing, and a later one is there, \
                 {later}"
            ),
            Self::Doubled { origin, at } => {
                write!(f, "{at} is a second record of origin {origin}")
            }
            Self::DeadTwice { origin, at } => {
                write!(f, "{at} is a second dead letter of {origin}")
            }
            Self::Altered { item, at } => {
                write!(f, "dead letter {at} differs from its item, {item}")
            }
            Self::Unfinished { stage, item, at } => write!(
                f,
                "{item} has records of {stage} that can be read, {at} among them, and isn't \
                 finished in its progress"
            ),
            Self::Unknown { origin, at } => {
                write!(f, "{at} names origin {origin}, which no committed record is")
            }
            Self::Swapped { origin, at, behind } => {
                write!(f, "{at}, of {origin}, comes after a record of offset {behind}, of its key")
            }
            Self::Progress { group, at, wrong } => {
                write!(f, "group {group} at {at}: {wrong}")
            }
            Self::Join { join, of: (group, revision), at, wrong } => {
                write!(f, "{at}, of group {group} revision {revision} of {join}: {wrong}")
            }
            Self::Hanging { at, origin, holders, waited } => {
                let origin = origin.as_ref().map_or(String::new(), |it| format!(", of {it},"));
                write!(
                    f,
                    "the transaction that began with {at}{origin} is still open after {waited:?}, \
                     and holds back all behind it; {holders}"
                )
            }
        }
    }
}
