//! Absorbs the inbox as it comes: time first, then the record, then the rules.

use longshore_schemas::Timestamp;
use longshore_schemas::records::InboxRecord;

use super::core::Gather;
use super::effect::Effect;

impl Gather {
    /// Absorbs the inbox record at offset `at`, which the broker appended at `appended`, and says
    /// what is to be done. Deadlines that this append time makes due fire before the record is
    /// taken in: by the broker's clock it came after them.
    pub fn absorb(&mut self, at: i64, appended: Timestamp, record: InboxRecord) -> Vec<Effect> {
        debug_assert!(at >= self.next, "offset {at} after {}", self.next);
        let mut out = self.outbox(Some(at));
        self.next = at;
        self.pass_time(appended);
        self.fire_due(&mut out);
        self.trim_closed();
        self.supersede(&record, &mut out);
        let touched = self.accumulate(at, appended, record, &mut out);
        self.next = at + 1;
        if let Some(group_id) = touched {
            self.evaluate(&group_id, &mut out);
        }
        self.dropped.add(out.dropped);
        out.effects
    }

    pub(super) fn trim_closed(&mut self) {
        let rules = &self.rules;
        self.closed.trim(self.watermark, rules.closed_retention, rules.closed_marks_max);
    }
}
