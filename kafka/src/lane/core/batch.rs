//! The next transaction: what goes into it, and what becomes of that.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Core;
use crate::lane::broker::Sent;
use crate::lane::marks::Place;
use crate::lane::partition::{Owned, Phase};
use crate::lane::step::{Epoch, Finished, Verdict};
use crate::{Offset, Outgoing, Partition};

/// Partitions in one transaction: 128 metadata of 4,096 bytes each are 512 KiB.
const BATCH_PARTITIONS_MAX: usize = 128;
/// Those of outcomes among them: they leave room for the others, which would wait for ever behind
/// them.
const OUTCOME_PARTITIONS_MAX: usize = 112;
/// Progress that no outcome carries is committed at this interval.
const IDLE_COMMIT_INTERVAL: Duration = Duration::from_secs(1);

/// The contents of one transaction.
#[derive(Debug)]
pub struct Batch {
    /// The outcomes, in order.
    pub outcomes: Vec<Finished>,
    /// The progress of every partition that contributes.
    pub progress: Vec<(Epoch, Sent)>,
    /// Of partitions whose first progress of this assignment this is, that they are begun.
    pub marks: Vec<Outgoing>,
}

impl Core {
    /// Whether a transaction is due.
    pub fn is_due(&self, now: Duration) -> bool {
        let interval = self.config.commit_interval;
        let waited = self.ready.oldest().is_some_and(|since| since + interval <= now);
        waited
            || self.ready.is_urgent(&self.config.limits)
            || self.any_ending(now)
            || self.any_held()
            || self.makes_room()
            || self.idle_due(now)
    }

    /// Nothing is at work, and nothing more is read before what is held is less: there is nothing
    /// to wait for.
    fn makes_room(&self) -> bool {
        let is_full = self.held_bytes >= self.config.limits.held_bytes_max;
        is_full && self.in_flight == 0 && self.ready.len() > 0
    }

    /// A partition that is given back waits only for this commit.
    fn any_ending(&self, now: Duration) -> bool {
        self.partitions.values().any(|owned| {
            let releasing = matches!(owned.phase, Phase::Releasing { .. });
            let ended = owned.in_flight == 0 && self.ready.len() > 0;
            releasing && (ended || owned.is_untold(now))
        })
    }

