//! Takes a partition up again: the journal, then the tail of the inbox, then one look at the rules.

use longshore_schemas::records::{Carried, CarriedPart, Closed, InboxRecord, JournalRecord};
use longshore_schemas::{GroupId, Timestamp};

use super::core::Gather;
use super::effect::Effect;
use super::expected::Expected;
use super::group::Group;
use super::holds::GroupKey;

impl Gather {
    /// Takes what the journal says, before the replay, in journal order.
    ///
    /// Nothing is forgotten until [`Gather::resume`], but a group is remembered only while its
    /// owner did: a part that was a surplus must not turn into an orphan when it is replayed, nor
    /// one that waits into a surplus.
    pub fn recall(&mut self, record: JournalRecord) {
        match record {
            JournalRecord::Closed(closed) => self.recall_closed(&closed),
            JournalRecord::Orphaned(orphaned) => {
                self.orphaned.insert(orphaned.offset);
            }
            JournalRecord::Carried(carried) => self.recall_carried(carried),
            // The new opening stands in the inbox and says all of it.
            JournalRecord::Reopened(_) => {}
        }
    }

    /// Begins with the watermark that the last owner had when it absorbed the record at `low`, or
    /// an earlier one: a replay of nothing must not make all that is closed look new.
    pub fn recall_time(&mut self, watermark: Timestamp) {
        self.watermark = self.watermark.max(watermark);
    }

    /// The replay has come to the committed position.
    pub fn replayed_to(&mut self, position: i64) {
        self.next = self.next.max(position);
    }

    /// Takes a record from `low` to below the committed position. It only accumulates: no rule is
    /// asked, no deadline fires, and what it would have caused live has been done.
    pub fn replay(&mut self, at: i64, appended: Timestamp, record: InboxRecord) {
        debug_assert!(at >= self.next, "offset {at} after {}", self.next);
        self.pass_time(appended);
        let mut done_before = self.outbox(None);
        self.accumulate(at, appended, record, &mut done_before);
        self.next = at + 1;
    }

    /// Ends the replay: every open group is looked at once, the oldest first, by its rule and then
    /// by its deadline. Whatever is found was not found by the last owner: the rules have changed,
    /// or it had no time to say so.
    pub fn resume(&mut self) -> Vec<Effect> {
        let mut out = self.outbox(None);
        self.orphaned.clear();
        for group_id in self.open_by_age() {
            self.evaluate(&group_id, &mut out);
        }
        self.fire_due(&mut out);
        self.trim_closed();
        out.effects
    }

    fn recall_closed(&mut self, closed: &Closed) {
        self.closed.insert(closed, &mut self.stages);
        let carried = self.open.get(&closed.group_id).map(|group| &group.key);
        if carried.is_some_and(|key| key.revision <= closed.revision) {
            self.forget(&closed.group_id);
        }
    }

    fn recall_carried(&mut self, carried: Carried) {
        let Carried { opening, deadline, carried_at, parts, .. } = carried;
        let key = GroupKey { group_id: opening.group_id.clone(), revision: opening.revision };
        if self.closed.has_closed_since(&key.group_id, key.revision, carried_at) {
            return;
        }
        if carried.continues {
            return self.recall_more(&key, carried_at, parts);
        }
        // It was within bounds when it was opened; a lower bound must not lose it.
        let Ok(expected) = Expected::new(&opening.expect, &mut self.stages, u32::MAX) else {
            return;
        };
        let opened_offset = carried.opened_offset.unwrap_or(carried_at);
        let mut group = Group::new(opening, opened_offset, deadline, expected, &self.stages);
        group.oldest = carried_at;
        group.duplicates = carried.duplicates;
        if let Some(total) = carried.total {
            group.seal(total, &self.stages, u32::MAX);
        }
        group.carried_bytes = group.record_bytes();
        self.insert(group);
        self.recall_more(&key, carried_at, parts);
    }

    /// Adds parts to a group that was carried with them.
    fn recall_more(&mut self, key: &GroupKey, carried_at: i64, parts: Vec<CarriedPart>) {
        let this = |group: &&mut Group| group.key == *key && group.oldest == carried_at;
        let Some(group) = self.open.get_mut(&key.group_id).filter(this) else {
            return;
        };
        let (bytes, carried_bytes) = (group.bytes(), group.carried_bytes);
        for CarriedPart { offset, outcome } in parts {
            let slot = self.stages.slot(&outcome.stage, outcome.part_id);
            group.offer(offset, outcome, &self.stages, u32::MAX);
            if let Some(slot) = slot {
                self.movable.add(group, slot);
            }
        }
        group.carried_bytes = group.record_bytes();
        self.open_bytes = self.open_bytes - bytes + group.bytes();
        self.carried_bytes = self.carried_bytes - carried_bytes + group.carried_bytes;
    }

    fn forget(&mut self, group_id: &GroupId) {
        if let Some(group) = self.remove(group_id) {
            self.holds.release(&group.hold());
        }
    }

    fn open_by_age(&self) -> Vec<GroupId> {
        let mut groups: Vec<_> =
            self.open.values().map(|group| (group.opened_offset, &group.key.group_id)).collect();
        groups.sort_unstable();
        groups.into_iter().map(|(_, group_id)| group_id.clone()).collect()
    }
}
