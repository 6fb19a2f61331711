//! Absorbs the inbox as it comes: time first, then the record, then the rules.

use longshore_schemas::Timestamp;
use longshore_schemas::records::InboxRecord;

use super::core::Gather;
use super::effect::Effect;
use super::outbox::Outbox;

impl Gather {
    /// Absorbs the inbox record at offset `at`, which the broker appended at `appended`, and says
    /// what is to be done. Deadlines that this append time makes due fire before the record is
    /// taken in: by the broker's clock it came after them.
    pub fn absorb(&mut self, at: i64, appended: Timestamp, record: InboxRecord) -> Vec<Effect> {
        let mut out = self.outbox(Some(at));
        self.fire(at, appended, &mut out);
        self.supersede(&record, &mut out);
        let touched = self.accumulate(at, appended, record, &mut out);
        self.next = at + 1;
        if let Some(group_id) = touched {
            self.evaluate(&group_id, &mut out);
        }
        self.dropped.add(out.dropped);
        self.tidy_movable();
        out.effects
    }

    /// Lets the time pass that the record at `at` brings, and no more: what it makes due may give
    /// the room that the record itself needs. The record is still to be absorbed.
    pub fn let_time_pass(&mut self, at: i64, appended: Timestamp) -> Vec<Effect> {
        let mut out = self.outbox(Some(at));
        self.fire(at, appended, &mut out);
        out.effects
    }

    fn fire(&mut self, at: i64, appended: Timestamp, out: &mut Outbox) {
        debug_assert!(at >= self.next, "offset {at} after {}", self.next);
        self.next = at;
        self.pass_time(appended);
        self.fire_due(out);
        self.trim_closed();
    }

    pub(super) fn trim_closed(&mut self) {
        self.closed.trim(self.watermark, self.rules.closed_marks_max);
    }
}
