//! Parts that came before the opening of their group. An opening is committed before any worker can
//! read its parts, so only foreign writers make them.

use std::collections::BTreeMap;

use longshore_schemas::records::PartOutcome;
use longshore_schemas::{Revision, Timestamp};

use super::holds::GroupKey;
use super::parts::content_bytes;

/// What a waiting part takes beside its content: itself, and its places in the indexes.
const FIXED_BYTES: usize = size_of::<WaitingPart>() + 256;

/// A part without a group.
#[derive(Debug)]
pub(super) struct WaitingPart {
    pub(super) offset: i64,
    pub(super) deadline: Timestamp,
    pub(super) outcome: PartOutcome,
}

impl WaitingPart {
    pub(super) fn bytes(&self) -> usize {
        outcome_bytes(&self.outcome)
    }
}

/// What the outcome takes in memory while it waits: more than as a part of a group.
pub(super) fn outcome_bytes(outcome: &PartOutcome) -> usize {
    FIXED_BYTES + content_bytes(outcome.payload.as_ref(), outcome.error.as_ref())
}

/// All waiting parts of a partition.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    parts: BTreeMap<i64, WaitingPart>,
    of_group: BTreeMap<GroupKey, Vec<i64>>,
}

impl Waiting {
    pub(super) fn add(&mut self, part: WaitingPart) {
        self.of_group.entry(key(&part.outcome)).or_default().push(part.offset);
        self.parts.insert(part.offset, part);
    }

    /// Takes out the part at `offset`.
    pub(super) fn remove(&mut self, offset: i64) -> Option<WaitingPart> {
        let part = self.parts.remove(&offset)?;
        let key = key(&part.outcome);
        if let Some(offsets) = self.of_group.get_mut(&key) {
            offsets.retain(|other| *other != offset);
            if offsets.is_empty() {
                self.of_group.remove(&key);
            }
        }
        Some(part)
    }

    /// Takes out all parts of a group, of this revision and of lower ones, in offset order.
    pub(super) fn remove_up_to(&mut self, key: &GroupKey) -> Vec<WaitingPart> {
        let lowest = GroupKey { group_id: key.group_id.clone(), revision: Revision(0) };
        let mut offsets: Vec<i64> = self
            .of_group
            .extract_if(lowest..=key.clone(), |_, _| true)
            .flat_map(|(_, at)| at)
            .collect();
        offsets.sort_unstable();
        offsets.into_iter().filter_map(|offset| self.parts.remove(&offset)).collect()
    }

    pub(super) fn count(&self) -> usize {
        self.parts.len()
    }
}

fn key(outcome: &PartOutcome) -> GroupKey {
    GroupKey { group_id: outcome.group_id.clone(), revision: outcome.revision }
}
