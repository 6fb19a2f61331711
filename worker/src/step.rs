//! The worker's side of a lane: items go to the crews of their partitions, outcomes come back.

use std::collections::BTreeMap;
use std::sync::Arc;

use longshore_handler::{Service, Stack};
use longshore_kafka::lane::step::{
    Assignment, Epoch, Finished, Item, Prepared, Step, StepError, Verdict,
};
use longshore_kafka::{Offset, Outgoing, Partition, Record, Refusal};
use longshore_schemas::TopicName;
use longshore_schemas::headers::ERROR_CLASS;
use metrics::counter;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::WorkerConfig;
use crate::crew::{Crew, Worked};
use crate::workshop::Workshop;

/// Works on the items of one lane.
pub struct WorkerStep {
    workshop: Arc<Workshop>,
    runtime: Handle,
    executors: usize,
    in_flight_max: usize,
    assigned: BTreeMap<Partition, Assigned>,
    prepared: Vec<Prepared>,
    /// What came of items that nobody tried.
    untried: Vec<Worked>,
    outcomes: mpsc::Receiver<Vec<Worked>>,
    sender: mpsc::Sender<Vec<Worked>>,
}

/// A partition of ours.
struct Assigned {
    epoch: Epoch,
    crew: Crew,
    /// Items taken in this turn, to be handed over together.
    taken: Vec<Arc<Item>>,
}

impl WorkerStep {
    /// Wraps the handler in its layers; its attempts run on `runtime`.
    pub fn new(config: &WorkerConfig, handler: Arc<dyn Service>, runtime: Handle) -> Self {
        let limits = &config.lane.limits;
        let in_flight_max = limits.in_flight_max.max(limits.in_flight_most);
        // Every batch holds an item in flight, so this is never full but of batches that nobody
        // waits for any more.
        let (sender, outcomes) = mpsc::channel(in_flight_max);
        let workshop = Workshop::new(
            Stack::new(handler, &config.stack_settings()),
            config.wiring.clone(),
            config.retry,
            config.concurrency,
            config.lane.group.clone(),
        );
        Self {
            workshop: Arc::new(workshop),
            runtime,
            executors: config.executors.get(),
            in_flight_max,
            assigned: BTreeMap::new(),
            prepared: Vec::new(),
            untried: Vec::new(),
            outcomes,
            sender,
        }
    }
}

impl Step for WorkerStep {
    fn assigned(&mut self, assignment: &Assignment) {
        let crew = Crew::begin(
            &self.workshop,
            &self.sender,
            self.executors,
            self.in_flight_max,
            &self.runtime,
        );
        let assigned = Assigned { epoch: assignment.epoch, crew, taken: Vec::new() };
        self.assigned.insert(assignment.partition, assigned);
        self.prepared.push(Prepared {
            partition: assignment.partition,
            epoch: assignment.epoch,
            from: assignment.position,
        });
    }

    fn prepared(&mut self) -> Result<Vec<Prepared>, StepError> {
        Ok(std::mem::take(&mut self.prepared))
    }

    /// A worker keeps nothing of finished items, so it never asks for one.
    fn replay(&mut self, _: Record) {}

    fn replayed(&mut self, _: Partition) {}

    fn take(&mut self, item: Arc<Item>) {
        let assigned = self.assigned.get_mut(&item.record.partition);
        let owner = assigned.filter(|assigned| assigned.epoch == item.epoch);
        debug_assert!(owner.is_some(), "items come of assigned partitions alone");
        if let Some(assigned) = owner {
            assigned.taken.push(item);
        }
    }

    fn give_up(&mut self, item: Arc<Item>, deaths: u32) {
        self.untried.push(self.workshop.kills(item, deaths));
    }

    fn flush(&mut self) -> Result<(), StepError> {
        for assigned in self.assigned.values_mut() {
            assigned.crew.check()?;
            assigned.crew.hand_over(std::mem::take(&mut assigned.taken))?;
        }
        Ok(())
    }

    fn collect(&mut self, outcomes: &mut Vec<Finished>) -> Result<(), StepError> {
        for worked in self.untried.drain(..) {
            outcomes.push(worked?);
        }
        while let Ok(batch) = self.outcomes.try_recv() {
            for worked in batch {
                outcomes.push(worked?);
            }
        }
        Ok(())
    }

    fn refused(&mut self, finished: &Finished, refusal: &Refusal) -> Option<Vec<Outgoing>> {
        self.workshop.refused(finished, refusal)
    }

    /// A worker's state is in the position and the finished map.
    fn state(&mut self, _: Partition, _: Offset, _: &[Finished]) -> String {
        String::new()
    }

    /// Dead letters are counted here, where each of them has been written once.
    fn committed(&mut self, batch: Vec<Finished>, _: &[(TopicName, Partition, Offset)]) {
        let failed = batch.iter().filter(|it| it.verdict == Verdict::Failed);
        for dead_letter in failed.filter_map(|finished| finished.outputs.first()) {
            let class = dead_letter.headers.text(ERROR_CLASS).unwrap_or_default();
            counter!(
                "longshore_dead_letters_total",
                "lane" => self.workshop.lane().to_owned(),
                "class" => class.to_owned(),
            )
            .increment(1);
        }
    }

    fn forgotten(&mut self, partition: Partition) {
        self.assigned.remove(&partition);
        self.prepared.retain(|prepared| prepared.partition != partition);
    }
}

#[cfg(test)]
mod tests;
