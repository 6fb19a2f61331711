//! A join's step whose every outcome is looked at.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use longshore_coordinator::JoinStep;
use longshore_kafka::lane::step::{Assignment, Finished, Item, Prepared, Step, StepError};
use longshore_kafka::model::Cluster;
use longshore_kafka::{Offset, Outgoing, Partition, Record, Refusal};
use longshore_schemas::TopicName;

use super::topics;

/// Closings that were committed ahead of a record, or without any.
pub type Ahead = Arc<AtomicUsize>;

/// The step.
pub struct Watched {
    pub step: JoinStep,
    pub ahead: Ahead,
    pub cluster: Cluster,
    /// What was last told for the next owner of a partition.
    pub told: BTreeMap<Partition, String>,
}

/// However many groups are due, no outcome is larger than what one of them brings.
fn check(finished: &Finished) {
    assert!(results(finished) <= 1, "{} results in one outcome", results(finished));
    assert!(finished.outputs.len() <= 3, "{} outputs in one outcome", finished.outputs.len());
}

impl Watched {
    /// EO-1: whatever a transaction carries, be it of an item or not, it carries its progress too.
    fn check_progress(&self, partition: Partition) {
        let committed = self.cluster.committed("p.j", &topics().inbox, partition);
        let metadata = committed.expect("progress").metadata;
        let told = &self.told[&partition];
        assert!(metadata.contains(&format!(",{told}:")), "{metadata} says nothing of {told}");
    }
}

fn results(finished: &Finished) -> usize {
    finished.outputs.iter().filter(|output| output.topic == topics().results).count()
}

impl Step for Watched {
    fn assigned(&mut self, assignment: &Assignment) {
        self.step.assigned(assignment);
    }

    fn prepared(&mut self) -> Result<Vec<Prepared>, StepError> {
        self.step.prepared()
    }

    fn replay(&mut self, record: Record) {
        self.step.replay(record);
    }

    fn replayed(&mut self, partition: Partition) {
        self.step.replayed(partition);
    }

    fn take(&mut self, item: Arc<Item>) {
        self.step.take(item);
    }

    fn give_up(&mut self, item: Arc<Item>, deaths: u32) {
        self.step.give_up(item, deaths);
    }

    fn flush(&mut self) -> Result<(), StepError> {
        self.step.flush()
    }

    fn collect(&mut self, outcomes: &mut Vec<Finished>) -> Result<(), StepError> {
        self.step.collect(outcomes)?;
        outcomes.iter().for_each(check);
        Ok(())
    }

    fn refused(&mut self, finished: &Finished, refusal: &Refusal) -> Option<Vec<Outgoing>> {
        self.step.refused(finished, refusal)
    }

    fn state(&mut self, partition: Partition, position: Offset, batch: &[Finished]) -> String {
        let state = self.step.state(partition, position, batch);
        self.told.insert(partition, state.clone());
        state
    }

    fn committed(&mut self, batch: Vec<Finished>, written: &[(TopicName, Partition, Offset)]) {
        let ahead = batch.iter().filter(|finished| finished.item.is_none()).map(results);
        self.ahead.fetch_add(ahead.sum(), Ordering::Relaxed);
        batch.iter().for_each(|finished| self.check_progress(finished.partition));
        self.step.committed(batch, written);
    }

    fn forgotten(&mut self, partition: Partition) {
        self.step.forgotten(partition);
    }
}
