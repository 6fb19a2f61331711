//! The lane's pure core: what it holds, what may begin, what goes into the next transaction. No
//! clock, no I/O: time and events come in as values.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::broker::Sent;
use super::config::LaneConfig;
use super::partition::{Owned, Phase};
use super::progress::Received;
use super::ready::Ready;
use super::start::Start;
use super::step::{Epoch, Finished, Item, Verdict};
use crate::{Offset, Outgoing, Partition, Record};

/// Partitions in one transaction: 128 metadata of 4,096 bytes each are 512 KiB.
const BATCH_PARTITIONS_MAX: usize = 128;
/// Progress that no outcome carries is committed at this interval.
const IDLE_COMMIT_INTERVAL: Duration = Duration::from_secs(1);

/// Everything a lane holds.
#[derive(Debug)]
pub struct Core {
    config: LaneConfig,
    partitions: BTreeMap<Partition, Owned>,
    ready: Ready,
    epochs: u64,
    batch_items_max: usize,
    /// Which partition is asked first for its next item, so that none is favored.
    turn: usize,
}

/// The contents of one transaction.
#[derive(Debug)]
pub struct Batch {
    /// The outcomes, in order.
    pub outcomes: Vec<Finished>,
    /// The progress of every partition that contributes.
    pub progress: Vec<(Epoch, Sent)>,
}

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

/// What became of a partition that was given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Discarded {
    /// Items that were begun and have to be run again by the next owner.
    pub in_flight: usize,
    /// Outcomes that were ready and have to be computed again.
    pub ready: usize,
}

impl Core {
    /// Holds nothing.
    pub fn new(config: LaneConfig) -> Self {
        let batch_items_max = config.limits.batch_items_max;
        Self {
            config,
            partitions: BTreeMap::new(),
            ready: Ready::new(),
            epochs: 0,
            batch_items_max,
            turn: 0,
        }
    }

    // ----- partitions come

    /// Takes a partition over; it isn't read before [`Core::prepared`].
    pub fn assign(&mut self, partition: Partition, start: &Start, now: Duration) -> Epoch {
        self.epochs += 1;
        let epoch = Epoch(self.epochs);
        let mut owned = Owned::new(partition, epoch, start, self.config.ordering);
        owned.note_move(now);
        let before = self.partitions.insert(partition, owned);
        assert!(before.is_none(), "partition {partition} is owned once");
        epoch
    }

    /// The component is ready for it and reads from here. False: it isn't ours any more.
    pub fn prepared(&mut self, partition: Partition, epoch: Epoch, from: Offset) -> bool {
        let Some(owned) = self.owned(partition, epoch) else { return false };
        if owned.phase != Phase::Preparing {
            return false;
        }
        let replays = from < owned.start_position();
        owned.phase = if replays { Phase::Replaying } else { Phase::Running };
        true
    }

