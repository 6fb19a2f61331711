//! One inbox partition at work: records are absorbed as they come, and leave in the same order once
//! their gathers are done, so that the position never passes a record with an effect left over.
//! What a record makes due may leave ahead of it, one group at a time.

mod perform;
mod room;
mod tail;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use longshore_kafka::lane::step::{Epoch, Finished, Item, StepError, Verdict};
use longshore_kafka::{Offset, Outgoing, Partition, Record};
use longshore_schemas::records::{Closed, GroupStatus, InboxRecord};
use longshore_schemas::{Timestamp, headers};
use longshore_telemetry::TraceContext;

use crate::broker_clock::BrokerClock;
use crate::closing::Gathered;
use crate::config::JoinConfig;
use crate::gather::{Action, Closing, Gather, Hold};
use crate::journal::{JournalMark, JournalMarks};
use crate::outputs::Outputs;
use crate::spill::SpillFile;
use crate::state::JoinState;
use crate::step::Now;

/// Ticks are written no more often than this.
const TICK_INTERVAL: Duration = Duration::from_secs(1);
/// A tick whose append time is further than this from its owner's clock shows a wrong clock.
const CLOCK_SKEW_ALARM: Duration = Duration::from_secs(30);

/// The join task of one inbox partition.
pub struct JoinTask {
    config: Arc<JoinConfig>,
    partition: Partition,
    epoch: Epoch,
    owner: String,
    gather: Gather,
    marks: JournalMarks,
    /// Where payloads go that have no room in memory.
    file: SpillFile,
    /// Handed over by the lane and not yet absorbed: there was no room.
    waiting: VecDeque<Arc<Item>>,
    /// That has been told.
    is_full: bool,
    /// Gathers that are at work, and what their groups take in memory.
    closings: usize,
    closing_bytes: usize,
    /// Records read again at the take-over.
    replayed: u64,
    /// Absorbed and not yet handed to the lane, in order.
    absorbed: VecDeque<Absorbed>,
    /// Handed to the lane and not yet committed, in order: what each releases when it is.
    handed: VecDeque<Handed>,
    /// The number of the first of `absorbed`, counted from the start.
    first: u64,
    clock: BrokerClock,
    /// When the last tick of this assignment was written, by the steady clock.
    ticked: Option<Duration>,
    /// The `low` of the transaction that was built last.
    sent_low: i64,
    live: bool,
    /// A record whose gathers killed so many processes.
    deadly: Option<(Offset, u32)>,
}

/// A record with what comes of it, or a part of that which goes ahead, without the record; or what
/// belongs to no record.
struct Absorbed {
    item: Option<Arc<Item>>,
    trace: TraceContext,
    /// In the order of the effects; a gather that runs holds its place.
    outputs: Vec<Slot>,
    holds: Vec<Hold>,
}

/// What was handed to the lane and isn't committed.
enum Handed {
    /// What was absorbed, and what it releases.
    Absorbed(Vec<Hold>),
    /// A tick. While the broker is away one waits, not one for every second.
    Tick,
}

impl Handed {
    fn holds(&self) -> &[Hold] {
        match self {
            Self::Absorbed(holds) => holds,
            Self::Tick => &[],
        }
    }
}

/// A place among the outputs of a record.
enum Slot {
    Ready(Vec<Outgoing>),
    /// Its group takes so many bytes in memory.
    Gathering(usize),
}

/// A gather to be run, and where its result belongs.
pub struct Job {
    /// Which of what was absorbed.
    pub number: u64,
    /// Which of its outputs.
    pub slot: usize,
    /// The group.
    pub closing: Closing,
}

impl JoinTask {
    /// A partition of which nothing is known yet.
    pub fn new(
        config: Arc<JoinConfig>,
        (partition, epoch): (Partition, Epoch),
        marks: JournalMarks,
    ) -> Self {
        Self {
            owner: config.group.clone(),
            file: SpillFile::new(config.rules.spill_bytes_max),
            waiting: VecDeque::new(),
            is_full: false,
            closings: 0,
            closing_bytes: 0,
            replayed: 0,
            gather: Gather::new(config.rules.clone()),
            config,
            partition,
            epoch,
            marks,
            absorbed: VecDeque::new(),
            handed: VecDeque::new(),
            first: 0,
            clock: BrokerClock::default(),
            ticked: None,
            sent_low: i64::MIN,
            live: false,
            deadly: None,
        }
    }