    /// Items of a partition wait for nothing but this commit.
    fn any_held(&self) -> bool {
        self.partitions.values().any(|owned| {
            let finished = |it: &Finished| it.partition == owned.partition;
            let nothing_else = owned.in_flight == 0 && owned.is_held_by_guard();
            nothing_else && (owned.wants_room() || self.ready.any(finished))
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
        now: Duration,
        mut state: impl FnMut(Partition, Offset, &[Finished]) -> String,
    ) -> Option<Batch> {
        let outcomes = self.ready.take(self.batch_items_max, self.config.limits.batch_bytes_max);
        let outcomes = self.within_partitions_max(outcomes);
        for finished in &outcomes {
            if let (Some(owned), Some(offset)) =
                (self.partitions.get_mut(&finished.partition), finished.offset())
            {
                owned.carry(offset);
            }
        }
        let (mut progress, mut marks) = (Vec::new(), Vec::new());
        for partition in self.contributing(&outcomes, now) {
            let Some(owned) = self.partitions.get_mut(&partition) else {
                continue;
            };
            let state = state(partition, owned.window.carried_position(), &outcomes);
            let (owner, order) = (&self.config.owner, self.config.ordering.hash());
            let left = owned.in_flight > 0 || self.ready.any(|it| it.partition == partition);
            let lets_go = owned.lets_go(left, now);
            if let (Some(topic), Some(id)) = (&self.config.marks, owned.unmarked()) {
                let place =
                    Place { group: &self.config.group, topic: &self.config.topic, partition };
                marks.push(place.mark(topic, id));
            }
            let sent = owned.progress(owner, order, state, lets_go);
            progress.push((owned.epoch, sent));
            owned.attempted();
        }
        debug_assert!(covers(&outcomes, &progress), "progress for every outcome, EO-1");
        (!progress.is_empty()).then_some(Batch { outcomes, progress, marks })
    }

    /// The partitions of the outcomes, and those whose progress moved without any, or must be
    /// committed for their items to begin.
    fn contributing(&self, outcomes: &[Finished], now: Duration) -> BTreeSet<Partition> {
        let mut partitions = BTreeSet::new();
        // Neighbours mostly are of one partition.
        for outcomes in outcomes.chunk_by(|one, other| one.partition == other.partition) {
            partitions.insert(outcomes[0].partition);
        }
        let due =
            |owned: &&Owned| owned.moved.is_some() || owned.wants_room() || owned.is_untold(now);
        let moved = self.partitions.values().filter(due);
        let room = BATCH_PARTITIONS_MAX - partitions.len();
        partitions.extend(moved.map(|owned| owned.partition).take(room));
        partitions
    }

    /// Leaves out, for the next transaction, the outcomes of too many partitions.
    fn within_partitions_max(&mut self, mut outcomes: Vec<Finished>) -> Vec<Finished> {
        if self.partitions.len() <= OUTCOME_PARTITIONS_MAX {
            return outcomes;
        }
        let mut seen = BTreeSet::new();
        let fits = outcomes.iter().position(|finished| {
            seen.insert(finished.partition);
            seen.len() > OUTCOME_PARTITIONS_MAX
        });
        let rest = outcomes.split_off(fits.unwrap_or(outcomes.len()));
        let since = self.ready.oldest().unwrap_or_default();
        self.ready.put_back(rest, &[], since);
        outcomes
    }

    /// The transaction was committed: gives its outcomes.
    pub fn committed(&mut self, batch: Batch, now: Duration) -> Vec<Finished> {
        let mut offsets: BTreeMap<Partition, Vec<Offset>> = BTreeMap::new();
        for finished in &batch.outcomes {
            offsets.entry(finished.partition).or_default().extend(finished.offset());
            if let Some(owned) = self.owned(finished.partition, finished.epoch) {
                let held = held(finished);
                owned.held_bytes -= held;
                self.held_bytes -= held;
            }
        }
        for (epoch, sent) in &batch.progress {
            if let Some(owned) = self.owned(sent.partition, *epoch) {
                let mine = offsets.remove(&sent.partition).unwrap_or_default();
                owned.committed(sent, mine.into_iter(), now);
            }
        }
        self.ready.relax();
        batch.outcomes
    }

    /// The transaction came to nothing: its outcomes wait for the next one, those at `suspects`
    /// apart from the others.
    pub fn aborted(&mut self, batch: Batch, suspects: &[usize], now: Duration) {
        let mut kept = Vec::with_capacity(batch.outcomes.len());
        let mut kept_suspects = Vec::new();
        for (index, finished) in batch.outcomes.into_iter().enumerate() {
            let Some(owned) = self.owned(finished.partition, finished.epoch) else {
                continue;
            };
            if let Some(offset) = finished.offset() {
                owned.put_back(offset);
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
        let before = finished.held_bytes();
        finished.outputs = outputs;
        finished.verdict = Verdict::Failed;
        let after = finished.held_bytes();
        if let Some(owned) = self.owned(finished.partition, finished.epoch) {
            owned.held_bytes = owned.held_bytes + after - before;
            self.held_bytes = self.held_bytes + after - before;
        }
    }

    /// A transaction of so many outcomes took too long: the next ones hold half as much.
    pub fn shrink(&mut self, outcomes: usize) {
        self.batch_items_max = (self.batch_items_max.min(outcomes) / 2).max(1);
    }

    /// There is time for twice as much in a transaction.
    pub fn grow(&mut self) {
        self.batch_items_max = (self.batch_items_max * 2).min(self.config.limits.batch_items_max);
    }
}

/// EO-1, one half of it: whatever a transaction carries, it carries the progress of.
fn covers(outcomes: &[Finished], progress: &[(Epoch, Sent)]) -> bool {
    let covered = |it: &Finished| {
        progress.iter().any(|(epoch, sent)| sent.partition == it.partition && *epoch == it.epoch)
    };
    outcomes.iter().all(covered)
}

/// Bytes held for an outcome: those of its item and of its outputs.
fn held(finished: &Finished) -> usize {
    finished.held_bytes() + finished.item.as_ref().map_or(0, |item| item.record.held_bytes())
}
