//! Records come in, items go out, outcomes come back.

use std::ops::Bound::{Excluded, Included, Unbounded};
use std::sync::Arc;
use std::time::Duration;

use super::Core;
use crate::lane::partition::{Owned, Phase};
use crate::lane::progress::Received;
use crate::lane::step::{Finished, Item};
use crate::{Offset, Partition, Record};

/// How long nothing is read for want of room in a partition, before that partition is paused for
/// the sake of the others.
const FULL_MAX: Duration = Duration::from_millis(200);

/// What a received record is.
#[derive(Debug)]
pub enum Reception {
    /// To be accumulated only: it lies below the position.
    Replay(Record),
    /// It waits for its turn.
    Queued,
    /// Nothing is to be done about it: finished by an earlier owner, or about to be given back.
    Passed,
}

impl Core {
    /// Takes note of a record.
    pub fn receive(&mut self, record: Record) -> Reception {
        let Some(owned) = self.partitions.get_mut(&record.partition) else {
            return Reception::Passed;
        };
        owned.next_read = record.offset.next();
        match owned.phase {
            Phase::Replaying if record.offset < owned.start_position() => Reception::Replay(record),
            Phase::Replaying | Phase::Running => {
                if owned.window.receive(record.offset) == Received::AlreadyFinished {
                    return Reception::Passed;
                }
                owned.held_bytes += record.held_bytes();
                self.held_bytes += record.held_bytes();
                owned.queues.push(Arc::new(Item { epoch: owned.epoch, record }));
                Reception::Queued
            }
            Phase::Preparing | Phase::Releasing { .. } => Reception::Passed,
        }
    }

    /// The end of a partition was reached: nothing stands between its last record and `position`.
    pub fn reach(&mut self, partition: Partition, position: Offset, now: Duration) {
        let Some(owned) = self.partitions.get_mut(&partition) else {
            return;
        };
        // Markers are passed too, though no record tells.
        owned.next_read = owned.next_read.max(position);
        if owned.phase == Phase::Running {
            owned.reached(position, now);
        }
    }

    /// The next item to be worked on, each partition in its turn.
    pub fn next_item(&mut self) -> Option<Arc<Item>> {
        let item = self.next_of_any()?;
        self.in_flight += 1;
        Some(item)
    }

    fn next_of_any(&mut self) -> Option<Arc<Item>> {
        if let Some(suspect) = self.suspect {
            let may_begin = |owned: &&mut Owned| owned.in_flight == 0 && owned.guard.is_on_trial();
            return self.partitions.get_mut(&suspect).filter(may_begin).and_then(Owned::next);
        }
        if self.in_flight >= self.in_flight_max() {
            return None;
        }
        let turn = self.turn;
        for round in [(Included(turn), Unbounded), (Unbounded, Excluded(turn))] {
            for (partition, owned) in self.partitions.range_mut(round) {
                if let Some(item) = owned.next() {
                    self.turn = Partition(partition.0 + 1);
                    return Some(item);
                }
            }
        }
        None
    }

    fn in_flight_max(&self) -> usize {
        let limits = &self.config.limits;
        limits.in_flight_max.max(self.ended.in_a_moment().min(limits.in_flight_most))
    }

    /// The partition whose items are to be begun one by one, and nothing else beside them, because
    /// it has some that aren't committed, or is given back and has yet to say that nobody has died.
    /// It stays the same until it has none, or is cleared.
    pub fn suspect(&self) -> Option<Partition> {
        let has_items = |it: &Owned| {
            let waits = it.runs() && it.window.unfinished() > 0;
            let is_blamed = !it.runs() && it.guard.is_blamed();
            waits || self.has_work(it) || is_blamed
        };
        let suspect = |it: &&Owned| it.guard.needs_trial() && has_items(it);
        let before = self.suspect.and_then(|it| self.partitions.get(&it)).filter(suspect);
        before.or_else(|| self.partitions.values().find(suspect)).map(|owned| owned.partition)
    }

    /// Whether nothing is at work that could kill the process, in any partition but this one.
    pub fn rests_beside(&self, suspect: Partition) -> bool {
        let rests = |owned: &Owned| owned.partition == suspect || self.rests_in(owned);
        self.partitions.values().all(rests)
    }

    /// What a partition's replay does, on its way to its position, could kill as well.
    pub(super) fn rests_in(&self, owned: &Owned) -> bool {
        let replays = matches!(owned.phase, Phase::Preparing | Phase::Replaying);
        !replays && owned.in_flight == 0
    }

    /// From now on only items of the suspect may begin, if there is one; those, if it is its turn.
    pub fn try_suspect(&mut self, suspect: Option<Partition>, its_turn: bool) {
        self.suspect = suspect;
        for owned in self.partitions.values_mut() {
            owned.guard.set_on_trial(its_turn && Some(owned.partition) == suspect);
        }
    }

    /// How many owners in a row an item has killed while it was alone; none if it may be tried.
    pub fn condemned(&self, item: &Item) -> Option<u32> {
        let deaths_max = self.config.deaths_max?;
        let guard = &self.partitions.get(&item.record.partition)?.guard;
        let condemned = guard.condemns(item.record.offset, deaths_max);
        condemned.then(|| guard.deaths())
    }

    /// Takes an outcome. False: its partition belongs to someone else, and so does the item.
    pub fn finish(&mut self, finished: Finished, now: Duration) -> bool {
        let Some(owned) = self.owned(finished.partition, finished.epoch) else {
            return false;
        };
        let held_bytes = finished.held_bytes();
        owned.held_bytes += held_bytes;
        if let Some(item) = &finished.item {
            owned.in_flight -= 1;
            owned.queues.ended(item);
            self.in_flight -= 1;
            self.ended.note(now);
        }
        self.held_bytes += held_bytes;
        self.ready.push(finished, now);
        true
    }

    /// Which partitions to pause and which to resume, for what the lane holds now. A pause throws
    /// away what the client has fetched, so it comes only where room doesn't come of itself.
    pub fn flow(&mut self, now: Duration) -> (Vec<Partition>, Vec<Partition>) {
        let limits = self.config.limits;
        let held_bytes = self.held_bytes;
        let (mut pause, mut resume) = (Vec::new(), Vec::new());
        for owned in self.partitions.values_mut().filter(|owned| owned.runs()) {
            let bound =
                if owned.paused { limits.held_bytes_max / 2 } else { limits.held_bytes_max };
            let wants = held_bytes < bound && owned.wants_records(limits.waiting_max);
            match (owned.paused, wants) {
                (true, true) => {
                    owned.paused = false;
                    resume.push(owned.partition);
                }
                (true, false) => {}
                (false, true) => owned.full_since = None,
                (false, false) => {
                    let since = *owned.full_since.get_or_insert(now);
                    if since + FULL_MAX <= now {
                        owned.full_since = None;
                        owned.paused = true;
                        pause.push(owned.partition);
                    }
                }
            }
        }
        (pause, resume)
    }

    /// Whether there is no room for more records, in any of the partitions that are read.
    pub fn is_full(&self) -> bool {
        self.partitions.values().any(|owned| owned.runs() && owned.full_since.is_some())
    }
}
