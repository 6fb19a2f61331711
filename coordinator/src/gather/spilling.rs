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
    /// Nowhere, unless other payloads are spilled or something closes.
    None,
}

/// The parts with payloads in memory that are worth a place in the file, the last one last, and
/// some that have gone since.
#[derive(Debug)]
pub(super) struct Movable {
    pub(super) places: Vec<Place>,
    /// Payloads of fewer bytes stay in memory.
    pub(super) least: usize,
    /// When there are more, those that have gone are sorted out.
    tidy_above: usize,
}

impl Movable {
    pub(super) const TIDY_ABOVE: usize = 1_024;

    pub(super) fn new(has_file: bool) -> Self {
        let least = if has_file { SPILL_LEAST } else { usize::MAX };
        Self { places: Vec::new(), least, tidy_above: Self::TIDY_ABOVE }
    }

    /// Takes note of what has come, if it is worth it.
    pub(super) fn add(&mut self, group: &Group, slot: Slot) {
        if self.payload(group, slot).is_some() {
            self.places.push(Place { group_id: group.key.group_id.clone(), slot });
        }
    }

    fn payload<'a>(&self, group: &'a Group, slot: Slot) -> Option<&'a Bytes> {
        match group.payload(slot) {
            Some(Payload::Held(bytes)) if bytes.len() >= self.least => Some(bytes),
            _ => None,
        }
    }
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
                let spills =
                    bytes >= self.movable.least && self.is_open(outcome) && room(stays - bytes);
                if spills { Room::File(bytes) } else { Room::None }
            }
        }
    }

    /// Whether open groups, with `beside` bytes of what has closed, take more than their bound.
    pub fn is_over(&self, beside: usize) -> bool {
        self.open_bytes.saturating_add(beside) > self.rules.open_bytes_max
    }

    /// A payload that may leave memory: of those that are there, the one that came last, which has
    /// the longest to wait.
    pub fn next_to_spill(&mut self) -> Option<(Place, Bytes)> {
        while let Some(place) = self.movable.places.pop() {
            let group = self.open.get(&place.group_id);
            if let Some(payload) = group.and_then(|it| self.movable.payload(it, place.slot)) {
                let payload = payload.clone();
                return Some((place, payload));
            }
        }
        None
    }

    /// That payload stays in memory: there is no place in the file.
    pub fn not_spilled(&mut self, place: Place) {
        self.movable.places.push(place);
    }

    /// Forgets which payloads could be moved of what has closed.
    pub(super) fn tidy_movable(&mut self) {
        if self.movable.places.len() <= self.movable.tidy_above {
            return;
        }
        let mut places = std::mem::take(&mut self.movable.places);
        places.retain(|place| {
            let group = self.open.get(&place.group_id);
            group.is_some_and(|group| self.movable.payload(group, place.slot).is_some())
        });
        self.movable.tidy_above = Movable::TIDY_ABOVE.max(places.len() * 2);
        self.movable.places = places;
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
