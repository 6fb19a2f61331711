//! All that a lane asks of Kafka, in the order in which it asks.

use std::time::Duration;

use longshore_schemas::TopicName;

use crate::{Failure, Offset, Partition, Record, Remedy, TopicId, Transactions};

/// The code of a failure: the topic that is read isn't the one any more that was read so far.
pub const TOPIC_MADE_ANEW: &str = "TOPIC_MADE_ANEW";

/// That failure.
pub(crate) fn topic_made_anew(before: TopicId, now: TopicId) -> Failure {
    Failure {
        remedy: Remedy::Stop,
        call: "poll",
        code: TOPIC_MADE_ANEW.to_owned(),
        message: format!(
            "the topic was deleted and made again while it was worked on (its id was {before} and \
             is {now}): nothing of the new one was read; start again to begin with it"
        ),
    }
}

/// One member of a consumer group on one topic, with one transactional id. The real client and the
/// model implement it, and both pass the contract suite.
///
/// Every call returns within its `wait` (or at once, where there is none) so that the lane keeps
/// polling. A call that answers [`crate::Remedy::Retry`] is repeated by the lane, the same call,
/// until the lane's own deadline.
pub trait Broker: Transactions {
    // ----- the group and its partitions

    /// The next event; none if nothing came within `wait`. A topic that was deleted and made again
    /// while it was read is a failure with the code [`TOPIC_MADE_ANEW`], before anything of the new
    /// one is read.
    fn poll(&mut self, wait: Duration) -> Result<Option<Polled>, Failure>;

    /// Accepts an assignment: the partitions are ours, and nothing is read from them yet.
    fn accept(&mut self, partitions: &[Partition]) -> Result<(), Failure>;

    /// Looks up committed progress (stable: open transactions are waited out) and the log's bounds;
    /// the answer comes by [`Polled::Located`], in pieces if need be. Never blocks.
    fn locate(&mut self, request: Locate);

    /// Begins to read an accepted partition at this offset.
    fn start(&mut self, partition: Partition, offset: Offset) -> Result<(), Failure>;

    /// Lets this time pass without reading: what was fetched stays where it is. For moments; who
    /// doesn't poll for long is lost to its group.
    fn rest(&mut self, wait: Duration);

    /// Stops reading for a while. Records already fetched are fetched again after
    /// [`Broker::resume`], which costs more than to [`Broker::rest`].
    fn pause(&mut self, partitions: &[Partition]) -> Result<(), Failure>;

    /// Reads on.
    fn resume(&mut self, partitions: &[Partition]) -> Result<(), Failure>;

    /// Acknowledges a revocation: from now on the partitions may belong to someone else.
    fn release(&mut self, partitions: &[Partition]) -> Result<(), Failure>;

    // ----- its transactions: see [`Transactions`]

    /// Adds progress to the open transaction, under the group membership as it is now: refused with
    /// [`crate::Remedy::Abort`] when there is none.
    fn send_progress(&mut self, progress: &[Sent], wait: Duration) -> Result<(), Failure>;
}

/// What the consumer's poll can bring.
#[derive(Clone, Debug)]
pub enum Polled {
    /// A record, in offset order within its partition since it was started.
    Record(Record),
    /// The group gave us these partitions. To be answered by [`Broker::accept`].
    Assigned(Vec<Partition>),
    /// The group takes these partitions back. To be answered by [`Broker::release`].
    Revoked {
        /// Which.
        partitions: Vec<Partition>,
        /// They belong to someone else already: nothing can be committed for them any more. A hint;
        /// the broker's refusal is the truth.
        lost: bool,
    },
    /// Everything readable was read.
    EndOfPartition {
        /// Where.
        partition: Partition,
        /// The consumer's own position: behind the last record and the markers after it.
        position: Offset,
    },
    /// The answer to [`Broker::locate`].
    Located(Located),
    /// Some partition was asked for an offset that it doesn't have, and won't be read any further.
    /// The client doesn't say which one.
    OutOfRange,
}

/// A question about partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locate {
    /// Given back with the answer.
    pub id: u64,
    /// Which partitions.
    pub partitions: Vec<Partition>,
    /// Also where this time is (milliseconds since 1970), for a group that starts at a time.
    pub time: Option<i64>,
    /// Also whether a partition without progress was begun before, by what is kept in this topic.
    pub marks: Option<TopicName>,
}

impl Locate {
    /// A question about progress and bounds alone.
    pub fn progress(id: u64, partitions: Vec<Partition>) -> Self {
        Self { id, partitions, time: None, marks: None }
    }
}

/// An answer, or why there is none.
#[derive(Clone, Debug)]
pub struct Located {
    /// The question's.
    pub id: u64,
    /// One for each partition that was asked about. Those that can't be told of yet hold up no
    /// others: they are left for another answer with the same id. Why there is none goes for all
    /// that are left, and ends the question.
    pub partitions: Result<Vec<PartitionFacts>, Failure>,
}

/// What Kafka knows of a partition and of our group's progress in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionFacts {
    /// Which.
    pub partition: Partition,
    /// Which topic it is a partition of: one that was deleted and made again is another one.
    pub topic_id: TopicId,
    /// Committed progress; none if there is none.
    pub committed: Option<Committed>,
    /// Whether the group has progress in any other partition of the topic. Asked for where
    /// `committed` is none; beside committed progress it may be false for want of asking.
    pub siblings_committed: bool,
    /// Whether the group has begun this partition although it has no progress in it: that was lost.
    /// False where it wasn't asked for.
    pub begun: bool,
    /// The first offset of the log.
    pub log_start: Offset,
    /// The end of what can be read (the last stable offset).
    pub log_end: Offset,
    /// Where the time asked for is, or the log's end if it lies behind everything.
    pub time_offset: Option<Offset>,
}

/// An offset and the metadata beside it, as the group coordinator keeps them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The committed offset: the next one to be read.
    pub offset: Offset,
    /// What stands beside it.
    pub metadata: String,
}

/// The progress of one partition, as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Which.
    pub partition: Partition,
    /// What is committed.
    pub committed: Committed,
}
