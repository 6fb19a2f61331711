//! Takes one inbox record into the open groups. Live and replay do the same here; no rule is asked.

use std::time::Duration;

use longshore_schemas::records::{GroupOpen, GroupSeal, InboxRecord, PartOutcome};
use longshore_schemas::{GroupId, Revision, Timestamp};

use super::closed::Past;
use super::core::Gather;
use super::deadlines::Due;
use super::effect::{Action, Conflict, ConflictCause, LateCause};
use super::expected::Expected;
use super::group::{Group, Offer, Sealing};
use super::holds::Hold;
use super::outbox::Outbox;
use super::parts::Part;
use super::payload::Payload;
use super::tail;
use super::waiting::WaitingPart;

/// How a record's revision of its group stands to what is known of the group.
enum Standing {
    /// It is open.
    Open,
    /// It is closed.
    Closed,
    /// A higher one is open or closed.
    Lower,
    /// Nothing is known of it.
    Unknown,
}

impl Gather {
    /// Takes the record in, and names the group that may have become complete by it.
    pub(super) fn accumulate(
        &mut self,
        at: i64,
        appended: Timestamp,
        record: InboxRecord,
        out: &mut Outbox,
    ) -> Option<GroupId> {
        self.tail.add(at, appended, tail::record_bytes(&record));
        match record {
            InboxRecord::Open(opening) => self.take_opening(at, appended, opening, out),
            InboxRecord::Seal(seal) => self.take_seal(at, seal, out),
            InboxRecord::Outcome(outcome) => self.take_outcome(at, appended, outcome, out),
            // Its append time has moved the watermark already: there is nothing else in it.
            InboxRecord::Tick(_) => None,
        }
    }

    fn take_opening(
        &mut self,
        at: i64,
        appended: Timestamp,
        opening: GroupOpen,
        out: &mut Outbox,
    ) -> Option<GroupId> {
        let cause = match self.standing(&opening.group_id, opening.revision, at) {
            Standing::Open | Standing::Closed => ConflictCause::SecondOpening,
            Standing::Lower => ConflictCause::LowerOpening,
            Standing::Unknown => match self.expected(&opening) {
                Some(expected) => {
                    let deadline = appended.plus(opening.timeout);
                    let group = Group::new(opening, at, deadline, expected, &self.stages);
                    return Some(self.open_group(group, out));
                }
                None => ConflictCause::TooManyParts,
            },
        };
        out.conflict(cause, at, InboxRecord::Open(opening));
        None
    }

    /// What the opening asks for, unless that is too much.
    pub(super) fn expected(&mut self, opening: &GroupOpen) -> Option<Expected> {
        Expected::new(&opening.expect, &mut self.stages, self.rules.parts_max).ok()
    }

    /// Adds the group, with the parts that waited for it.
    fn open_group(&mut self, mut group: Group, out: &mut Outbox) -> GroupId {
        for part in self.waiting.remove_up_to(&group.key) {
            self.forget_waiting(&part);
            self.holds.release(&Hold::waiting_part(part.offset));
            // From now on the group holds what the part held.
            group.oldest = group.oldest.min(part.offset);
            self.take_waiting(&mut group, part, out);
        }
        let group_id = group.key.group_id.clone();
        self.insert(group);
        group_id
    }

    fn take_waiting(&self, group: &mut Group, part: WaitingPart, out: &mut Outbox) {
        let WaitingPart { offset, outcome, .. } = part;
        if outcome.revision < group.key.revision {
            out.late(LateCause::LowerRevision, offset, outcome);
        } else {
            let offer = group.offer(offset, outcome, &self.stages, self.rules.parts_max);
            count_offer(offer, offset, out);
        }
    }

    /// Puts the group into every index, in the place of an older revision if one is left.
    pub(super) fn insert(&mut self, group: Group) {
        if let Some(older) = self.remove(&group.key.group_id) {
            self.holds.release(&older.hold());
        }
        self.open_bytes += group.bytes();
        self.carried_bytes += group.carried_bytes;
        let due = Due::Group(group.key.clone());
        self.deadlines.add(group.deadline, group.opened_offset, due);
        self.holds.add(group.hold());
        self.open.insert(group.key.group_id.clone(), group);
    }

    /// Takes the group out of every index but that of the holds: its records are needed until its
    /// closing is in Kafka.
    pub(super) fn remove(&mut self, group_id: &GroupId) -> Option<Group> {
        let group = self.open.remove(group_id)?;
        self.open_bytes -= group.bytes();
        self.carried_bytes -= group.carried_bytes;
        let due = Due::Group(group.key.clone());
        self.deadlines.remove(group.deadline, group.opened_offset, due);
        Some(group)
    }

    fn take_seal(&mut self, at: i64, seal: GroupSeal, out: &mut Outbox) -> Option<GroupId> {
        match self.standing(&seal.group_id, seal.revision, at) {
            Standing::Open => self.seal_open(at, seal, out),
            Standing::Closed | Standing::Lower => {
                out.dropped.surplus += 1;
                None
            }
            Standing::Unknown => {
                out.conflict(ConflictCause::SealOfUnknown, at, InboxRecord::Seal(seal));
                None
            }
        }
    }

