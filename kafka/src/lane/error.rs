//! Why a lane stopped.

use longshore_schemas::TopicName;
use thiserror::Error;

use super::start::StartError;
use super::step::StepError;
use crate::{Failure, Partition, Refusal};

/// What stopped a lane. Whatever it is, nothing was committed that wasn't finished: the next owner
/// goes on from committed progress.
#[derive(Debug, Error)]
pub enum LaneError {
    /// Kafka refuses what no repetition will mend.
    #[error("topic {topic}, group {group}: {failure}")]
    Kafka {
        /// The topic that is read.
        topic: TopicName,
        /// The consumer group.
        group: String,
        /// What failed.
        failure: Failure,
    },
    /// A partition can't be taken up, or has lost what was to be read next.
    #[error("topic {topic}, group {group}, {reason}")]
    Start {
        /// The topic that is read.
        topic: TopicName,
        /// The consumer group.
        group: String,
        /// Which partition, and why.
        reason: StartError,
    },
    /// The component can't go on.
    #[error("topic {topic}, group {group}: {reason}")]
    Step {
        /// The topic that is read.
        topic: TopicName,
        /// The consumer group.
        group: String,
        /// Why.
        #[source]
        reason: StepError,
    },
    /// A dead letter was refused, so the item can neither be finished nor failed.
    #[error(
        "topic {topic}, partition {partition}: a dead letter was refused by topic {}: {} ({}); \
         raise its max.message.bytes or permit writing to it, then start again",
        refusal.topic, refusal.message, refusal.code
    )]
    DeadLetterRefused {
        /// The topic that is read.
        topic: TopicName,
        /// The item's partition.
        partition: Partition,
        /// Why.
        refusal: Refusal,
    },
    /// Another process uses the same transactional id.
    #[error(
        "topic {topic}, group {group}: fenced twice by a producer with the same transactional id: \
         another process runs in this slot; give each process a slot of its own ({failure})"
    )]
    FencedByAnother {
        /// The topic that is read.
        topic: TopicName,
        /// The consumer group.
        group: String,
        /// The second fence.
        failure: Failure,
    },
    /// The machine gives no thread.
    #[error("no thread for a lane: {0}; raise the limit of processes")]
    Thread(#[source] std::io::Error),
    /// A defect of Longshore, or a broken invariant: stopped before anything wrong was written.
    #[error("a lane panicked; the reason stands above in the log, please report it")]
    Panicked,
    /// Committed progress shows half of a transaction: a defect of the broker or of Longshore.
    #[error(
        "topic {topic}, group {group}: a commit of unknown outcome landed in some partitions and \
         not in others ({detail}); stopped rather than guess, please report this"
    )]
    TornTransaction {
        /// The topic that is read.
        topic: TopicName,
        /// The consumer group.
        group: String,
        /// What was sent and what was found.
        detail: String,
    },
}
