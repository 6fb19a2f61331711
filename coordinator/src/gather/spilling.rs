//! Keeps the memory of open groups within its bound: says where the next record has room, and which
//! payloads may leave memory for the file.

use std::sync::Arc;

use bytes::Bytes;
use longshore_schemas::GroupId;
use longshore_schemas::records::{InboxRecord, PartOutcome};

use super::core::Gather;
use super::group::Group;
use super::parts::{Part, Slot, content_bytes};
use super::payload::{Payload, SPILL_LEAST, SPILLED_BYTES};
use super::waiting;
use crate::spill::Spilled;

/// A part of an open group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub(super) group_id: GroupId,
    pub(super) slot: Slot,
}

/// Where a record has room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// In memory.
    Memory,
    /// In memory but for its payload, of this many bytes, which has to be spilled.
    File(usize),
    /// Nowhere: only what closes gives room again.
    None,
}

impl Gather {
    /// Where `record` has room while `beside` bytes of memory are taken by what has closed.
    pub fn room_for(&self, record: &InboxRecord, beside: usize) -> Room {
        let room = |more: usize| {
            let all = self.open_bytes.saturating_add(beside).saturating_add(more);
            more == 0 || all <= self.rules.open_bytes_max
        };
        match record {
            InboxRecord::Seal(_) | InboxRecord::Tick(_) => Room::Memory,
            InboxRecord::Open(opening) if room(Group::bytes_of(opening, &self.stages)) => {
                Room::Memory
            }
            InboxRecord::Open(_) => Room::None,
            InboxRecord::Outcome(outcome) if room(self.outcome_bytes(outcome)) => Room::Memory,
            InboxRecord::Outcome(outcome) => {
                let bytes = outcome.payload.as_ref().map_or(0, Bytes::len);
                let stays = self.outcome_bytes(outcome) + SPILLED_BYTES;
                let is_worth = self.rules.spill_bytes_max > 0 && bytes >= SPILL_LEAST;
                let spills = is_worth && self.is_open(outcome) && room(stays - bytes);
                if spills { Room::File(bytes) } else { Room::None }
            }
        }
    }

    /// Whether open groups, with `beside` bytes of what has closed, take more than their bound.
    pub fn is_over(&self, beside: usize) -> bool {
        self.open_bytes.saturating_add(beside) > self.rules.open_bytes_max
    }

    /// A payload that may leave memory: one that came with the record that was taken in last. What
    /// came before it is in the file already, or has its room in memory.
    pub fn next_to_spill(&mut self) -> Option<(Place, Bytes)> {
        while let Some(place) = self.fresh.pop() {
            let payload =
                self.open.get(&place.group_id).and_then(|group| group.payload(place.slot));
            if let Some(Payload::Held(bytes)) = payload
                && bytes.len() >= SPILL_LEAST
            {
                let bytes = bytes.clone();
                return Some((place, bytes));
            }
        }
        None
    }

    /// The payload of that part is in the file.
    pub fn spilled(&mut self, place: &Place, spilled: Arc<Spilled>) {
        let Some(group) = self.open.get_mut(&place.group_id) else {
            return;
        };
        let before = group.bytes();
        group.move_payload(place.slot, Payload::Spilled(spilled));
        self.open_bytes = self.open_bytes - before + group.bytes();
    }

    fn outcome_bytes(&self, outcome: &PartOutcome) -> usize {
        match self.is_open(outcome) {
            true => {
                let content = content_bytes(outcome.payload.as_ref(), outcome.error.as_ref());
                size_of::<Part>() + content
            }
            false => waiting::outcome_bytes(outcome),
        }
    }

    fn is_open(&self, outcome: &PartOutcome) -> bool {
        let group = self.open.get(&outcome.group_id);
        group.is_some_and(|group| group.key.revision == outcome.revision)
    }
}