    fn seal_open(&mut self, at: i64, seal: GroupSeal, out: &mut Outbox) -> Option<GroupId> {
        let group = self.open.get_mut(&seal.group_id)?;
        if at < group.oldest {
            return None;
        }
        let before = group.bytes();
        match group.seal(seal.total, &self.stages, self.rules.parts_max) {
            Sealing::Sealed(beyond) => {
                self.open_bytes -= before - group.bytes();
                self.refuse_beyond_seal(&seal, beyond, out);
                return Some(seal.group_id);
            }
            Sealing::Duplicate => out.dropped.duplicate += 1,
            Sealing::Conflict(cause) => out.conflict(cause, at, InboxRecord::Seal(seal)),
        }
        None
    }

    fn refuse_beyond_seal(&self, seal: &GroupSeal, beyond: Vec<Part>, out: &mut Outbox) {
        let opened_at = self.open.get(&seal.group_id).map(|group| group.opened_at);
        for part in beyond {
            let offset = part.offset;
            let (payload, spilled) = match part.payload {
                Payload::None => (None, None),
                Payload::Held(payload) => (Some(payload), None),
                Payload::Spilled(spilled) => (None, Some(spilled)),
            };
            let outcome = PartOutcome {
                group_id: seal.group_id.clone(),
                revision: seal.revision,
                opened_at: opened_at.unwrap_or_default(),
                stage: self.stages.name(part.slot.stage).clone(),
                part_id: part.slot.part_id,
                attempt: part.attempt,
                status: part.status,
                payload,
                error: part.error.map(|error| *error),
            };
            let (cause, record) = (ConflictCause::BeyondSeal, InboxRecord::Outcome(outcome));
            out.push(Action::Conflict(Box::new(Conflict { cause, offset, record, spilled })));
        }
    }

    fn take_outcome(
        &mut self,
        at: i64,
        appended: Timestamp,
        outcome: PartOutcome,
        out: &mut Outbox,
    ) -> Option<GroupId> {
        match self.standing(&outcome.group_id, outcome.revision, at) {
            Standing::Open => return self.offer_open(at, outcome, out),
            Standing::Lower => out.late(LateCause::LowerRevision, at, outcome),
            Standing::Closed if self.closed.awaited(&outcome, at, self.watermark, &self.stages) => {
                out.late(LateCause::Missing, at, outcome);
            }
            Standing::Closed => out.dropped.surplus += 1,
            Standing::Unknown if is_expired(&outcome, self.rules.timeout, self.watermark) => {
                out.late(LateCause::Expired, at, outcome);
            }
            Standing::Unknown => self.wait(at, appended, outcome),
        }
        None
    }

    fn offer_open(&mut self, at: i64, outcome: PartOutcome, out: &mut Outbox) -> Option<GroupId> {
        let group = self.open.get_mut(&outcome.group_id)?;
        // A carried group has its older parts already.
        if at < group.oldest {
            return None;
        }
        let (before, group_id) = (group.bytes(), group.key.group_id.clone());
        let slot = self.stages.slot(&outcome.stage, outcome.part_id);
        let offer = group.offer(at, outcome, &self.stages, self.rules.parts_max);
        self.open_bytes = self.open_bytes - before + group.bytes();
        let changed = matches!(offer, Offer::Kept | Offer::Repaired);
        if let Some(slot) = slot {
            self.movable.add(group, slot);
        }
        count_offer(offer, at, out);
        changed.then_some(group_id)
    }

    fn wait(&mut self, at: i64, appended: Timestamp, outcome: PartOutcome) {
        if self.orphaned.contains(&at) {
            return;
        }
        let deadline = appended.plus(self.rules.orphan_timeout);
        let part = WaitingPart { offset: at, deadline, outcome };
        self.open_bytes += part.bytes();
        self.deadlines.add(deadline, at, Due::WaitingPart(at));
        self.holds.add(Hold::waiting_part(at));
        self.waiting.add(part);
    }

    /// Takes a part that no longer waits out of what else knows of it, but for its hold.
    pub(super) fn forget_waiting(&mut self, part: &WaitingPart) {
        self.open_bytes -= part.bytes();
        self.deadlines.remove(part.deadline, part.offset, Due::WaitingPart(part.offset));
    }

    /// What a record at `at` meets. In a replay, one that was settled long ago is as one of a lower
    /// revision: it isn't taken in, and what was to be said of it has been said.
    fn standing(&self, group_id: &GroupId, revision: Revision, at: i64) -> Standing {
        let open = self.open.get(group_id).map(|group| group.key.revision);
        let closed = match self.closed.past((group_id, revision), at, self.watermark) {
            Some(Past::Closed(closed, _)) => Some(closed),
            Some(Past::Settled) if open != Some(revision) => return Standing::Lower,
            Some(Past::Settled) | None => None,
        };
        if open == Some(revision) {
            Standing::Open
        } else if open.max(closed) > Some(revision) {
            Standing::Lower
        } else if closed == Some(revision) {
            Standing::Closed
        } else {
            Standing::Unknown
        }
    }
}

/// By the time of opening that the part carries, its group can't be open any more.
fn is_expired(outcome: &PartOutcome, timeout: Duration, watermark: Timestamp) -> bool {
    outcome.opened_at.plus(timeout) <= watermark
}

fn count_offer(offer: Offer, offset: i64, out: &mut Outbox) {
    match offer {
        Offer::Kept => {}
        Offer::Repaired => out.dropped.repaired += 1,
        Offer::Duplicate => out.dropped.duplicate += 1,
        Offer::Conflict(cause, outcome) => {
            out.conflict(cause, offset, InboxRecord::Outcome(*outcome));
        }
    }
}
