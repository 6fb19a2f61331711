//! The seal of an open-ended group: no more parts will come.

use serde::{Deserialize, Serialize};

use crate::{GroupId, Revision};

/// Closes the list of parts of a group that was opened as [`super::Expect::OpenEnded`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSeal {
    /// The group.
    pub group_id: GroupId,
    /// The opening that it belongs to.
    pub revision: Revision,
    /// Ids 0..total-1 in every stage of the join's `of` are expected.
    pub total: u32,
}
