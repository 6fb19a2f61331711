//! The join as a lane's component: assignments, records and commits go to their partition's task,
//! gathers run on tokio.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use longshore_kafka::lane::step::{
    Assignment, Epoch, Finished, Item, Prepared, Step, StepError, Verdict,
};
use longshore_kafka::{Offset, Outgoing, Partition, Record, Refusal};
use longshore_schemas::{Timestamp, TopicName};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::closing::{Block, Gathered, ReadBack, gather};
use crate::config::JoinConfig;
use crate::journal::{JournalFrom, JournalMark, JournalMarks, JournalRead};
use crate::state::JoinState;
use crate::task::{Job, JoinTask};

/// Begins to read a partition of the journal, without blocking; the answer comes once, or not at
/// all if it isn't wanted any more.
pub type ReadJournal =
    dyn Fn(Partition, JournalFrom, JournalAnswer, CancellationToken) + Send + Sync;

/// Takes what the journal says, on whatever thread.
pub type JournalAnswer = Box<dyn FnOnce(Result<JournalRead, StepError>) + Send>;

/// What an owner's clocks say.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// The time since some moment, by a clock that nobody sets.
    pub steady: Duration,
    /// By the clock of its machine, which may be wrong. It is told in ticks, and decides nothing.
    pub wall: Timestamp,
}

/// An owner's clocks.
pub type Clocks = dyn Fn() -> Now + Send + Sync;

/// How often gauges are set: their names are put together anew each time.
const OBSERVE_INTERVAL: Duration = Duration::from_secs(1);

/// The coordinator's side of its lane.
pub struct JoinStep {
    config: Arc<JoinConfig>,
    runtime: Handle,
    read_journal: Arc<ReadJournal>,
    clocks: Arc<Clocks>,
    permits: Arc<Semaphore>,
    read_back: Arc<ReadBack>,
    assignments: BTreeMap<Partition, Assigned>,
    events: Receiver<Event>,
    sender: Sender<Event>,
    prepared: Vec<Prepared>,
    /// When the gauges were set last, by the steady clock.
    observed: Option<Duration>,
    /// What went wrong where the lane doesn't ask; told at its next question.
    failed: Option<StepError>,
}

/// A partition from its assignment on.
struct Assigned {
    epoch: Epoch,
    position: Offset,
    /// Behind the last record that was absorbed.
    next: Offset,
    journal_end: i64,
    task: Option<JoinTask>,
    gathers: Vec<AbortHandle>,
    /// Ends the reading of its journal, when it is given back.
    reading: DropGuard,
}

/// What comes back from other threads.
enum Event {
    JournalRead(Partition, Epoch, JoinState, Result<JournalRead, StepError>),
    Gathered(Partition, Epoch, (u64, usize), Result<Box<Gathered>, StepError>),
}

impl JoinStep {
    /// A join without partitions so far; its gathers run on `runtime`.
    pub fn new(
        config: JoinConfig,
        runtime: Handle,
        read_journal: Arc<ReadJournal>,
        clocks: Arc<Clocks>,
    ) -> Self {
        let (sender, events) = channel();
        Self {
            permits: Arc::new(Semaphore::new(config.concurrency)),
            read_back: Arc::new(ReadBack::new(config.rules.open_bytes_max)),
            config: Arc::new(config),
            runtime,
            read_journal,
            clocks,
            assignments: BTreeMap::new(),
            events,
            sender,
            prepared: Vec::new(),
            observed: None,
            failed: None,
        }
    }

    /// The same where files are read as `block` says.
    pub fn blocking_by(mut self, block: Arc<Block>) -> Self {
        self.read_back = ReadBack::blocking_by(block, self.config.rules.open_bytes_max).into();
        self
    }

