//! What the model's brokers answer when they refuse, and what the client makes of it.

use crate::{Failure, Remedy};

/// A code of Kafka's protocol, or (with an underscore) one of librdkafka's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// The markers of the id's last transaction are still being written.
    ConcurrentTransactions,
    /// Another producer has the id, or the broker has timed the transaction out: the same code
    /// (KIP-588 is not supported by librdkafka).
    Fenced,
    /// The transaction isn't in a state that allows this.
    InvalidTxnState,
    /// The group has moved on.
    IllegalGeneration,
    /// The group doesn't know the member, or the client knows that it is in no group.
    UnknownMemberId,
    /// Another member has the slot.
    FencedInstanceId,
    /// Above the broker's `offset.metadata.max.bytes`.
    MetadataTooLarge,
    /// No such topic, or no such partition.
    UnknownTopicOrPartition,
    /// Above the topic's `max.message.bytes`, or the producer's `message.max.bytes`.
    MessageTooLarge,
    /// A record of the transaction wasn't delivered.
    Inconsistent,
    /// Another call of the transaction is under way.
    Conflict,
    /// There was no answer yet.
    TimedOut,
    /// The client isn't in a state that allows this.
    State,
    /// Made up by a fault.
    Injected,
    /// The process is dead: a fault says so.
    Crashed,
}

impl Code {
    /// The code by its name in the client.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ConcurrentTransactions => "CONCURRENT_TRANSACTIONS",
            Self::Fenced => "_FENCED",
            Self::InvalidTxnState => "INVALID_TXN_STATE",
            Self::IllegalGeneration => "ILLEGAL_GENERATION",
            Self::UnknownMemberId => "UNKNOWN_MEMBER_ID",
            Self::FencedInstanceId => "FENCED_INSTANCE_ID",
            Self::MetadataTooLarge => "OFFSET_METADATA_TOO_LARGE",
            Self::UnknownTopicOrPartition => "UNKNOWN_TOPIC_OR_PART",
            Self::MessageTooLarge => "MSG_SIZE_TOO_LARGE",
            Self::Inconsistent => "_INCONSISTENT",
            Self::Conflict => "_CONFLICT",
            Self::TimedOut => "_TIMED_OUT",
            Self::State => "_STATE",
            Self::Injected => "INJECTED",
            Self::Crashed => "CRASHED",
        }
    }

    /// What the loop must do about it, inside a transaction.
    pub(super) fn remedy(self) -> Remedy {
        match self {
            Self::ConcurrentTransactions | Self::Conflict | Self::TimedOut => Remedy::Retry,
            Self::IllegalGeneration
            | Self::UnknownMemberId
            | Self::FencedInstanceId
            | Self::MessageTooLarge
            | Self::Inconsistent => Remedy::Abort,
            Self::Fenced | Self::InvalidTxnState | Self::State | Self::Injected => Remedy::Rebuild,
            Self::MetadataTooLarge | Self::UnknownTopicOrPartition | Self::Crashed => Remedy::Stop,
        }
    }

    /// The failure of a call with this code.
    pub(super) fn failure(self, call: &'static str) -> Failure {
        self.failure_with(call, self.remedy())
    }

    /// The same, with a remedy that the situation decides.
    pub(super) fn failure_with(self, call: &'static str, remedy: Remedy) -> Failure {
        let message = format!("the model answers {}", self.name());
        Failure { remedy, call, code: self.name().to_owned(), message }
    }
}
