//! A group that an operator opened again.

use serde::{Deserialize, Serialize};

use crate::{GroupId, Revision};

/// A closed group was opened again by an operator, under a new revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopened {
    /// The group.
    pub group_id: GroupId,
    /// Its new revision.
    pub revision: Revision,
    /// The inbox offset of the new opening.
    pub opened_offset: i64,
}
