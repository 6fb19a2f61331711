//! Carries old groups into the journal, so that a replay stays short although some group is open
//! for ever so long.

use std::collections::BTreeSet;

use longshore_schemas::Timestamp;

use super::core::Gather;
use super::effect::{Action, Carry, Effect};
use super::group::Group;
use super::holds::{GroupKey, Hold};

/// What is carried takes less than this part of what needn't be replayed any more.
const WORTH: u64 = 10;
/// What is carried at once.
const ROUND_BYTES_MAX: u64 = 16 << 20;
/// Groups that are carried at once.
const ROUND_GROUPS_MAX: usize = 10_000;

/// What a look at the inbox's tail came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Carrying {
    /// Groups to be carried, in as many transactions as it takes.
    pub effects: Vec<Effect>,
    /// The tail is too long, and carrying wouldn't help.
    pub refused: Option<CarryRefused>,
}

/// Why nothing was carried although the tail is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CarryRefused {
    /// Offsets from `low` on.
    pub span: i64,
    /// Nothing is tried again before they are more than this.
    pub bound: i64,
}

/// What can be done about a tail that is too long.
enum Choice {
    /// Carry so many groups, the oldest.
    Carry(usize),
    /// What holds it will be gone soon.
    Wait,
    /// Nothing: it would be written nearly as a whole.
    Refuse,
}

impl Gather {
    /// Looks whether a replay would have to read too much, or what by the brokers' clock is too
    /// old, and carries the oldest groups if so. From then on a group's oldest record is the next
    /// to be absorbed; the effect that says so releases what the group held before.
    pub fn carry(&mut self, now: Timestamp) -> Carrying {
        let low = self.low(self.next, &BTreeSet::new());
        let span = self.next - low;
        self.tail.prune(low);
        if !self.is_too_long(low, span, now) {
            self.carry_above = 0;
            return Carrying::default();
        }
        if span <= self.carry_above && self.carry_waits.is_none_or(|waits| waits == low) {
            return Carrying::default();
        }
        match self.choose(low) {
            Choice::Carry(groups) => Carrying { effects: self.carry_oldest(groups), refused: None },
            Choice::Wait => {
                self.carry_above = span + self.rules.replay_max / 16;
                self.carry_waits = Some(low);
                Carrying::default()
            }
            Choice::Refuse => {
                self.carry_above = span.saturating_add(span / 4);
                self.carry_waits = None;
                let refused = CarryRefused { span, bound: self.carry_above };
                Carrying { effects: Vec::new(), refused: Some(refused) }
            }
        }
    }

    fn is_too_long(&self, low: i64, span: i64, now: Timestamp) -> bool {
        let appended = self.tail.appended(low).filter(|_| span > 0);
        let is_old = appended.is_some_and(|time| now.since(time) > self.rules.replay_age_max);
        span > self.rules.replay_max || is_old
    }

    /// As many of the oldest groups as bring the tail down to half of its bound, or as many as are
    /// worth it.
    fn choose(&self, low: i64) -> Choice {
        let goal = self.next - self.rules.replay_max / 2;
        let (mut bytes, mut count, mut worth) = (0_u64, 0, 0);
        let mut holds = self.holds.oldest_first();
        let stays = loop {
            let hold = holds.next();
            let from = hold.map(Hold::from).filter(|from| *from < self.next);
            if bytes * WORTH < self.tail.bytes_between(low, from) {
                worth = count;
            }
            if count > 0 && from.is_none_or(|from| from >= goal) {
                break Choice::Refuse;
            }
            let Some(group) = hold.and_then(|hold| self.carriable(hold)) else {
                break Choice::Wait;
            };
            bytes += group.record_bytes() as u64;
            if !self.has_room_to_carry(bytes) || count >= ROUND_GROUPS_MAX {
                break Choice::Refuse;
            }
            count += 1;
        };
        if worth > 0 { Choice::Carry(worth) } else { stays }
    }

    /// A take-over reads into memory whatever is carried and open.
    fn has_room_to_carry(&self, bytes: u64) -> bool {
        let all = bytes.saturating_add(self.carried_bytes as u64);
        bytes <= ROUND_BYTES_MAX && all <= self.rules.open_bytes_max as u64
    }

    /// The open group that holds it. None for what leaves by itself: a closing under way, a group
    /// whose carrying isn't committed, a part that waits for its opening.
    fn carriable(&self, hold: &Hold) -> Option<&Group> {
        let group = self.open.get(&hold.group_key()?.group_id)?;
        (group.hold() == *hold && group.oldest < self.next).then_some(group)
    }

    pub(super) fn carry_oldest(&mut self, groups: usize) -> Vec<Effect> {
        let oldest = self.holds.oldest_first().take(groups);
        let keys: Vec<GroupKey> = oldest
            .filter(|hold| self.carriable(hold).is_some())
            .filter_map(Hold::group_key)
            .cloned()
            .collect();
        let mut out = self.outbox(Some(self.next));
        for key in keys {
            if let Some(carry) = self.carry_group(&key) {
                out.push(Action::Carry(Box::new(carry)));
            }
        }
        out.effects
    }

    fn carry_group(&mut self, key: &GroupKey) -> Option<Carry> {
        let group = self.open.get(&key.group_id)?;
        let parts = group.parts().map(|part| self.ended_part(part.clone())).collect();
        let carried = group.carried(self.next, &self.stages);
        let group = self.open.get_mut(&key.group_id)?;
        let hold = group.hold();
        group.oldest = self.next;
        self.carried_bytes = self.carried_bytes - group.carried_bytes + group.record_bytes();
        group.carried_bytes = group.record_bytes();
        self.holds.add(group.hold());
        Some(Carry { carried, parts, hold })
    }
}
