//! Why a look at the cluster, or a change to it, failed.

use std::time::Duration;

use longshore_schemas::TopicName;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::group::GroupMember;
use crate::lane::broker::Committed;
use crate::{Partition, SettingsError};

/// What failed, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The settings are no good.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// No broker answers.
    #[error(
        "no Kafka answers at {servers}{}: {call} waited {waited:?}; start one on this machine by \
         `longshore up`, or name another by --bootstrap-server",
        reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default()
    )]
    Unreachable {
        /// The addresses that were tried.
        servers: String,
        /// What was to be done.
        call: &'static str,
        /// How long.
        waited: Duration,
        /// What the client complained of, if it did.
        reason: Option<String>,
    },
    /// There is no such topic.
    #[error(
        "topic {topic} doesn't exist at {servers}; `longshore apply` creates a pipeline's topics"
    )]
    UnknownTopic {
        /// Which.
        topic: TopicName,
        /// Where.
        servers: String,
    },
    /// A topic is there already, and it is another one than was wanted.
    #[error(
        "topic {topic} exists, but {}; delete it, change it, or use another name",
        .differences.join(", ")
    )]
    Misfit {
        /// Which.
        topic: TopicName,
        /// In what it differs.
        differences: Vec<String>,
    },
    /// A change of topics didn't become visible.
    #[error(
        "topic {topic} was {change}, but {servers} doesn't show it after {waited:?}; try again"
    )]
    Invisible {
        /// Which.
        topic: TopicName,
        /// `created` or `deleted`.
        change: &'static str,
        /// Where.
        servers: String,
        /// How long.
        waited: Duration,
    },
    /// The broker gave a setting that can't be read.
    #[error("topic {topic}: the broker says {setting}={value}, which can't be read")]
    Unreadable {
        /// Which.
        topic: TopicName,
        /// Its setting.
        setting: &'static str,
        /// As the broker gave it; empty if it gave none.
        value: String,
    },
    /// The progress of a group can't be changed while it has members: they would overwrite it.
    #[error(
        "group {group} has members{}; stop them first: they would overwrite what is written here",
        listed(members)
    )]
    GroupLive {
        /// Which.
        group: String,
        /// Its members; none if the broker refused without naming them.
        members: Vec<GroupMember>,
    },
    /// Progress isn't stable.
    #[error(
        "group {group} has progress on {topic} in a transaction that is still open after \
         {waited:?}; it ends when its owner ends it, or by its transaction timeout; try again"
    )]
    Unstable {
        /// Which.
        group: String,
        /// Of which topic.
        topic: TopicName,
        /// How long.
        waited: Duration,
    },
    /// Progress that was written isn't there.
    #[error(
        "group {group}, {topic}/{partition}: {wanted:?} was written, but {found:?} is there; \
         someone else writes progress for this group: stop it and try again"
    )]
    NotWritten {
        /// The group.
        group: String,
        /// The topic.
        topic: TopicName,
        /// The partition.
        partition: Partition,
        /// What was written.
        wanted: Committed,
        /// What is there.
        found: Option<Committed>,
    },
    /// Who writes to a partition can't be asked for.
    #[error("the producers of {topic}/{partition} can't be asked for: {reason}")]
    NoProducers {
        /// The topic.
        topic: TopicName,
        /// The partition.
        partition: Partition,
        /// Why.
        reason: String,
    },
    /// The broker refused.
    #[error("{call} of {object} at {servers} was refused: {code}")]
    Refused {
        /// What was to be done.
        call: &'static str,
        /// To what.
        object: String,
        /// Where.
        servers: String,
        /// The broker's code.
        code: RDKafkaErrorCode,
    },
    /// The client failed in another way.
    #[error("{call} of {object} failed")]
    Other {
        /// What was to be done.
        call: &'static str,
        /// To what.
        object: String,
        /// How.
        #[source]
        error: KafkaError,
    },
}

impl AdminError {
    /// Whether the same may succeed a while later, with nobody's help.
    pub fn may_pass(&self) -> bool {
        match self {
            // A broker may not have heard of a topic yet.
            Self::Unreachable { .. }
            | Self::Unstable { .. }
            | Self::Invisible { .. }
            | Self::UnknownTopic { .. } => true,
            Self::Refused { code, .. } => is_silence(*code) || is_unsettled(*code),
            Self::Other { error, .. } => is_passing(error),
            Self::Settings(_)
            | Self::Misfit { .. }
            | Self::Unreadable { .. }
            | Self::GroupLive { .. }
            | Self::NotWritten { .. }
            | Self::NoProducers { .. } => false,
        }
    }
}

/// Whether the client may do a while later what it failed to do.
pub(crate) fn is_passing(error: &KafkaError) -> bool {
    code_of(error).is_some_and(|code| is_silence(code) || is_unsettled(code))
}

/// Whether a code says that a broker is missing, or is about to hear of something.
fn is_unsettled(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::LeaderNotAvailable
            | RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::NotLeaderForPartition
            | RDKafkaErrorCode::BrokerNotAvailable
            | RDKafkaErrorCode::ReplicaNotAvailable
            | RDKafkaErrorCode::NetworkException
            | RDKafkaErrorCode::CoordinatorLoadInProgress
            | RDKafkaErrorCode::CoordinatorNotAvailable
            | RDKafkaErrorCode::NotCoordinator
            | RDKafkaErrorCode::KafkaStorageError
            | RDKafkaErrorCode::FencedLeaderEpoch
            | RDKafkaErrorCode::UnknownLeaderEpoch
            | RDKafkaErrorCode::OffsetNotAvailable
    )
}

/// Whether a code says that nobody answered, rather than that somebody refused.
pub(super) fn is_silence(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::TimedOutQueue
            | RDKafkaErrorCode::RequestTimedOut
            | RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::Resolve
    )
}

/// The code of an error. `KafkaError::rdkafka_error_code` leaves out those of admin operations.
pub(super) fn code_of(error: &KafkaError) -> Option<RDKafkaErrorCode> {
    match error {
        KafkaError::AdminOp(code) => Some(*code),
        KafkaError::Transaction(error) => Some(error.code()),
        other => other.rdkafka_error_code(),
    }
}

fn listed(members: &[GroupMember]) -> String {
    let names: Vec<_> = members.iter().map(ToString::to_string).collect();
    if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) }
}
