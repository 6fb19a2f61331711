//! One open group: what it waits for and what it has.

use longshore_schemas::records::{
    Carried, Counts, Expect, ExpectedPart, GroupOpen, PartOutcome, PartStatus,
};
use longshore_schemas::{GroupId, RunId, StageName, Timestamp};

use super::core::OpenGroup;
use super::effect::ConflictCause;
use super::expected::{Expected, check_count};
use super::holds::{GroupKey, Hold};
use super::parts::{Part, Parts, Slot};
use super::payload::Payload;
use super::stages::Stages;
use super::tail::RECORD_BYTES;
use super::tally::StageTally;

/// What the indexes of a partition spend on a group, beside the group itself: its id's text, its
/// deadline, its hold and its place in the map.
const INDEX_BYTES: usize = 256;

/// An open group.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) key: GroupKey,
    pub(super) run_id: Option<RunId>,
    pub(super) parent: Option<GroupId>,
    pub(super) opened_at: Timestamp,
    /// The inbox offset of its opening.
    pub(super) opened_offset: i64,
    /// Its oldest record: older than its opening if parts waited for that, and the offset at which
    /// it was carried if it was: older records are in it already.
    pub(super) oldest: i64,
    pub(super) deadline: Timestamp,
    pub(super) duplicates: u32,
    /// What of it is in the journal, if it was carried.
    pub(super) carried_bytes: usize,
    expected: Expected,
    parts: Parts,
    tallies: Vec<StageTally>,
    bytes: usize,
    record_bytes: usize,
}

/// What became of an outcome that was offered to its group.
#[derive(Debug)]
pub(super) enum Offer {
    /// It is the first of its part.
    Kept,
    /// It takes the place of a failed attempt, or is a failed attempt whose place was taken.
    Repaired,
    /// The part said the same before.
    Duplicate,
    /// It can't be right.
    Conflict(ConflictCause, Box<PartOutcome>),
}

/// What became of a seal.
#[derive(Debug)]
pub(super) enum Sealing {
    /// The total is known now; these parts lie beyond it.
    Sealed(Vec<Part>),
    /// It said the same before.
    Duplicate,
    /// It can't be right.
    Conflict(ConflictCause),
}

impl Group {
    /// An empty group that waits for `expected` from `opened_offset` on.
    pub(super) fn new(
        opening: GroupOpen,
        opened_offset: i64,
        deadline: Timestamp,
        expected: Expected,
        stages: &Stages,
    ) -> Self {
        let tallies = vec![StageTally::default(); stages.count()];
        let mut group = Self {
            key: GroupKey { group_id: opening.group_id, revision: opening.revision },
            run_id: opening.run_id,
            parent: opening.parent,
            opened_at: opening.opened_at,
            opened_offset,
            oldest: opened_offset,
            deadline,
            duplicates: 0,
            carried_bytes: 0,
            bytes: fixed_bytes(stages) + expected.bytes(),
            record_bytes: RECORD_BYTES + expected.bytes(),
            expected,
            parts: Parts::default(),
            tallies,
        };
        group.count_expected(stages);
        group
    }

    /// What a group takes in memory before it has any part.
    pub(super) fn bytes_of(opening: &GroupOpen, stages: &Stages) -> usize {
        let listed = match &opening.expect {
            Expect::Parts(parts) => parts.len() * size_of::<Slot>(),
            Expect::Count(_) | Expect::OpenEnded => 0,
        };
        fixed_bytes(stages) + listed
    }

    /// Takes the outcome of one of its parts.
    pub(super) fn offer(
        &mut self,
        offset: i64,
        outcome: PartOutcome,
        stages: &Stages,
        parts_max: u32,
    ) -> Offer {
        let slot =
            stages.find(&outcome.stage).map(|stage| Slot { part_id: outcome.part_id, stage });
        let expected = |slot: &Slot| self.expected.includes(*slot, stages, parts_max);
        let Some(slot) = slot.filter(expected) else {
            return Offer::Conflict(ConflictCause::NotExpected, Box::new(outcome));
        };
        match self.parts.get_mut(slot) {
            None => self.keep(Part::new(slot, offset, outcome)),
            Some(stored) if replaces(stored, &outcome) => {
                self.replace(Part::new(slot, offset, outcome))
            }
            Some(stored) if replaced_by(stored, &outcome) => Offer::Repaired,
            Some(stored) if stored.says(&outcome) => {
                self.duplicates += 1;
                Offer::Duplicate
            }
            Some(_) => Offer::Conflict(ConflictCause::OtherContent, Box::new(outcome)),
        }
    }

    /// Learns how many parts there are.
    pub(super) fn seal(&mut self, total: u32, stages: &Stages, parts_max: u32) -> Sealing {
        match self.expected {
            Expected::OpenEnded(Some(known)) if known == total => return Sealing::Duplicate,
            Expected::OpenEnded(Some(_)) => return Sealing::Conflict(ConflictCause::SecondSeal),
            Expected::Listed(_) | Expected::Counted(_) => {
                return Sealing::Conflict(ConflictCause::NotOpenEnded);
            }
            Expected::OpenEnded(None) if check_count(total, stages, parts_max).is_err() => {
                return Sealing::Conflict(ConflictCause::TooManyParts);
            }
            Expected::OpenEnded(None) => {}
        }
        self.expected = Expected::OpenEnded(Some(total));
        self.count_expected(stages);
        let beyond = self.parts.remove(|slot| slot.part_id.0 >= total);
        for part in &beyond {
            self.uncount(part);
        }
        Sealing::Sealed(beyond)
    }

