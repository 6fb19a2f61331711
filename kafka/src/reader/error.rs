//! Why a topic can't be read.

use std::error::Error;
use std::iter;
use std::time::Duration;

use longshore_schemas::TopicName;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::admin::{AdminError, is_passing};
use crate::{Offset, Partition};

/// What failed, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A question to the cluster failed.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// There is no such partition.
    #[error("topic {topic} has no partition {partition}")]
    NoPartition {
        /// The topic.
        topic: TopicName,
        /// The partition that was asked for.
        partition: Partition,
    },
    /// Retention, or someone, has deleted what was to be read.
    #[error(
        "{topic}/{partition} begins at offset {log_start}, and was to be read from {from}: what \
         lay between is deleted"
    )]
    Expired {
        /// The topic.
        topic: TopicName,
        /// The partition.
        partition: Partition,
        /// Where reading was to begin.
        from: Offset,
        /// The first offset that is still there.
        log_start: Offset,
    },
    /// The log is shorter than it was.
    #[error(
        "{topic}/{partition} ends at offset {end}, and was to be read from {from}: it was \
         truncated, or the topic was made anew"
    )]
    Truncated {
        /// The topic.
        topic: TopicName,
        /// The partition.
        partition: Partition,
        /// Where reading was to begin.
        from: Offset,
        /// Its end.
        end: Offset,
    },
    /// The log lost, while it was read, what was to be read next.
    #[error(
        "topic {topic} was truncated or cut off by its retention while it was read; read again"
    )]
    OutOfRange {
        /// The topic.
        topic: TopicName,
    },
    /// A committed reader can't get past an open transaction.
    #[error(
        "{topic}/{partition}: a transaction that began at offset {stable_end} is still open after \
         {waited:?}, and holds back what was written up to {end}; it ends when its owner ends it, \
         or by its transaction timeout"
    )]
    OpenTransaction {
        /// The topic.
        topic: TopicName,
        /// The partition.
        partition: Partition,
        /// The last stable offset: where the oldest open transaction began.
        stable_end: Offset,
        /// Where reading was to end.
        end: Offset,
        /// How long nothing came.
        waited: Duration,
    },
    /// Nothing comes, and nothing explains why.
    #[error(
        "{topic}/{partition}: nothing came for {waited:?} at offset {position}, before its end \
         {end}; look at the broker's health"
    )]
    Stalled {
        /// The topic.
        topic: TopicName,
        /// The partition.
        partition: Partition,
        /// Where reading stands.
        position: Offset,
        /// Where reading was to end.
        end: Offset,
        /// How long nothing came.
        waited: Duration,
    },
    /// The client failed.
    #[error("topic {topic} can't be read")]
    Client {
        /// The topic.
        topic: TopicName,
        /// How.
        #[source]
        error: KafkaError,
    },
}

impl ReadError {
    /// What is wrong, with all that caused it and wasn't said yet: the client's errors name their
    /// own causes.
    pub fn with_causes(&self) -> String {
        let causes = iter::successors(self.source(), |&cause| cause.source());
        causes.map(ToString::to_string).fold(self.to_string(), |told, cause| {
            if told.contains(&cause) { told } else { format!("{told}: {cause}") }
        })
    }

    /// Whether it may read the same a while later, with nobody's help: brokers come back, and open
    /// transactions end.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Admin(error) => error.may_pass(),
            Self::Client { error, .. } => is_passing(error),
            Self::OpenTransaction { .. } | Self::Stalled { .. } | Self::OutOfRange { .. } => true,
            Self::NoPartition { .. } | Self::Expired { .. } | Self::Truncated { .. } => false,
        }
    }

    /// What an error of the client's poll means; none if the client mends it by itself.
    pub(super) fn of(topic: &TopicName, error: KafkaError) -> Option<Self> {
        let topic = topic.clone();
        match error {
            KafkaError::MessageConsumption(RDKafkaErrorCode::AutoOffsetReset) => {
                Some(Self::OutOfRange { topic })
            }
            KafkaError::MessageConsumption(
                RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownPartition
                | RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::SaslAuthenticationFailed
                | RDKafkaErrorCode::Authentication,
            )
            | KafkaError::MessageConsumptionFatal(_) => Some(Self::Client { topic, error }),
            error => {
                tracing::debug!(%topic, %error, "the client goes on after an error");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_with_its_causes_each_once() {
        let (topic, code) = (TopicName::from("t"), RDKafkaErrorCode::TopicAuthorizationFailed);
        let refused = || KafkaError::MessageConsumption(code);
        let client = ReadError::Client { topic, error: refused() };
        let told = client.with_causes();
        assert_eq!(told, format!("topic t can't be read: {}", refused()));
        let (call, object) = ("list offsets", "t".to_owned());
        let admin = ReadError::Admin(AdminError::Other { call, object, error: refused() });
        assert_eq!(admin.with_causes(), format!("list offsets of t failed: {}", refused()));
        assert!(!client.may_pass() && !admin.may_pass());
    }
}
