//! What the core asks the lane to do.
//!
//! The lane performs effects in the order in which it gets them, and those of one record in the
//! transaction that passes the record: the committed position never passes an effect left over.
//! Where one record causes too many (a tick after which thousands of groups are due), the first of
//! them may go into earlier transactions as long as each is [journalled](Effect::is_journalled), or
//! [goes with](Effect::goes_with) one that is.

use std::sync::Arc;

use longshore_schemas::records::{
    Carried, Closed, InboxRecord, Orphaned, PartError, PartOutcome, PartStatus,
};
use longshore_schemas::{GroupId, PartId, Revision, RunId, StageName, Timestamp};

use super::holds::Hold;
use super::payload::Payload;
use crate::spill::Spilled;

/// One thing to do, and with which record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The inbox offset of the record that caused it: done in the transaction that passes it. None
    /// for what [`super::Gather::resume`] found: done in the first transactions there are.
    pub at: Option<i64>,
    /// What to do.
    pub action: Action,
}

impl Effect {
    /// What stops holding `low` once this effect is in a committed transaction.
    pub fn releases(&self) -> Option<&Hold> {
        match &self.action {
            Action::Close(closing) => Some(&closing.hold),
            Action::Orphan(orphan) => Some(&orphan.hold),
            Action::Carry(carry) => Some(&carry.hold),
            Action::Late(_) | Action::Conflict(_) | Action::Cancel(_) => None,
        }
    }

    /// Whether the journal says that it is done. If so it isn't done again when its record is
    /// absorbed once more; any other effect is, so it must not be committed before its record.
    pub fn is_journalled(&self) -> bool {
        self.releases().is_some()
    }

    /// Whether it only tells of the group that `next` closes. It is done in the same transaction:
    /// once the journal says that the group has closed, neither is done again.
    pub fn goes_with(&self, next: &Self) -> bool {
        match (&self.action, &next.action) {
            (Action::Cancel(cancel), Action::Close(closing)) => {
                let closed = &closing.closed;
                (&cancel.group_id, cancel.revision) == (&closed.group_id, closed.revision)
            }
            _ => false,
        }
    }
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Gather the parts, write the result and the journal's record.
    Close(Box<Closing>),
    /// Write to the late topic.
    Late(Late),
    /// Write to the conflicts topic.
    Conflict(Box<Conflict>),
    /// Write to the orphans topic, and to the journal.
    Orphan(Box<Orphan>),
    /// Write to the cancels topic.
    Cancel(Cancel),
    /// Write to the journal.
    Carry(Box<Carry>),
}

/// A group has its verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The journal's record, from which the result's status, counts and missing parts are taken
    /// too.
    pub closed: Closed,
    /// The run of the group.
    pub run_id: Option<RunId>,
    /// The group whose part opened this one.
    pub parent: Option<GroupId>,
    /// When the splitter opened it.
    pub opened_at: Timestamp,
    /// What the gather gets, sorted by stage name and part id; without FAILED parts under
    /// `on_failed: drop`.
    pub parts: Vec<EndedPart>,
    pub(super) hold: Hold,
}

impl Closing {
    /// What its parts take in memory.
    pub(crate) fn bytes(&self) -> usize {
        let bytes = |part: &EndedPart| size_of::<EndedPart>() + part.payload.bytes();
        self.parts.iter().map(bytes).sum()
    }
}

/// A part as its gather sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedPart {
    /// The stage that ended it.
    pub stage: StageName,
    /// The part.
    pub part_id: PartId,
    /// How many times it was sent through its stage, the first time not counted.
    pub attempt: u32,
    /// How it ended.
    pub status: PartStatus,
    /// What the stage's handler made of it.
    pub payload: Payload,
    /// Why it failed.
    pub error: Option<PartError>,
    /// The inbox offset of its outcome.
    pub offset: i64,
}

/// A part that its group no longer waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Late {
    /// Why it is late.
    pub cause: LateCause,
    /// Its inbox offset.
    pub offset: i64,
    /// The part's outcome, as it came.
    pub outcome: Box<PartOutcome>,
}

/// Why a part is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LateCause {
    /// It was missing when its group closed.
    Missing,
    /// Its group has been opened again since.
    LowerRevision,
    /// Its group is unknown, and by its time of opening must have closed long ago.
    Expired,
}

/// A record that contradicts what stands before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// What it contradicts.
    pub cause: ConflictCause,
    /// Its inbox offset: below the effect's own for a part that a later seal leaves out.
    pub offset: i64,
    /// The record, as it came.
    pub record: InboxRecord,
    /// The payload that belongs into the record, if it was spilled since.
    pub spilled: Option<Arc<Spilled>>,
}

/// What a record contradicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConflictCause {
    /// The part has ended already, with other content.
    OtherContent,
    /// The group doesn't expect the part.
    NotExpected,
    /// The part lies beyond the group's seal, which came later.
    BeyondSeal,
    /// This revision of the group has been opened already.
    SecondOpening,
    /// A higher revision of the group has been opened already.
    LowerOpening,
    /// More parts or stages than a group may have.
    TooManyParts,
    /// Another seal said another total.
    SecondSeal,
    /// The group was opened with its parts, not open-ended.
    NotOpenEnded,
    /// Nobody has opened the group that is sealed.
    SealOfUnknown,
}

/// A part whose group nobody opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// Its inbox offset.
    pub offset: i64,
    /// The part's outcome, as it came.
    pub outcome: PartOutcome,
    pub(super) hold: Hold,
}

impl Orphan {
    /// The journal's record.
    pub fn orphaned(&self) -> Orphaned {
        Orphaned {
            group_id: self.outcome.group_id.clone(),
            revision: self.outcome.revision,
            stage: self.outcome.stage.clone(),
            part_id: self.outcome.part_id,
            offset: self.offset,
        }
    }
}

/// An old group that goes on from the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carry {
    /// The journal's record, but for its parts.
    pub carried: Carried,
    /// All parts that have ended.
    pub parts: Vec<EndedPart>,
    pub(super) hold: Hold,
}

/// The parts of this group that are still on their way are no longer wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancel {
    /// The group.
    pub group_id: GroupId,
    /// Which opening of it.
    pub revision: Revision,
}
