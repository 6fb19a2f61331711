//! The result of a group: one record per revision.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{ExpectedPart, PartError};
use crate::{GroupId, Revision, RunId};

/// What a group came to. Exactly one per revision, on the join's output topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupResult {
    /// The group.
    pub group_id: GroupId,
    /// The run that it belongs to, if any.
    pub run_id: Option<RunId>,
    /// The opening that this result answers.
    pub revision: Revision,
    /// Whether the group has what its rule asked for.
    pub status: GroupStatus,
    /// What closed the group.
    pub completed_by: CompletedBy,
    /// The parts, counted.
    pub counts: Counts,
    /// Parts that had not ended when the group closed, sorted, at most 100 of them.
    pub missing: Vec<ExpectedPart>,
    /// What the gather handler made of the parts, encoded.
    pub payload: Option<Bytes>,
    /// Why the gather failed; none unless FAILED.
    pub error: Option<PartError>,
}

/// Whether a group has what its rule asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GroupStatus {
    /// Its rule is met.
    Complete,
    /// Some of it is missing or failed, and that was acceptable.
    Partial,
    /// Its rule can't be met, or the gather failed.
    Failed,
}

/// What closed a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CompletedBy {
    /// Every part ended.
    All,
    /// A rule was met or can't be met any more before every part had ended.
    Rule,
    /// Enough parts were done.
    Quorum,
    /// The deadline.
    Timeout,
    /// An operator.
    Command,
}

/// The parts of a group, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Parts the group waited for.
    pub expected: u32,
    /// Parts handled.
    pub done: u32,
    /// Parts left out on purpose.
    pub skipped: u32,
    /// Parts given up.
    pub failed: u32,
    /// Parts that had not ended.
    pub missing: u32,
    /// Outcomes that came again with the same content.
    pub duplicate: u32,
}