    /// Reading has come to `offset`: true if this ends the partition's replay.
    pub fn ends_replay(&mut self, partition: Partition, offset: Offset) -> bool {
        let Some(owned) = self.partitions.get_mut(&partition) else { return false };
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

    // ----- items

    /// Takes note of a record.
    pub fn receive(&mut self, record: Record) -> Reception {
        let Some(owned) = self.partitions.get_mut(&record.partition) else {
            return Reception::Passed;
        };
        match owned.phase {
            Phase::Replaying if record.offset < owned.start_position() => Reception::Replay(record),
            Phase::Replaying | Phase::Running => {
                if owned.window.receive(record.offset) == Received::AlreadyFinished {
                    return Reception::Passed;
                }
                owned.held_bytes += record.bytes();
                owned.queues.push(Arc::new(Item { epoch: owned.epoch, record }));
                Reception::Queued
            }
            Phase::Preparing | Phase::Releasing { .. } => Reception::Passed,
        }
    }

    /// The end of a partition was reached: nothing stands between its last record and `position`.
    pub fn reach(&mut self, partition: Partition, position: Offset, now: Duration) {
        let reading = self.partitions.get_mut(&partition).filter(|owned| owned.phase == Phase::Running);
        if let Some(owned) = reading {
            owned.reached(position, now);
        }
    }

    /// The next item to be worked on, each partition in its turn.
    pub fn next_item(&mut self) -> Option<Arc<Item>> {
        if self.in_flight() >= self.config.limits.in_flight_max {
            return None;
        }
        let count = self.partitions.len();
        for step in 0..count {
            let index = (self.turn + step) % count;
            if let Some(item) = self.partitions.values_mut().nth(index).and_then(Owned::next) {
                self.turn = index + 1;
                return Some(item);
            }
        }
        None
    }

    /// Takes an outcome. False: its partition belongs to someone else, and so does the item.
    pub fn finish(&mut self, finished: Finished, now: Duration) -> bool {
        let Some(owned) = self.owned(finished.partition, finished.epoch) else { return false };
        if let Some(item) = &finished.item {
            owned.in_flight -= 1;
            owned.queues.ended(item);
        }
        owned.held_bytes += finished.bytes();
        self.ready.push(finished, now);
        true
    }

    /// Which partitions to pause and which to resume, for what the lane holds now.
    pub fn flow(&mut self) -> (Vec<Partition>, Vec<Partition>) {
        let limits = self.config.limits;
        let held_bytes = self.held_bytes();
        let (mut pause, mut resume) = (Vec::new(), Vec::new());
        for owned in self.partitions.values_mut().filter(|owned| owned.runs()) {
            let bound = if owned.paused { limits.held_bytes_max / 2 } else { limits.held_bytes_max };
            let wants = held_bytes < bound && owned.wants_records(limits.waiting_max);
            if wants == owned.paused {
                owned.paused = !wants;
                if wants { &mut resume } else { &mut pause }.push(owned.partition);
            }
        }
        (pause, resume)
    }

    // ----- the transaction

    /// Whether a transaction is due.
    pub fn is_due(&self, now: Duration) -> bool {
        let interval = self.config.commit_interval;
        let waited = self.ready.oldest().is_some_and(|since| since + interval <= now);
        waited || self.ready.is_urgent(&self.config.limits) || self.any_ending() || self.idle_due(now)
    }

    /// A partition that is given back waits only for this commit.
    fn any_ending(&self) -> bool {
        self.ready.len() > 0
            && self.partitions.values().any(|owned| {
                matches!(owned.phase, Phase::Releasing { .. }) && owned.in_flight == 0
            })
    }

    fn idle_due(&self, now: Duration) -> bool {
        let moved = self.partitions.values().filter_map(|owned| owned.moved).min();
        moved.is_some_and(|since| since + IDLE_COMMIT_INTERVAL <= now)
    }

    /// Builds the next transaction; `state` gives the component's part of the metadata. None: there
    /// is nothing to commit.
    pub fn take_batch(
        &mut self,
        mut state: impl FnMut(Partition, Offset, &[Finished]) -> String,
    ) -> Option<Batch> {
        let outcomes = self.ready.take(self.batch_items_max, self.config.limits.batch_bytes_max);
        let outcomes = self.within_partitions_max(outcomes);
        for finished in &outcomes {
            if let (Some(owned), Some(offset)) =
                (self.partitions.get_mut(&finished.partition), finished.offset())
            {
                owned.window.carry(offset);
            }
        }
        let contributes = |owned: &Owned| {
            owned.moved.is_some() || outcomes.iter().any(|it| it.partition == owned.partition)
        };
        let (owner, order) = (self.config.owner.as_str(), self.config.ordering.hash());
        let mut progress = Vec::new();
        for owned in self.partitions.values_mut().filter(|owned| contributes(owned)) {
            if progress.len() == BATCH_PARTITIONS_MAX {
                break;
            }
            let state = state(owned.partition, owned.window.carried_position(), &outcomes);
            progress.push((owned.epoch, owned.progress(owner, order, state)));
            owned.attempted();
        }
        (!progress.is_empty()).then_some(Batch { outcomes, progress })
    }

    /// Leaves out, for the next transaction, the outcomes of too many partitions.
    fn within_partitions_max(&mut self, mut outcomes: Vec<Finished>) -> Vec<Finished> {
        let mut seen = std::collections::BTreeSet::new();
        let fits = outcomes.iter().position(|finished| {
            seen.insert(finished.partition);
            seen.len() > BATCH_PARTITIONS_MAX / 2
        });
        let rest = outcomes.split_off(fits.unwrap_or(outcomes.len()));
        let since = self.ready.oldest().unwrap_or_default();
        self.ready.put_back(rest, &[], since);
        outcomes
    }

    /// The transaction was committed: gives its outcomes.
    pub fn committed(&mut self, batch: Batch) -> Vec<Finished> {
        for (epoch, sent) in &batch.progress {
            let Some(owned) = self.owned(sent.partition, *epoch) else { continue };
            let mine = || batch.outcomes.iter().filter(|it| it.partition == sent.partition);
            owned.committed(sent, mine().filter_map(Finished::offset));
            owned.held_bytes -= mine().map(held).sum::<usize>();
        }
        self.ready.relax();
        self.batch_items_max = (self.batch_items_max * 2).min(self.config.limits.batch_items_max);
        batch.outcomes
    }

    /// The transaction came to nothing: its outcomes wait for the next one, those at `suspects`
    /// apart from the others.
    pub fn aborted(&mut self, batch: Batch, suspects: &[usize], now: Duration) {
        let mut kept = Vec::with_capacity(batch.outcomes.len());
        let mut kept_suspects = Vec::new();
        for (index, finished) in batch.outcomes.into_iter().enumerate() {
            let Some(owned) = self.owned(finished.partition, finished.epoch) else { continue };
            if let Some(offset) = finished.offset() {
                owned.window.put_back(offset);
            }
            if suspects.contains(&index) {
                kept_suspects.push(kept.len());
            }
            kept.push(finished);
        }
        self.ready.put_back(kept, &kept_suspects, now);
    }

    /// An outcome's outputs were refused for good: these take their place.
    pub fn replace(&mut self, finished: &mut Finished, outputs: Vec<Outgoing>) {
        let before = finished.bytes();
        finished.outputs = outputs;
        finished.verdict = Verdict::Failed;
        let after = finished.bytes();
        if let Some(owned) = self.owned(finished.partition, finished.epoch) {
            owned.held_bytes = owned.held_bytes + after - before;
        }
    }

    /// A transaction took too long: the next ones hold half as much, growing back with success.
    pub fn shrink(&mut self) {
        self.batch_items_max = (self.batch_items_max / 2).max(1);
    }

    // ----- partitions go

    /// Nothing new begins in these partitions; they are given back by `deadline`.
    pub fn begin_release(&mut self, partitions: &[Partition], deadline: Duration) {
        for partition in partitions {
            let Some(owned) = self.partitions.get_mut(partition) else { continue };
            owned.phase = Phase::Releasing { deadline };
            owned.held_bytes -= owned.queues.clear();
        }
    }

    /// Partitions that can be given back: all that was begun in them is committed, or time is up.
    pub fn released(&self, now: Duration) -> Vec<Partition> {
        let ended = |owned: &Owned| match owned.phase {
            Phase::Releasing { deadline } => now >= deadline || !self.has_work(owned),
            _ => false,
        };
        self.partitions.values().filter(|it| ended(it)).map(|it| it.partition).collect()
    }

    fn has_work(&self, owned: &Owned) -> bool {
        owned.in_flight > 0 || self.ready.any(|finished| finished.partition == owned.partition)
    }

    /// Forgets a partition with all that belongs to it.
    pub fn forget(&mut self, partition: Partition) -> Discarded {
        let Some(owned) = self.partitions.remove(&partition) else { return Discarded::default() };
        let ready = self.ready.retain(|finished| finished.partition != partition);
        Discarded { in_flight: owned.in_flight, ready }
    }

    // ----- views

    /// Every partition that is owned.
    pub fn partitions(&self) -> impl Iterator<Item = &Owned> {
        self.partitions.values()
    }

    /// Whether a partition is still held under this assignment.
    pub fn owns(&self, partition: Partition, epoch: Epoch) -> bool {
        self.partitions.get(&partition).is_some_and(|owned| owned.epoch == epoch)
    }

    /// Items that the component works on.
    pub fn in_flight(&self) -> usize {
        self.partitions.values().map(|owned| owned.in_flight).sum()
    }

    /// Bytes of all items and outcomes that are held.
    pub fn held_bytes(&self) -> usize {
        self.partitions.values().map(|owned| owned.held_bytes).sum()
    }

    /// Outcomes that wait for their transaction.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    fn owned(&mut self, partition: Partition, epoch: Epoch) -> Option<&mut Owned> {
        self.partitions.get_mut(&partition).filter(|owned| owned.epoch == epoch)
    }
}

/// Bytes held for an outcome: those of its item and of its outputs.
fn held(finished: &Finished) -> usize {
    finished.bytes() + finished.item.as_ref().map_or(0, |item| item.record.bytes())
}