    /// This assignment.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The gather's core, for metrics.
    pub fn gather(&self) -> &Gather {
        &self.gather
    }

    /// The replay is over: from now on, or `journal_end`, the journal grows by this owner.
    pub fn resume(&mut self, position: Offset, journal_end: i64) -> Result<Vec<Job>, StepError> {
        self.live = true;
        self.gather.replayed_to(position.0);
        self.tell_replayed();
        let effects = self.gather.resume();
        self.advance_journal(position, journal_end);
        if effects.is_empty() {
            return Ok(Vec::new());
        }
        self.perform(None, None, effects)
    }

    fn push(&mut self, item: Option<Arc<Item>>, outputs: Vec<Slot>, holds: Vec<Hold>) {
        let trace = trace_of(item.as_deref());
        self.absorbed.push_back(Absorbed { item, trace, outputs, holds });
    }

    fn outputs(&self) -> Outputs<'_> {
        Outputs { config: &self.config, partition: self.partition }
    }

    /// A gather is done.
    pub fn gathered(
        &mut self,
        (number, slot): (u64, usize),
        gathered: Gathered,
    ) -> Result<(), StepError> {
        let outputs = Outputs { config: &self.config, partition: self.partition };
        let index = usize::try_from(number - self.first)?;
        let absorbed = &mut self.absorbed[index];
        let ready = Slot::Ready(outputs.gathered(gathered, &absorbed.trace)?);
        if let Slot::Gathering(bytes) = std::mem::replace(&mut absorbed.outputs[slot], ready) {
            self.closings -= 1;
            self.closing_bytes -= bytes;
        }
        Ok(())
    }

    /// Sets a record aside that is none of ours.
    fn set_aside(&mut self, item: Arc<Item>, reason: &str) {
        let aside = self.outputs().foreign(&item.record, reason);
        self.push(Some(item), vec![Slot::Ready(vec![aside])], Vec::new());
    }

    /// What is in the spill file, in bytes.
    pub fn spilled_bytes(&self) -> usize {
        self.file.bytes()
    }

    /// Hands over what is complete, in order, and a tick if one is due.
    pub fn hand_over(&mut self, now: Now, outcomes: &mut Vec<Finished>) -> Result<(), StepError> {
        if let Some(watermark) = self.gather.watermark() {
            self.clock.read(watermark, now.steady);
        }
        if let Some(time) = self.clock.now(now.steady).filter(|_| self.live) {
            self.carry(time)?;
        }
        while self.absorbed.front().is_some_and(Absorbed::is_complete) {
            let Some(absorbed) = self.absorbed.pop_front() else {
                break;
            };
            self.first += 1;
            self.handed.push_back(Handed::Absorbed(absorbed.holds));
            let outputs = absorbed.outputs.into_iter().flat_map(Slot::into_ready).collect();
            outcomes.push(self.finished(absorbed.item, outputs));
        }
        if self.tick_is_due(now.steady) {
            self.ticked = Some(now.steady);
            self.handed.push_back(Handed::Tick);
            let tick = self.outputs().tick(now.wall, &self.owner)?;
            outcomes.push(self.finished(None, vec![tick]));
        }
        Ok(())
    }

    /// A deadline has come by the brokers' clock, and nothing that arrived has said so. The first
    /// tick of an assignment asks for the time: what was read so far may be old, and stand behind
    /// nothing else.
    fn tick_is_due(&self, steady: Duration) -> bool {
        let waits = self.handed.iter().any(|handed| matches!(handed, Handed::Tick));
        if !self.live || waits || !self.waiting.is_empty() {
            return false;
        }
        let (deadline, time) = (self.gather.next_deadline(), self.clock.now(steady));
        match self.ticked {
            None => deadline.is_some(),
            Some(ticked) => {
                let due = deadline.is_some_and(|deadline| Some(deadline) <= time);
                due && steady >= ticked + TICK_INTERVAL
            }
        }
    }

    fn finished(&self, item: Option<Arc<Item>>, outputs: Vec<Outgoing>) -> Finished {
        Finished {
            partition: self.partition,
            epoch: self.epoch,
            item,
            outputs,
            verdict: Verdict::Done,
        }
    }

    /// What the next owner must know once the first `count` outcomes that were handed over are
    /// committed.
    pub fn state(&mut self, position: Offset, count: usize) -> JoinState {
        let leaving: BTreeSet<Hold> =
            self.handed.iter().take(count).flat_map(Handed::holds).cloned().collect();
        let low = self.gather.low(position.0, &leaving);
        self.sent_low = low;
        let (journal, watermark) =
            self.marks.at(low).map(|mark| (mark.end, mark.watermark)).unwrap_or_default();
        JoinState { low, journal, watermark }
    }

    /// The first `count` outcomes that were handed over are committed, and the journal has come to
    /// `journal_end`.
    pub fn committed(&mut self, count: usize, next: Offset, journal_end: Option<i64>) {
        if count > 0 {
            self.marks.prune(self.sent_low);
        }
        for handed in self.handed.drain(..count.min(self.handed.len())) {
            handed.holds().iter().for_each(|hold| self.gather.settled(hold));
        }
        if let Some(end) = journal_end {
            self.advance_journal(next, end);
        }
    }

    fn advance_journal(&mut self, next: Offset, end: i64) {
        let watermark = self.gather.watermark().unwrap_or_default();
        self.marks.advance(JournalMark { from: next.0, end, watermark });
    }
}

