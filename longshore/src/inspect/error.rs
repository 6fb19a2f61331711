//! Why a look from outside failed.

use std::io;
use std::path::PathBuf;

use longshore_coordinator::JoinStateError;
use longshore_kafka::admin::AdminError;
use longshore_kafka::reader::ReadError;
use longshore_kafka::{Offset, Partition};
use longshore_schemas::TopicName;
use thiserror::Error;

/// What failed, where, and what to do about it.
#[derive(Debug, Error)]
pub enum InspectError {
    /// A question to the cluster failed.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// A topic can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is no such partition.
    #[error("topic {topic} has no partition {partition}")]
    NoPartition {
        /// The topic.
        topic: TopicName,
        /// What was asked for.
        partition: Partition,
    },
    /// The committed state of a join isn't one.
    #[error("group {group}, {topic}/{partition}: the committed state {reason}")]
    State {
        /// The group.
        group: String,
        /// Its topic.
        topic: TopicName,
        /// The partition.
        partition: Partition,
        /// What is wrong with it.
        #[source]
        reason: JoinStateError,
    },
    /// The journal can't be read.
    #[error("journal {topic}/{partition} can't be read: {reason}")]
    Journal {
        /// The journal.
        topic: TopicName,
        /// The partition.
        partition: Partition,
        /// Why.
        reason: String,
    },
    /// More would have to be read or kept than was allowed.
    #[error("{what} stopped at {topic}/{partition}/{offset}: {limit}")]
    TooMuch {
        /// What stopped.
        what: &'static str,
        /// Where it stands.
        topic: TopicName,
        /// The partition.
        partition: Partition,
        /// The offset.
        offset: Offset,
        /// Which limit, and how to raise it.
        limit: String,
    },
    /// What an audit remembers can't be kept on disk.
    #[error(
        "the audit's state can't be kept in {}: {source}; it takes up to a hundred bytes per \
         record: name a folder with more room by --state-dir",
        folder.display()
    )]
    AuditState {
        /// Where it was to be kept.
        folder: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Progress that can't be mended without losing what it says.
    #[error("group {group}, {topic}/{partition}: {reason}")]
    Unmendable {
        /// The group.
        group: String,
        /// Its topic.
        topic: TopicName,
        /// The partition.
        partition: Partition,
        /// Why.
        reason: String,
    },
}

impl InspectError {
    /// Whether no Kafka answers.
    pub fn is_unreachable(&self) -> bool {
        let unreachable = |error: &AdminError| matches!(error, AdminError::Unreachable { .. });
        match self {
            Self::Admin(error) | Self::Read(ReadError::Admin(error)) => unreachable(error),
            _ => false,
        }
    }
}
