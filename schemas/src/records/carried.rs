//! An old open group, moved from the inbox to the journal.

use serde::{Deserialize, Serialize};

use super::{GroupOpen, PartOutcome};
use crate::Timestamp;

/// An old open group, with all that it has gathered; its records in the inbox are no longer needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// Its opening.
    pub opening: GroupOpen,
    /// When it closes by itself, by the broker's clock.
    pub deadline: Timestamp,
    /// The inbox position at which it was carried.
    pub carried_at: i64,
    /// What has ended, with the inbox offset of each outcome.
    pub parts: Vec<CarriedPart>,
    /// The inbox offset of its opening; none in a record of the first version.
    pub opened_offset: Option<i64>,
    /// What its seal said, if it was opened open-ended and has been sealed.
    pub total: Option<u32>,
    /// Parts that came again with the same content.
    pub duplicates: u32,
    /// It only adds parts to the record of this group before it: one record can't hold them all.
    pub continues: bool,
}

/// A part of a carried group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarriedPart {
    /// Where it stood in the inbox.
    pub offset: i64,
    /// The outcome itself.
    pub outcome: PartOutcome,
}