    fn take_events(&mut self) -> Result<(), StepError> {
        while let Ok(event) = self.events.try_recv() {
            match event {
                Event::JournalRead(partition, epoch, state, read) => {
                    if self.owns(partition, epoch) {
                        self.recall(partition, state, read?)?;
                    }
                }
                Event::Gathered(partition, epoch, place, gathered) => {
                    if let Some(task) = self.task(partition).filter(|task| task.epoch() == epoch) {
                        task.gathered(place, *gathered?)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads what the last owner left, and the journal that belongs to it.
    fn take_up(
        &self,
        partition: Partition,
        epoch: Epoch,
        (position, state): (Offset, &str),
        unwanted: CancellationToken,
    ) -> Result<(), StepError> {
        let (sender, config) = (self.sender.clone(), Arc::clone(&self.config));
        let fresh = state.is_empty();
        let (state, from) = if fresh {
            let state = JoinState { low: position.0, journal: 0, watermark: Default::default() };
            (state, JournalFrom { offset: 0, since: None })
        } else {
            let state = state.parse::<JoinState>()?;
            let since = state.watermark.minus(config.rules.closed_retention);
            let from = JournalFrom { offset: state.journal, since: Some(since) };
            (state, from)
        };
        let answer = move |read: Result<JournalRead, StepError>| {
            let read = read.and_then(|read| {
                if fresh { refuse_old_journal(&config, partition, read) } else { Ok(read) }
            });
            // Without a receiver the lane has ended.
            let _ = sender.send(Event::JournalRead(partition, epoch, state, read));
        };
        (self.read_journal)(partition, from, Box::new(answer), unwanted);
        Ok(())
    }

    /// The journal is known: the replay may begin.
    fn recall(
        &mut self,
        partition: Partition,
        state: JoinState,
        read: JournalRead,
    ) -> Result<(), StepError> {
        let Some(assigned) = self.assignments.get_mut(&partition) else {
            return Ok(());
        };
        let JoinState { low, journal, watermark } = state;
        let marks = JournalMarks::new(JournalMark { from: low, end: journal, watermark });
        let mut task = JoinTask::new(Arc::clone(&self.config), (partition, assigned.epoch), marks);
        task.recall(watermark, read.records)?;
        assigned.task = Some(task);
        assigned.journal_end = read.end;
        self.prepared.push(Prepared {
            partition,
            epoch: assigned.epoch,
            from: Offset(state.low).min(assigned.position),
        });
        Ok(())
    }

    fn owns(&self, partition: Partition, epoch: Epoch) -> bool {
        self.assignments.get(&partition).is_some_and(|assigned| assigned.epoch == epoch)
    }

    fn task(&mut self, partition: Partition) -> Option<&mut JoinTask> {
        self.assignments.get_mut(&partition)?.task.as_mut()
    }

    fn run(&mut self, partition: Partition, jobs: Result<Vec<Job>, StepError>) {
        let jobs = match jobs {
            Ok(jobs) => jobs,
            Err(reason) => {
                self.failed.get_or_insert(reason);
                return;
            }
        };
        let Some(assigned) = self.assignments.get_mut(&partition) else {
            return;
        };
        assigned.gathers.retain(|gather| !gather.is_finished());
        for Job { number, slot, closing } in jobs {
            let (config, permits) = (Arc::clone(&self.config), Arc::clone(&self.permits));
            let (sender, epoch) = (self.sender.clone(), assigned.epoch);
            let read_back = Arc::clone(&self.read_back);
            let gather = self.runtime.spawn(async move {
                let _permit = permits.acquire().await;
                let gathered = gather(config, &read_back, closing, partition.0).await.map(Box::new);
                // Without a receiver the lane has ended, and the group with it.
                let _ = sender.send(Event::Gathered(partition, epoch, (number, slot), gathered));
            });
            assigned.gathers.push(gather.abort_handle());
        }
    }

    /// Sets the gauges, now and then.
    fn observe(&mut self, now: Duration) {
        if self.observed.is_some_and(|observed| now < observed + OBSERVE_INTERVAL) {
            return;
        }
        self.observed = Some(now);
        let tasks = || self.assignments.values().filter_map(|assigned| assigned.task.as_ref());
        let open: usize = tasks().map(|task| task.gather().open_count()).sum();
        metrics::gauge!("longshore_open_groups", "join" => self.config.join.to_string())
            .set(open as f64);
        let spilled: usize = tasks().map(JoinTask::spilled_bytes).sum();
        metrics::gauge!("longshore_spilled_bytes", "join" => self.config.join.to_string())
            .set(spilled as f64);
    }

    fn absorb_waiting(&mut self) {
        let waits = |assigned: &Assigned| assigned.task.as_ref().is_some_and(JoinTask::waits);
        let waiting: Vec<Partition> =
            self.assignments.iter().filter(|it| waits(it.1)).map(|it| *it.0).collect();
        for partition in waiting {
            let jobs = self.task(partition).map(JoinTask::absorb_waiting);
            self.run(partition, jobs.unwrap_or_else(|| Ok(Vec::new())));
        }
    }
}

impl Step for JoinStep {
    fn assigned(&mut self, assignment: &Assignment) {
        let &Assignment { partition, epoch, position, ref state } = assignment;
        let unwanted = CancellationToken::new();
        let assigned = Assigned {
            epoch,
            position,
            next: position,
            journal_end: 0,
            task: None,
            gathers: Vec::new(),
            reading: unwanted.clone().drop_guard(),
        };
        self.assignments.insert(partition, assigned);
        if let Err(reason) = self.take_up(partition, epoch, (position, state), unwanted) {
            self.failed.get_or_insert(reason);
        }
    }

    fn prepared(&mut self) -> Result<Vec<Prepared>, StepError> {
        self.take_events()?;
        Ok(std::mem::take(&mut self.prepared))
    }

    fn replay(&mut self, record: Record) {
        let replayed = self.task(record.partition).map_or(Ok(()), |task| task.replay(&record));
        if let Err(reason) = replayed {
            self.failed.get_or_insert(reason);
        }
    }

    fn replayed(&mut self, partition: Partition) {
        let Some(assigned) = self.assignments.get_mut(&partition) else {
            return;
        };
        let (position, end) = (assigned.position, assigned.journal_end);
        let Some(task) = &mut assigned.task else {
            return;
        };
        let jobs = task.resume(position, end);
        self.run(partition, jobs);
    }

    fn take(&mut self, item: Arc<Item>) {
        let partition = item.record.partition;
        let Some(assigned) = self.assignments.get_mut(&partition) else {
            return;
        };
        assigned.next = item.record.offset.next();
        let Some(task) = &mut assigned.task else {
            return;
        };
        let jobs = task.absorb(item);
        self.run(partition, jobs);
    }

    /// What the record closes has a FAILED result: its gather isn't called.
    fn give_up(&mut self, item: Arc<Item>, deaths: u32) {
        let partition = item.record.partition;
        let Some(assigned) = self.assignments.get_mut(&partition) else {
            return;
        };
        assigned.next = item.record.offset.next();
        let Some(task) = &mut assigned.task else {
            return;
        };
        let jobs = task.give_up(item, deaths);
        self.run(partition, jobs);
    }

    /// What the turn's records close is under way already.
    fn flush(&mut self) -> Result<(), StepError> {
        self.failed.take().map_or(Ok(()), Err)
    }

    fn collect(&mut self, outcomes: &mut Vec<Finished>) -> Result<(), StepError> {
        self.take_events()?;
        self.absorb_waiting();
        let now = (self.clocks)();
        for assigned in self.assignments.values_mut() {
            if let Some(task) = &mut assigned.task {
                task.hand_over(now, outcomes)?;
            }
        }
        self.observe(now.steady);
        Ok(())
    }

    /// A result that no topic takes is written again as FAILED, without its payload. A second
    /// refusal stops the lane.
    fn refused(&mut self, finished: &Finished, refusal: &Refusal) -> Option<Vec<Outgoing>> {
        if finished.verdict == Verdict::Failed {
            return None;
        }
        crate::refused::without_payload(&self.config, &finished.outputs, refusal)
    }

    fn state(&mut self, partition: Partition, position: Offset, batch: &[Finished]) -> String {
        let count = batch.iter().filter(|finished| finished.partition == partition).count();
        let state = self.task(partition).map(|task| task.state(position, count));
        state.map(|state| state.to_string()).unwrap_or_default()
    }

    fn committed(&mut self, batch: Vec<Finished>, written: &[(TopicName, Partition, Offset)]) {
        for (&partition, assigned) in &mut self.assignments {
            let Some(task) = &mut assigned.task else {
                continue;
            };
            let mine = |finished: &&Finished| {
                finished.partition == partition && finished.epoch == assigned.epoch
            };
            let count = batch.iter().filter(mine).count();
            let journal = written
                .iter()
                .find(|(topic, at, _)| *topic == self.config.topics.journal && *at == partition);
            let end = journal.map(|(_, _, offset)| offset.next().0);
            task.committed(count, assigned.next, end);
        }
    }

    fn forgotten(&mut self, partition: Partition) {
        if let Some(Assigned { gathers, reading: _reading, .. }) =
            self.assignments.remove(&partition)
        {
            gathers.iter().for_each(AbortHandle::abort);
        }
    }
}

/// A journal without progress: the group's offsets are gone, and with them what it had closed.
fn refuse_old_journal(
    config: &JoinConfig,
    partition: Partition,
    read: JournalRead,
) -> Result<JournalRead, StepError> {
    if read.records.is_empty() {
        return Ok(read);
    }
    Err(format!(
        "join {}: group {} has no committed progress in partition {partition} of {}, but its \
         journal {} holds {} records: results would be written twice; delete inbox and journal, \
         then `longshore apply`, to begin anew",
        config.join,
        config.group,
        config.topics.inbox,
        config.topics.journal,
        read.records.len(),
    )
    .into())
}

#[cfg(test)]
mod tests;
