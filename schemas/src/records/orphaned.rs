//! A part that nobody waits for.

use serde::{Deserialize, Serialize};

use crate::{GroupId, PartId, Revision, StageName};

/// A part of an unknown group, given up after `orphan_timeout`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orphaned {
    /// The group that nobody opened.
    pub group_id: GroupId,
    /// The revision it names.
    pub revision: Revision,
    /// The stage that ended the part.
    pub stage: StageName,
    /// The part.
    pub part_id: PartId,
    /// The inbox offset of its outcome.
    pub offset: i64,
}
