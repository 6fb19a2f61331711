//! The one terminal outcome of a part.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::cut::cut;
use crate::headers::ERROR_MESSAGE_MAX;
use crate::{GroupId, PartId, Revision, StageName, Timestamp};

/// What became of a part. Every part ends in exactly one: a filter writes SKIPPED, a worker that
/// gives up writes its dead letter and FAILED together. Silence is not a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartOutcome {
    /// The group, copied from the item's headers.
    pub group_id: GroupId,
    /// The opening it belongs to, copied likewise.
    pub revision: Revision,
    /// When the group was opened, copied likewise: tells an expired group from a foreign one.
    pub opened_at: Timestamp,
    /// The stage that ended the part.
    pub stage: StageName,
    /// The part.
    pub part_id: PartId,
    /// How many times it was sent through its stage: 0 at first, one more with every redrive.
    pub attempt: u32,
    /// How it ended.
    pub status: PartStatus,
    /// What the stage's handler made of it, encoded; none unless DONE.
    pub payload: Option<Bytes>,
    /// Why it failed; none unless FAILED.
    pub error: Option<PartError>,
}

/// How a part ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PartStatus {
    /// Handled, with a payload.
    Done,
    /// Left out on purpose.
    Skipped,
    /// Given up; the item is in the dead-letter topic.
    Failed,
}

/// Why a part failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartError {
    /// The kind of error, of low cardinality: `undecodable`, `timeout`, a handler's own class.
    pub class: String,
    /// What happened, at most 1 KiB.
    pub message: String,
}

impl PartError {
    /// An error whose message is cut to its bound, between two characters.
    pub fn new(class: impl Into<String>, message: &str) -> Self {
        Self { class: class.into(), message: cut(message, ERROR_MESSAGE_MAX).into() }
    }
}
