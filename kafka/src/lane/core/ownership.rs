//! Partitions come and go.

use std::time::Duration;

use super::Core;
use crate::lane::guard::Guard;
use crate::lane::partition::{Owned, Phase};
use crate::lane::start::Start;
use crate::lane::step::Epoch;
use crate::{Offset, Partition};

/// What became of a partition that was given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Discarded {
    /// Items that were begun and have to be run again by the next owner.
    pub in_flight: usize,
    /// Outcomes that were ready and have to be computed again.
    pub ready: usize,
}

impl Core {
    /// Takes a partition over; it isn't read before [`Core::prepared`].
    pub fn assign(&mut self, partition: Partition, start: &Start, now: Duration) -> Epoch {
        self.epochs += 1;
        let epoch = Epoch(self.epochs);
        let mut owned = Owned::new(partition, epoch, start, self.config.ordering);
        if self.config.deaths_max.is_none() {
            owned.guard = Guard::off(start.position);
        }
        owned.note_move(now);
        let before = self.partitions.insert(partition, owned);
        assert!(before.is_none(), "partition {partition} is owned once");
        epoch
    }

    /// The component is ready for it and reads from here. None: it isn't ours any more.
    pub fn prepared(&mut self, partition: Partition, epoch: Epoch, from: Offset) -> Option<Phase> {
        let owned = self.owned(partition, epoch).filter(|it| it.phase == Phase::Preparing)?;
        let replays = from < owned.start_position();
        owned.phase = if replays { Phase::Replaying } else { Phase::Running };
        owned.next_read = from;
        Some(owned.phase)
    }

    /// Reading has come to `offset`: true if this ends the partition's replay.
    pub fn ends_replay(&mut self, partition: Partition, offset: Offset) -> bool {
        let Some(owned) = self.partitions.get_mut(&partition) else {
            return false;
        };
        let ends = owned.phase == Phase::Replaying && offset >= owned.start_position();
        if ends {
            owned.phase = Phase::Running;
        }
        ends
    }

    /// Whether any partition is being prepared.
    pub fn preparing(&self) -> bool {
        self.partitions.values().any(|owned| owned.phase == Phase::Preparing)
    }

    /// Nothing new begins in these partitions; they are given back by `deadline`.
    pub fn begin_release(&mut self, partitions: &[Partition], deadline: Duration, now: Duration) {
        for partition in partitions {
            if let Some(owned) = self.partitions.get_mut(partition) {
                self.held_bytes -= owned.begin_release(deadline, now);
            }
        }
    }

    /// Every partition is given back at once, with nothing but the word that nobody has died: what
    /// was finished and isn't committed is done again. False: there is nothing to say.
    pub fn leave(&mut self, now: Duration) -> bool {
        self.ready.retain(|_| false);
        for owned in self.partitions.values_mut() {
            owned.window.put_all_back();
            self.held_bytes -= owned.begin_release(now, now);
        }
        self.partitions.values().any(|owned| owned.is_untold(now))
    }

    /// Partitions that can be given back: all that was begun in them is committed, or time is up.
    /// Others are held by a transaction that is under way.
    pub fn released(&self, now: Duration, is_held: impl Fn(&Owned) -> bool) -> Vec<Partition> {
        let has_work =
            |owned: &Owned| self.has_work(owned) || owned.is_untold(now) || is_held(owned);
        let ended = |owned: &Owned| match owned.phase {
            Phase::Releasing { deadline, .. } => now >= deadline || !has_work(owned),
            _ => false,
        };
        self.partitions.values().filter(|it| ended(it)).map(|it| it.partition).collect()
    }

    /// A transaction that was under way has ended: whoever waited for it has time to tell.
    pub fn may_tell_from(&mut self, now: Duration) {
        self.partitions.values_mut().for_each(|owned| owned.may_tell_from(now));
    }

    pub(super) fn has_work(&self, owned: &Owned) -> bool {
        owned.in_flight > 0 || self.ready.any(|finished| finished.partition == owned.partition)
    }

    /// Forgets a partition with all that belongs to it.
    pub fn forget(&mut self, partition: Partition) -> Discarded {
        let Some(owned) = self.partitions.remove(&partition) else {
            return Discarded::default();
        };
        self.in_flight -= owned.in_flight;
        self.held_bytes -= owned.held_bytes;
        debug_assert_eq!(
            (self.in_flight, self.held_bytes),
            self.partitions.values().fold((0, 0), |(items, bytes), owned| {
                (items + owned.in_flight, bytes + owned.held_bytes)
            }),
            "each item in flight and each byte held is counted once"
        );
        let ready = self.ready.retain(|finished| finished.partition != partition);
        Discarded { in_flight: owned.in_flight, ready }
    }
}
