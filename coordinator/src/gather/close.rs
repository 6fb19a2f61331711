//! Closes groups: by their rule, by their deadline, by a newer opening; and gives up orphans.

use longshore_schemas::GroupId;
use longshore_schemas::records::{Closed, CompletedBy, GroupStatus, InboxRecord, PartStatus};

use super::core::Gather;
use super::deadlines::Due;
use super::effect::{Action, Cancel, Closing, EndedPart, Orphan};
use super::group::Group;
use super::holds::Hold;
use super::outbox::Outbox;
use super::parts::Part;
use super::rules::OnFailed;
use super::verdict::{self, Verdict};

impl Gather {
    /// Closes the group if it has its verdict.
    pub(super) fn evaluate(&mut self, group_id: &GroupId, out: &mut Outbox) {
        let verdict = self
            .open
            .get(group_id)
            .and_then(|group| verdict::now(&self.rules, group, &self.stages));
        if let Some(verdict) = verdict {
            self.close(group_id, verdict, out);
        }
    }

    /// Closes and gives up, in the order of time, whatever the watermark has made due.
    pub(super) fn fire_due(&mut self, out: &mut Outbox) {
        while let Some(due) = self.deadlines.pop_due(self.watermark) {
            match due {
                Due::Group(key) => self.close_at_the_end(&key.group_id, CompletedBy::Timeout, out),
                Due::WaitingPart(offset) => self.give_up(offset, out),
            }
        }
    }

    /// Closes a group that is about to be opened again: its parts can't come any more, as those of
    /// a lower revision are late, and every revision has one result.
    pub(super) fn supersede(&mut self, record: &InboxRecord, out: &mut Outbox) {
        let InboxRecord::Open(opening) = record else {
            return;
        };
        let older = self
            .open
            .get(&opening.group_id)
            .is_some_and(|group| group.key.revision < opening.revision);
        if older && self.expected(opening).is_some() {
            self.close_at_the_end(&opening.group_id, CompletedBy::Command, out);
        }
    }

    fn close_at_the_end(&mut self, group_id: &GroupId, by: CompletedBy, out: &mut Outbox) {
        if let Some(group) = self.open.get(group_id) {
            let verdict = verdict::at_the_end(&self.rules, group, by);
            self.close(group_id, verdict, out);
        }
    }

    fn close(&mut self, group_id: &GroupId, verdict: Verdict, out: &mut Outbox) {
        let Some(group) = self.remove(group_id) else {
            return;
        };
        let closed = self.closed_record(&group, verdict);
        self.closed.insert(&closed, &mut self.stages);
        // Right before the closing, which is journalled and so could be committed without what
        // follows it.
        if let Some(cancel) = called_off(&closed) {
            out.push(Action::Cancel(cancel));
        }
        let closing = self.closing(group, closed);
        out.push(Action::Close(Box::new(closing)));
    }

    fn closed_record(&self, group: &Group, verdict: Verdict) -> Closed {
        Closed {
            group_id: group.key.group_id.clone(),
            revision: group.key.revision,
            status: verdict.status,
            completed_by: verdict.completed_by,
            opened_offset: group.opened_offset,
            through_offset: self.next.max(group.opened_offset),
            deadline: group.deadline,
            watermark: self.watermark,
            counts: group.counts(),
            missing: group.missing(&self.stages),
        }
    }

    fn closing(&self, group: Group, closed: Closed) -> Closing {
        let hold = group.hold();
        let (run_id, parent) = (group.run_id.clone(), group.parent.clone());
        let opened_at = group.opened_at;
        let wanted = |part: &Part| {
            self.rules.on_failed != OnFailed::Drop || part.status != PartStatus::Failed
        };
        let parts = group.into_parts().into_iter().filter(wanted);
        let mut parts: Vec<_> = parts.map(|part| self.ended_part(part)).collect();
        parts.sort_unstable_by(|a, b| (&a.stage, a.part_id).cmp(&(&b.stage, b.part_id)));
        Closing { closed, run_id, parent, opened_at, parts, hold }
    }

    pub(super) fn ended_part(&self, part: Part) -> EndedPart {
        EndedPart {
            stage: self.stages.name(part.slot.stage).clone(),
            part_id: part.slot.part_id,
            attempt: part.attempt,
            status: part.status,
            payload: part.payload,
            error: part.error.map(|error| *error),
            offset: part.offset,
        }
    }

    fn give_up(&mut self, offset: i64, out: &mut Outbox) {
        let Some(part) = self.waiting.remove(offset) else {
            return;
        };
        self.forget_waiting(&part);
        let hold = Hold::waiting_part(offset);
        out.push(Action::Orphan(Box::new(Orphan { offset, outcome: part.outcome, hold })));
    }
}

/// Only `fail_fast` ends a group as FAILED by its rule before every part has ended.
fn called_off(closed: &Closed) -> Option<Cancel> {
    let early = closed.completed_by == CompletedBy::Rule && closed.status == GroupStatus::Failed;
    early.then(|| Cancel { group_id: closed.group_id.clone(), revision: closed.revision })
}