fn trace_of(item: Option<&Item>) -> TraceContext {
    match item {
        Some(item) => TraceContext::read(|name| item.record.headers.text(name)),
        None => TraceContext::root(),
    }
}

impl Absorbed {
    fn is_complete(&self) -> bool {
        self.outputs.iter().all(|slot| matches!(slot, Slot::Ready(_)))
    }
}

impl Slot {
    fn into_ready(self) -> Vec<Outgoing> {
        match self {
            Self::Ready(outputs) => outputs,
            Self::Gathering(_) => Vec::new(),
        }
    }
}

fn count(config: &JoinConfig, action: &Action) {
    let name = match action {
        Action::Close(closing) => return count_closed(config, &closing.closed),
        Action::Late(_) => "longshore_late_parts_total",
        Action::Conflict(_) => "longshore_conflicting_parts_total",
        Action::Orphan(_) => "longshore_orphan_parts_total",
        Action::Carry(_) => "longshore_carried_groups_total",
        Action::Cancel(_) => return,
    };
    metrics::counter!(name, "join" => config.join.to_string()).increment(1);
}

/// Also tells how long the group was open, by the broker's clock.
fn count_closed(config: &JoinConfig, closed: &Closed) {
    let left = closed.deadline.since(closed.watermark);
    let result = match closed.status {
        GroupStatus::Complete => "complete",
        GroupStatus::Partial => "partial",
        GroupStatus::Failed => "failed",
    };
    let join = config.join.to_string();
    metrics::histogram!("longshore_group_wait_seconds", "join" => join, "result" => result)
        .record(config.rules.timeout.saturating_sub(left));
}

fn decode(record: &Record) -> Result<InboxRecord, String> {
    let value = record.value.as_ref().ok_or("a record without a value")?;
    InboxRecord::decode(value).map_err(|error| error.to_string())
}

/// The broker's clock: inboxes are written with LogAppendTime.
fn appended(record: &Record) -> Timestamp {
    record.timestamp.unwrap_or_default()
}

fn check_clock(record: &InboxRecord, appended: Timestamp) {
    let InboxRecord::Tick(tick) = record else {
        return;
    };
    let skew = tick.at.since(appended).max(appended.since(tick.at));
    if skew > CLOCK_SKEW_ALARM {
        tracing::error!(?skew, owner = tick.owner, header = headers::ORIGIN, "a clock is wrong");
    }
}

#[cfg(test)]
mod tests;
