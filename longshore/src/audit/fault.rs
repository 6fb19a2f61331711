//! What can be wrong, each with the record at fault.

use std::fmt;

use longshore_kafka::Record;
use longshore_schemas::{Origin, StageName, TopicName};
use serde::Serialize;

/// A promise that is checked. Named as in the design, so that reports and tests say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Invariant {
    /// Every input offset below the position has one terminal outcome.
    #[serde(rename = "EO-2")]
    Eo2,
    /// An origin occurs once for committed readers.
    #[serde(rename = "EO-3")]
    Eo3,
    /// Nothing aborted or uncommitted is ever read.
    #[serde(rename = "EO-4")]
    Eo4,
    /// Outputs of a key are in the order of its inputs.
    #[serde(rename = "EO-6")]
    Eo6,
}

impl Invariant {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Eo2, Self::Eo3, Self::Eo4, Self::Eo6];

    /// Its name and what it promises.
    pub fn promise(self) -> &'static str {
        match self {
            Self::Eo2 => "EO-2 no loss",
            Self::Eo3 => "EO-3 no duplicate",
            Self::Eo4 => "EO-4 nothing uncommitted visible",
            Self::Eo6 => "EO-6 order of each key",
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
    },
    /// A record whose origin stands in another one of its topic already.
    Doubled {
        /// Its origin.
        origin: String,
        /// The second record.
        at: Place,
    },
    /// A record of an item that no committed progress says to be finished: its transaction wasn't
    /// committed as a whole, or it was written outside any.
    Unfinished {
        /// The stage.
        stage: StageName,
        /// The item.
        item: Place,
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
}

impl Fault {
    /// What it breaks.
    pub fn breaks(&self) -> Invariant {
        match self {
            Self::Lost { .. } | Self::TwoEnds { .. } => Invariant::Eo2,
            Self::Doubled { .. } => Invariant::Eo3,
            Self::Unfinished { .. } | Self::Unknown { .. } => Invariant::Eo4,
            Self::Swapped { .. } => Invariant::Eo6,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost { stage, item } => {
                write!(f, "{item} is finished by {stage}, and nothing came of it")
            }
            Self::TwoEnds { stage, item } => {
                write!(f, "{item} has an output of {stage} and is dead-lettered by it")
            }
            Self::Doubled { origin, at } => {
                write!(f, "{at} is a second record of origin {origin}")
            }
            Self::Unfinished { stage, item } => write!(
                f,
                "{item} has records of {stage} that can be read, and isn't finished in its progress"
            ),
            Self::Unknown { origin, at } => {
                write!(f, "{at} names origin {origin}, which no committed record is")
            }
            Self::Swapped { origin, at, behind } => {
                write!(f, "{at}, of {origin}, comes after a record of offset {behind}, of its key")
            }
        }
    }
}
