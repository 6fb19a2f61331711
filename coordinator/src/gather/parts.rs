//! The parts of a group that have ended, in as few bytes as possible: a million of them are open.

use bytes::Bytes;
use longshore_schemas::PartId;
use longshore_schemas::records::{PartError, PartOutcome, PartStatus};

use super::payload::Payload;
use super::stages::StageIndex;
use super::tail::RECORD_BYTES;

/// Which part of its group. Ordered by part first: parts end roughly in the order in which they
/// were made, so a new one goes near the end of the sorted list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot {
    pub(super) part_id: PartId,
    pub(super) stage: StageIndex,
}

/// A part that has ended.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) slot: Slot,
    pub(super) status: PartStatus,
    pub(super) attempt: u32,
    pub(super) offset: i64,
    pub(super) payload: Payload,
    // Boxed: failures are rare, and every part would pay for the room.
    pub(super) error: Option<Box<PartError>>,
}

impl Part {
    /// The outcome, and the offset at which it stood in the inbox.
    pub(super) fn new(slot: Slot, offset: i64, outcome: PartOutcome) -> Self {
        Self {
            slot,
            status: outcome.status,
            attempt: outcome.attempt,
            offset,
            payload: outcome.payload.into(),
            error: outcome.error.map(Box::new),
        }
    }

    /// Whether `outcome` says the same. Its attempt and its time don't count: a copy is a copy.
    pub(super) fn says(&self, outcome: &PartOutcome) -> bool {
        self.status == outcome.status
            && self.payload.is(outcome.payload.as_ref())
            && self.error.as_deref() == outcome.error.as_ref()
    }

    /// What it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.payload.bytes() + error_bytes(self.error.as_deref())
    }

    /// What it takes in the journal.
    pub(super) fn record_bytes(&self) -> usize {
        RECORD_BYTES + self.payload.len() + error_bytes(self.error.as_deref())
    }
}

/// What the content of an outcome takes in memory, beside its fixed part.
pub(super) fn content_bytes(payload: Option<&Bytes>, error: Option<&PartError>) -> usize {
    payload.map_or(0, Bytes::len) + error_bytes(error)
}

fn error_bytes(error: Option<&PartError>) -> usize {
    let text = |error: &PartError| size_of::<PartError>() + error.class.len() + error.message.len();
    error.map_or(0, text)
}

/// The ended parts of a group, sorted by slot.
#[derive(Debug, Default)]
pub(super) struct Parts(Vec<Part>);

impl Parts {
    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut Part> {
        self.find(slot).ok().map(|at| &mut self.0[at])
    }

    pub(super) fn contains(&self, slot: Slot) -> bool {
        self.find(slot).is_ok()
    }

    /// Adds a part whose slot is empty.
    pub(super) fn insert(&mut self, part: Part) {
        let at = self.find(part.slot).unwrap_or_else(|free| free);
        self.0.insert(at, part);
    }

    /// Takes out the parts that `unwanted` holds for.
    pub(super) fn remove(&mut self, unwanted: impl Fn(Slot) -> bool) -> Vec<Part> {
        self.0.extract_if(.., |part| unwanted(part.slot)).collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Part> {
        self.0.iter()
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&Part> {
        self.find(slot).ok().map(|at| &self.0[at])
    }

    pub(super) fn into_vec(self) -> Vec<Part> {
        self.0
    }

    fn find(&self, slot: Slot) -> Result<usize, usize> {
        // The usual case first: behind all others.
        match self.0.last() {
            Some(last) if last.slot < slot => Err(self.0.len()),
            _ => self.0.binary_search_by_key(&slot, |part| part.slot),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_open_parts_fit_in_little_more_than_their_payloads() {
        assert!(size_of::<Part>() <= 72, "{}", size_of::<Part>());
        assert_eq!(size_of::<Slot>(), 8);
    }
}
