//! The progress of one group: what is committed, and what waits for a transaction to end.

use std::collections::BTreeMap;

use longshore_schemas::TopicName;

use super::transactional_id::ProducerId;
use crate::Partition;
use crate::lane::broker::Committed;

/// A partition of some topic.
pub(super) type TopicPartition = (TopicName, Partition);

/// Committed and pending progress.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    committed: BTreeMap<TopicPartition, Appended>,
    pending: BTreeMap<ProducerId, BTreeMap<TopicPartition, Appended>>,
    appended: u64,
}

/// Progress with its place in the group's own log: the one appended last counts, whichever
/// transaction ends first (Kafka's `OffsetMetadataManager` compares record offsets).
#[derive(Clone, Debug)]
struct Appended {
    place: u64,
    committed: Committed,
}

impl Offsets {
    /// Commits outside of any transaction.
    pub(super) fn commit(&mut self, of: TopicPartition, committed: Committed) {
        let appended = self.append(committed);
        self.committed.insert(of, appended);
    }

    /// Adds progress to a transaction.
    pub(super) fn add_pending(
        &mut self,
        producer: ProducerId,
        of: TopicPartition,
        committed: Committed,
    ) {
        let appended = self.append(committed);
        self.pending.entry(producer).or_default().insert(of, appended);
    }

    /// The transaction was committed: its progress counts.
    pub(super) fn commit_pending(&mut self, producer: ProducerId) {
        for (of, appended) in self.pending.remove(&producer).unwrap_or_default() {
            let newer = self.committed.get(&of).is_none_or(|old| old.place < appended.place);
            if newer {
                self.committed.insert(of, appended);
            }
        }
    }

    /// The transaction was aborted.
    pub(super) fn drop_pending(&mut self, producer: ProducerId) {
        self.pending.remove(&producer);
    }

    /// Forgets a partition's progress, as its expiry does.
    pub(super) fn expire(&mut self, of: &TopicPartition) {
        self.committed.remove(of);
    }

    /// Forgets all progress in a topic that is deleted.
    pub(super) fn forget_topic(&mut self, topic: &TopicName) {
        self.committed.retain(|(of, _), _| of != topic);
        for pending in self.pending.values_mut() {
            pending.retain(|(of, _), _| of != topic);
        }
    }

    /// Committed progress.
    pub(super) fn get(&self, of: &TopicPartition) -> Option<&Committed> {
        self.committed.get(of).map(|it| &it.committed)
    }

    /// Committed progress, that of these producers' transactions included.
    pub(super) fn decided(
        &self,
        of: &TopicPartition,
        committing: &[ProducerId],
    ) -> Option<&Committed> {
        let waiting = committing.iter().filter_map(|producer| self.pending.get(producer)?.get(of));
        let last = waiting.chain(self.committed.get(of)).max_by_key(|it| it.place);
        last.map(|it| &it.committed)
    }

    /// Whether any other partition of the topic has committed progress.
    pub(super) fn has_siblings(&self, (topic, partition): &TopicPartition) -> bool {
        self.committed.keys().any(|(other, sibling)| other == topic && sibling != partition)
    }

    /// Whether no open transaction may still change a partition's progress (KIP-447).
    pub(super) fn is_stable(&self, of: &TopicPartition) -> bool {
        !self.pending.values().any(|waiting| waiting.contains_key(of))
    }

    /// Whether the producer's transaction has progress here and isn't over.
    pub(super) fn is_pending(&self, producer: ProducerId) -> bool {
        self.pending.contains_key(&producer)
    }

    fn append(&mut self, committed: Committed) -> Appended {
        self.appended += 1;
        Appended { place: self.appended, committed }
    }
}
