//! The end of a group, as the journal keeps it.

use serde::{Deserialize, Serialize};

use super::{CompletedBy, Counts, ExpectedPart, GroupStatus};
use crate::{GroupId, Revision, Timestamp};

/// A group closed: written in the transaction that carries its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// The group.
    pub group_id: GroupId,
    /// The opening that is answered.
    pub revision: Revision,
    /// Its result's status.
    pub status: GroupStatus,
    /// What closed it.
    pub completed_by: CompletedBy,
    /// The inbox offset of its opening.
    pub opened_offset: i64,
    /// Inbox records of the group below this offset are dealt with; a replay skips them.
    pub through_offset: i64,
    /// When it would have closed by itself, by the broker's clock.
    pub deadline: Timestamp,
    /// The partition's watermark when it closed.
    pub watermark: Timestamp,
    /// Its parts, counted.
    pub counts: Counts,
    /// Which parts had not ended, all of them: what makes a later outcome late, not a surplus.
    pub missing: Vec<ExpectedPart>,
}
