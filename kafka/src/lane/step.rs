//! What a component does with the records of its lane.

use std::sync::Arc;

use longshore_schemas::TopicName;

use crate::{Offset, Outgoing, Partition, Record, Refusal};

/// The component's side of a lane: the worker runs handlers, the coordinator gathers. Called on the
/// lane's thread, so nothing here blocks.
pub trait Step {
    /// A partition is taken over. The component prepares for it, on threads of its own if that
    /// takes long, and says by [`Step::prepared`] when reading may begin.
    fn assigned(&mut self, assignment: &Assignment);

    /// Partitions that have become ready to be read. Asked once a turn while some are preparing.
    fn prepared(&mut self) -> Result<Vec<Prepared>, StepError>;

    /// A record below the committed position, read again because [`Prepared::from`] asked for it.
    /// Nothing may come of it.
    fn replay(&mut self, record: Record);

    /// The replay of a partition has reached the committed position (at once, without a replay).
    fn replayed(&mut self, partition: Partition);

    /// Takes on an item. Its outcome comes back through [`Step::collect`], soon or late, once.
    fn take(&mut self, item: Arc<Item>);

    /// Gives an item up without trying it: so many processes in a row have died while they worked
    /// on it, the last ones on nothing else of its partition. Its outcome comes like any other.
    fn give_up(&mut self, item: Arc<Item>, deaths: u32);

    /// Every item of this turn was taken: work on them begins, all at once rather than one by one.
    fn flush(&mut self) -> Result<(), StepError>;

    /// Adds what has become ready to `outcomes`; waits for nothing.
    fn collect(&mut self, outcomes: &mut Vec<Finished>) -> Result<(), StepError>;

    /// What becomes of an item one of whose outputs no topic will ever take: its dead letter and
    /// whatever says that it failed. None: the item can't fail any further, and the lane stops.
    fn refused(&mut self, finished: &Finished, refusal: &Refusal) -> Option<Vec<Outgoing>>;

    /// What the next owner must know beside position and finished map, once the items in `batch`
    /// are committed and the position is `position`. Text without `:` and `,`; short.
    fn state(&mut self, partition: Partition, position: Offset, batch: &[Finished]) -> String;

    /// A transaction was committed; `written` holds the highest offset it wrote to each partition.
    fn committed(&mut self, batch: Vec<Finished>, written: &[(TopicName, Partition, Offset)]);

    /// A partition belongs to someone else: drop all of it, cancel what runs.
    fn forgotten(&mut self, partition: Partition);
}

/// A partition as it is taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Which.
    pub partition: Partition,
    /// Distinguishes this assignment from every other one of this lane.
    pub epoch: Epoch,
    /// The committed position, or where a new group starts.
    pub position: Offset,
    /// What [`Step::state`] gave for it, empty at first.
    pub state: String,
}

/// A partition that is ready to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// Which.
    pub partition: Partition,
    /// The assignment that was prepared for.
    pub epoch: Epoch,
    /// Where to read from: the committed position, or below it to replay.
    pub from: Offset,
}

/// Why a component can't go on; the lane stops with it.
pub type StepError = Box<dyn std::error::Error + Send + Sync>;

/// An assignment of a partition to this lane: outcomes of an earlier one are worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// A record to be worked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The assignment that it was read under.
    pub epoch: Epoch,
    /// The record.
    pub record: Record,
}

/// What came of an item, to be committed with its progress.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The partition whose progress it moves.
    pub partition: Partition,
    /// The assignment that it belongs to.
    pub epoch: Epoch,
    /// The item; none for what a component does of its own accord (a tick, a closing after replay).
    pub item: Option<Arc<Item>>,
    /// What is written in the transaction, in this order.
    pub outputs: Vec<Outgoing>,
    /// How it ended, for the counters.
    pub verdict: Verdict,
}

/// How an item ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Handled.
    Done,
    /// Left out on purpose.
    Skipped,
    /// Given up: its outputs are the dead letter and its failed outcome.
    Failed,
}

impl Finished {
    /// The offset that is finished by it.
    pub fn offset(&self) -> Option<Offset> {
        self.item.as_ref().map(|item| item.record.offset)
    }

    /// Bytes of all outputs.
    pub fn bytes(&self) -> usize {
        self.outputs.iter().map(Outgoing::bytes).sum()
    }

    /// About what all outputs take in memory.
    pub fn held_bytes(&self) -> usize {
        self.outputs.iter().map(Outgoing::held_bytes).sum()
    }
}