    pub(super) fn hold(&self) -> Hold {
        Hold::group(self.oldest, self.key.clone())
    }

    pub(super) fn is_sealed(&self) -> bool {
        self.expected.is_sealed()
    }

    /// What it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// What it takes in the journal, if it is carried.
    pub(super) fn record_bytes(&self) -> usize {
        self.record_bytes
    }

    /// Its parts of one stage; of an unknown stage it has none.
    pub(super) fn tally(&self, stages: &Stages, stage: &StageName) -> StageTally {
        let index = stages.find(stage).map(|index| index.get());
        index.and_then(|index| self.tallies.get(index)).copied().unwrap_or_default()
    }

    /// Its parts of all stages. Before the seal it expects what it has.
    pub(super) fn total(&self) -> StageTally {
        let total = self.tallies.iter().copied().fold(StageTally::default(), StageTally::plus);
        if self.is_sealed() { total } else { StageTally { expected: total.ended(), ..total } }
    }

    pub(super) fn counts(&self) -> Counts {
        let total = self.total();
        Counts {
            expected: total.expected,
            done: total.done,
            skipped: total.skipped,
            failed: total.failed,
            missing: total.expected - total.ended(),
            duplicate: self.duplicates,
        }
    }

    /// The parts that have not ended, sorted; none before the seal, as nobody knows them.
    pub(super) fn missing(&self, stages: &Stages) -> Vec<ExpectedPart> {
        let mut slots = self.expected.slots(stages);
        slots.retain(|slot| !self.parts.contains(*slot));
        let named = |slot: Slot| ExpectedPart {
            stage: stages.name(slot.stage).clone(),
            part_id: slot.part_id,
        };
        let mut missing: Vec<_> = slots.into_iter().map(named).collect();
        missing.sort_unstable();
        missing
    }

    /// Whether every part has ended that will ever be expected.
    pub(super) fn all_ended(&self) -> bool {
        let total = self.total();
        self.is_sealed() && total.ended() == total.expected
    }

    /// As an operator sees it.
    pub(super) fn view(&self) -> OpenGroup {
        OpenGroup {
            group_id: self.key.group_id.clone(),
            revision: self.key.revision,
            opened_at: self.opened_at,
            opened_offset: self.opened_offset,
            deadline: self.deadline,
            sealed: self.is_sealed(),
            counts: self.counts(),
        }
    }

    /// Its parts, in slot order.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter()
    }

    /// Where the payload of a part is.
    pub(super) fn payload(&self, slot: Slot) -> Option<&Payload> {
        self.parts.get(slot).map(|part| &part.payload)
    }

    /// The payload of a part is somewhere else now.
    pub(super) fn move_payload(&mut self, slot: Slot, payload: Payload) {
        if let Some(part) = self.parts.get_mut(slot) {
            let before = part.bytes();
            part.payload = payload;
            self.bytes = self.bytes - before + part.bytes();
        }
    }

    /// What the journal says of it when it is carried at `position`, but for its parts.
    pub(super) fn carried(&self, position: i64, stages: &Stages) -> Carried {
        let opening = GroupOpen {
            group_id: self.key.group_id.clone(),
            run_id: self.run_id.clone(),
            revision: self.key.revision,
            opened_at: self.opened_at,
            timeout: self.deadline.since(self.opened_at),
            expect: self.expected.as_opened(stages),
            parent: self.parent.clone(),
        };
        Carried {
            opening,
            deadline: self.deadline,
            carried_at: position,
            parts: Vec::new(),
            opened_offset: Some(self.opened_offset),
            total: self.expected.sealed_total(),
            duplicates: self.duplicates,
            continues: false,
        }
    }

    /// Its parts, in slot order.
    pub(super) fn into_parts(self) -> Vec<Part> {
        self.parts.into_vec()
    }

    fn keep(&mut self, part: Part) -> Offer {
        self.count(&part);
        self.parts.insert(part);
        Offer::Kept
    }

    fn replace(&mut self, part: Part) -> Offer {
        self.count(&part);
        if let Some(stored) = self.parts.get_mut(part.slot) {
            let old = std::mem::replace(stored, part);
            self.uncount(&old);
        }
        Offer::Repaired
    }

    fn count(&mut self, part: &Part) {
        self.tallies[part.slot.stage.get()].count(part.status);
        self.bytes += part.bytes();
        self.record_bytes += part.record_bytes();
    }

    fn uncount(&mut self, part: &Part) {
        self.tallies[part.slot.stage.get()].uncount(part.status);
        self.bytes -= part.bytes();
        self.record_bytes -= part.record_bytes();
    }

    fn count_expected(&mut self, stages: &Stages) {
        match &self.expected {
            Expected::Listed(slots) => {
                for slot in slots {
                    self.tallies[slot.stage.get()].expected += 1;
                }
            }
            Expected::Counted(total) | Expected::OpenEnded(Some(total)) => {
                for stage in stages.of() {
                    self.tallies[stage.get()].expected = *total;
                }
            }
            Expected::OpenEnded(None) => {}
        }
    }
}

fn fixed_bytes(stages: &Stages) -> usize {
    size_of::<Group>() + INDEX_BYTES + stages.count() * size_of::<StageTally>()
}

/// A later attempt takes the place of a failed one.
fn replaces(stored: &Part, outcome: &PartOutcome) -> bool {
    stored.status == PartStatus::Failed && outcome.attempt > stored.attempt
}

/// A failed attempt whose place a later one has taken before it came.
fn replaced_by(stored: &Part, outcome: &PartOutcome) -> bool {
    outcome.status == PartStatus::Failed && outcome.attempt < stored.attempt
}
