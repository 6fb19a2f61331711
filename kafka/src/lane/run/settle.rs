//! A commit of unknown outcome is settled by what committed progress says.

use super::{Lane, Producing, Settling};
use crate::Partition;
use crate::lane::broker::{Broker, Locate, PartitionFacts};
use crate::lane::error::LaneError;
use crate::lane::step::Step;

impl<B: Broker, S: Step> Lane<B, S> {
    /// Asks for the progress of the partitions that contributed and are still ours. The new
    /// producer has been initialised, so the old transaction is complete, markers included.
    pub(super) fn ask_to_settle(&mut self) {
        let Producing::Settling(settling) = &mut self.producing else {
            return;
        };
        let partitions: Vec<Partition> = settling.partitions().collect();
        if partitions.is_empty() {
            return self.settled_elsewhere();
        }
        let id = self.group.question();
        settling.asked = Some(id);
        self.broker.locate(Locate::progress(id, partitions));
    }

    /// Every partition of the batch went to other owners, who read what was committed themselves.
    fn settled_elsewhere(&mut self) {
        let ready = Producing::Ready;
        if let Producing::Settling(settling) = std::mem::replace(&mut self.producing, ready) {
            self.core.aborted(settling.batch, &[], self.broker.now());
        }
    }

    /// The partitions whose progress tells what became of a commit.
    pub(super) fn settling(&self) -> Vec<Partition> {
        match &self.producing {
            Producing::Settling(settling) => settling.partitions().collect(),
            _ => Vec::new(),
        }
    }

    /// Whether this is the answer that is waited for.
    pub(super) fn asked_to_settle(&self, id: u64) -> bool {
        match &self.producing {
            Producing::Settling(settling) => settling.asked == Some(id),
            _ => false,
        }
    }

    /// The question wasn't answered: it is asked again in the next turn.
    pub(super) fn forget_question(&mut self, id: u64) {
        if self.asked_to_settle(id)
            && let Producing::Settling(settling) = &mut self.producing
        {
            settling.asked = None;
        }
    }

    /// Equal, byte for byte, to what was sent: landed. All partitions that are told of must agree,
    /// and one is enough: a transaction lands as a whole.
    pub(super) fn settle(&mut self, facts: &[PartitionFacts]) -> Result<(), LaneError> {
        if self.is_told_of_others(facts) {
            return Ok(());
        }
        let ready = Producing::Ready;
        let Producing::Settling(settling) = std::mem::replace(&mut self.producing, ready) else {
            return Ok(());
        };
        let Settling { batch, written, failure, .. } = settling;
        let landed: Vec<bool> = batch
            .progress
            .iter()
            .filter_map(|(_, sent)| {
                let facts = facts.iter().find(|facts| facts.partition == sent.partition)?;
                Some(facts.committed.as_ref() == Some(&sent.committed))
            })
            .collect();
        let topic = &self.config.topic;
        tracing::info!(%topic, %failure, ?landed, "settled a commit of unknown outcome");
        match (landed.contains(&true), landed.contains(&false)) {
            (true, true) => Err(self.torn(&batch, facts)),
            (true, false) => {
                self.landed(batch, &written);
                Ok(())
            }
            _ => {
                self.core.aborted(batch, &[], self.broker.now());
                Ok(())
            }
        }
    }

    /// The answer is about partitions that were given back meanwhile: the others' is to come.
    fn is_told_of_others(&self, facts: &[PartitionFacts]) -> bool {
        let Producing::Settling(settling) = &self.producing else {
            return false;
        };
        let is_told = |partition| facts.iter().any(|facts| facts.partition == partition);
        settling.partitions().next().is_some() && !settling.partitions().any(is_told)
    }

    fn torn(&self, batch: &super::Batch, facts: &[PartitionFacts]) -> LaneError {
        let sent: Vec<_> = batch.progress.iter().map(|(_, sent)| sent).collect();
        LaneError::TornTransaction {
            topic: self.config.topic.clone(),
            group: self.config.group.clone(),
            detail: format!("sent {sent:?}, found {facts:?}"),
        }
    }
}
