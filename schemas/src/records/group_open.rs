//! The opening of a group: which parts it expects and how long it waits for them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::as_millis;
use crate::{GroupId, PartId, Revision, RunId, StageName, Timestamp};

/// Opens a group. Written in the transaction that publishes the group's parts, so in its inbox
/// partition it always stands before their outcomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupOpen {
    /// The group.
    pub group_id: GroupId,
    /// The run to which the opening item belongs, if any.
    pub run_id: Option<RunId>,
    /// 1 at first, one more with every redrive.
    pub revision: Revision,
    /// When the splitter opened it, by the splitter's clock. Every part's outcome carries it back.
    pub opened_at: Timestamp,
    /// How long the group waits: its deadline is the append time of this record (the broker's
    /// clock, so no worker's clock matters) plus this.
    #[serde(rename = "timeout_ms", with = "as_millis")]
    pub timeout: Duration,
    /// The parts to wait for.
    pub expect: Expect,
    /// The group whose part opened this one, if any.
    pub parent: Option<GroupId>,
}

/// The parts that a group waits for. On the wire a union whose branches stand in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expect {
    /// Exactly these.
    Parts(Vec<ExpectedPart>),
    /// Ids 0..n-1 in every stage of the join's `of`.
    Count(u32),
    /// Known only when a [`super::GroupSeal`] arrives.
    OpenEnded,
}

/// One part that a group waits for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExpectedPart {
    /// The stage that ends it.
    pub stage: StageName,
    /// Its number within the group.
    pub part_id: PartId,
}
