//! What librdkafka's errors mean for the loop: one table.
//!
//! Nobody else matches on codes, and nobody at all on messages. librdkafka itself says of a
//! transaction's errors whether to repeat the call, to abort, or to give the producer up; an error
//! of none of these kinds is treated as the last (its INTRODUCTION.md).

use longshore_schemas::TopicName;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use super::native;
use crate::{Failure, Refusal, Remedy};

/// What was going on when a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// A producer is made ready.
    Ready,
    /// A transaction is open, and its commit was not called yet.
    Open,
    /// A commit was called: it may have happened.
    Commit,
    /// An abort was called.
    Abort,
    /// The group and its partitions.
    Consume,
    /// A question about committed progress or a log's bounds.
    Lookup,
}

/// How librdkafka itself classes an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// The client is spent.
    Fatal,
    /// The transaction can only be aborted.
    RequiresAbort,
    /// The same call may be repeated.
    Retriable,
    /// Not said.
    Plain,
}

impl Class {
    pub(super) fn from_flags(fatal: bool, requires_abort: bool, retriable: bool) -> Self {
        match (fatal, requires_abort, retriable) {
            (true, _, _) => Self::Fatal,
            (_, true, _) => Self::RequiresAbort,
            (_, _, true) => Self::Retriable,
            _ => Self::Plain,
        }
    }
}

/// An error of the client, with all that the table asks of it.
#[derive(Clone, Debug)]
pub(super) struct ClientError {
    pub(super) code: Code,
    pub(super) class: Class,
    pub(super) message: String,
}

impl ClientError {
    /// An error about which only the code is known.
    pub(super) fn plain(code: Code) -> Self {
        Self { code, class: Class::Plain, message: code.to_string() }
    }

    /// The failure of `call`.
    pub(super) fn failure(self, phase: Phase, call: &'static str) -> Failure {
        Failure {
            remedy: remedy(phase, self.code, self.class),
            call,
            code: native::code_name(self.code),
            message: advised(self.code, self.message),
        }
    }
}

/// Of an error that a user can mend, and whose message doesn't say how, it is said here.
fn advised(code: Code, message: String) -> String {
    match code {
        Code::FencedInstanceId => format!(
            "this process's slot has been taken from it: by a request of its own, or of its \
             predecessor, that came late; or by another process that has the same one; {message}"
        ),
        Code::OffsetMetadataTooLarge => format!(
            "the broker takes less with an offset than the 4096 bytes that are Kafka's default: \
             set its `offset.metadata.max.bytes` to 4096 at least, then start again; {message}"
        ),
        _ => message,
    }
}

impl From<KafkaError> for ClientError {
    fn from(error: KafkaError) -> Self {
        if let KafkaError::Transaction(error) = &error {
            let class = Class::from_flags(
                error.is_fatal(),
                error.txn_requires_abort(),
                error.is_retriable(),
            );
            return Self { code: error.code(), class, message: error.string() };
        }
        // An error without a code is one of the client itself, such as a text with a nul.
        let code = match error {
            KafkaError::AdminOp(code) => code,
            _ => error.rdkafka_error_code().unwrap_or(Code::Fail),
        };
        Self { code, class: Class::Plain, message: error.to_string() }
    }
}

/// The table of remedies.
fn remedy(phase: Phase, code: Code, class: Class) -> Remedy {
    match phase {
        // Whatever it is: the commit may have happened, so nothing is done but to ask again.
        Phase::Commit if class == Class::Retriable => Remedy::Retry,
        Phase::Commit => Remedy::Rebuild,
        _ if class == Class::Retriable => Remedy::Retry,
        _ if is_beyond_repair(code) => Remedy::Stop,
        Phase::Open => remedy_of_open(code, class),
        Phase::Ready | Phase::Abort => Remedy::Rebuild,
        Phase::Lookup => Remedy::Retry,
        Phase::Consume if matches!(code, Code::AssignmentLost | Code::FencedInstanceId) => {
            Remedy::Leave
        }
        Phase::Consume => Remedy::Stop,
    }
}

fn remedy_of_open(code: Code, class: Class) -> Remedy {
    match (class, code) {
        (Class::Fatal, _) => Remedy::Rebuild,
        (Class::RequiresAbort, _)
        | (_, Code::IllegalGeneration | Code::UnknownMemberId | Code::FencedInstanceId) => {
            Remedy::Abort
        }
        (
            _,
            Code::QueueFull
            | Code::CoordinatorLoadInProgress
            | Code::CoordinatorNotAvailable
            | Code::NotCoordinator
            | Code::ConcurrentTransactions,
        ) => Remedy::Retry,
        _ => Remedy::Rebuild,
    }
}

/// Authentication and authorization, settings that a broker refuses or that refuse us, topics that
/// aren't there, a slot or an id that another process has: repeating mends none of them.
fn is_beyond_repair(code: Code) -> bool {
    matches!(
        code,
        Code::Authentication
            | Code::SaslAuthenticationFailed
            | Code::UnsupportedSASLMechanism
            | Code::IllegalSASLState
            | Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::TransactionalIdAuthorizationFailed
            | Code::UnknownTopic
            | Code::UnknownPartition
            | Code::UnknownTopicOrPartition
            | Code::InvalidTopic
            | Code::InvalidTransactionTimeout
            | Code::InvalidSessionTimeout
            | Code::InvalidGroupId
            | Code::InconsistentGroupProtocol
            | Code::GroupMaxSizeReached
            | Code::UnreleasedInstanceId
            | Code::OffsetMetadataTooLarge
            | Code::UnsupportedFeature
            | Code::UnsupportedVersion
            | Code::UnsupportedForMessageFormat
            | Code::InvalidArgument
    )
}

/// What an error event of the consumer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConsumerEvent {
    /// The client mends it by itself, and no record is lost by it.
    Passing,
    /// A partition was asked for an offset that it doesn't have, and stands still.
    OutOfRange,
    /// A topic isn't there, or a broker hasn't heard of it yet.
    TopicMissing,
    /// Nothing here mends it. An unknown code is of this kind: it might have cost a record.
    Failed,
}

/// The table of the consumer's error events.
pub(super) fn consumer_event(code: Code) -> ConsumerEvent {
    match code {
        Code::AutoOffsetReset | Code::OffsetOutOfRange | Code::LogTruncation => {
            ConsumerEvent::OutOfRange
        }
        Code::UnknownTopicOrPartition
        | Code::UnknownTopic
        | Code::UnknownPartition
        | Code::UnknownTopicId => ConsumerEvent::TopicMissing,
        _ if is_passing(code) => ConsumerEvent::Passing,
        _ => ConsumerEvent::Failed,
    }
}

/// Connections, elections, coordinators on the move, and the group's own business: the client goes
/// on where it was. `PollExceeded` is followed by a revocation.
fn is_passing(code: Code) -> bool {
    matches!(
        code,
        Code::AllBrokersDown
            | Code::BrokerTransportFailure
            | Code::Resolve
            | Code::SSL
            | Code::OperationTimedOut
            | Code::TimedOutQueue
            | Code::WaitingForCoordinator
            | Code::PollExceeded
            | Code::Unknown
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::RequestTimedOut
            | Code::BrokerNotAvailable
            | Code::ReplicaNotAvailable
            | Code::NetworkException
            | Code::CoordinatorLoadInProgress
            | Code::CoordinatorNotAvailable
            | Code::NotCoordinator
            | Code::IllegalGeneration
            | Code::UnknownMemberId
            | Code::MemberIdRequired
            | Code::RebalanceInProgress
            | Code::KafkaStorageError
            | Code::FencedLeaderEpoch
            | Code::UnknownLeaderEpoch
            | Code::OffsetNotAvailable
            | Code::ThrottlingQuotaExceeded
    )
}

/// What became of a record that was not delivered.
#[derive(Clone, Debug)]
pub(super) enum Undelivered {
    /// The topic will never take it, or never took the batch that it was in.
    Refused(Refusal),
    /// Something else went wrong, with this record or with another one of its batch.
    Failed(Failure),
}

/// The table of failed deliveries.
pub(super) fn undelivered(topic: &TopicName, error: ClientError) -> Undelivered {
    if is_refusal(error.code) {
        return Undelivered::Refused(refusal(topic, error));
    }
    let mut failure = error.clone().failure(Phase::Open, "produce");
    // A fatal error shows itself again in the next call; until then, nothing is lost by an abort.
    if failure.remedy != Remedy::Stop && !is_end_of_producer(error.code) {
        failure.remedy = Remedy::Abort;
    }
    Undelivered::Failed(failure)
}

/// The refusal of a record.
pub(super) fn refusal(topic: &TopicName, error: ClientError) -> Refusal {
    Refusal { topic: topic.clone(), code: native::code_name(error.code), message: error.message }
}

/// Whether a topic won't take a record for what the record is. A missing permission isn't that: it
/// would make a dead letter of every item.
pub(super) fn is_refusal(code: Code) -> bool {
    matches!(
        code,
        Code::MessageSizeTooLarge
            | Code::InvalidMessageSize
            | Code::MessageBatchTooLarge
            | Code::InvalidRecord
            | Code::InvalidTimestamp
    )
}

fn is_end_of_producer(code: Code) -> bool {
    matches!(
        code,
        Code::Fatal
            | Code::Fenced
            | Code::ProducerFenced
            | Code::InvalidProducerEpoch
            | Code::InvalidProducerIdMapping
            | Code::InvalidTransactionalState
            | Code::OutOfOrderSequenceNumber
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: [Class; 4] =
        [Class::Fatal, Class::RequiresAbort, Class::Retriable, Class::Plain];

    fn all(phase: Phase, code: Code) -> [Remedy; 4] {
        CLASSES.map(|class| remedy(phase, code, class))
    }

    #[test]
    fn before_the_commit_librdkafkas_class_decides() {
        use Remedy::{Abort, Rebuild, Retry};
        assert_eq!(all(Phase::Open, Code::OperationTimedOut), [Rebuild, Abort, Retry, Rebuild]);
        assert_eq!(all(Phase::Open, Code::State), [Rebuild, Abort, Retry, Rebuild]);
        assert_eq!(all(Phase::Open, Code::InvalidTransactionalState)[0], Rebuild);
        assert_eq!(all(Phase::Open, Code::InvalidProducerEpoch)[0], Rebuild);
        assert_eq!(all(Phase::Open, Code::InvalidProducerIdMapping)[0], Rebuild);
        assert_eq!(all(Phase::Open, Code::Fenced)[0], Rebuild);
    }

    #[test]
    fn a_class_that_is_not_said_is_told_by_the_code() {
        for code in [
            Code::QueueFull,
            Code::CoordinatorLoadInProgress,
            Code::ConcurrentTransactions,
            Code::NotCoordinator,
        ] {
            assert_eq!(remedy(Phase::Open, code, Class::Plain), Remedy::Retry, "{code:?}");
        }
        for code in [Code::IllegalGeneration, Code::UnknownMemberId, Code::FencedInstanceId] {
            assert_eq!(remedy(Phase::Open, code, Class::Plain), Remedy::Abort, "{code:?}");
        }
    }

    #[test]
    fn no_end_of_a_commit_is_ever_answered_with_abort() {
        use Remedy::{Rebuild, Retry};
        for code in [
            Code::OperationTimedOut,
            Code::Conflict,
            Code::IllegalGeneration,
            Code::Inconsistent,
            Code::Fenced,
            Code::Authentication,
            Code::UnknownTopicOrPartition,
        ] {
            assert_eq!(all(Phase::Commit, code), [Rebuild, Rebuild, Retry, Rebuild], "{code:?}");
        }
    }

    #[test]
    fn an_abort_that_fails_costs_the_producer() {
        use Remedy::{Rebuild, Retry};
        let remedies = all(Phase::Abort, Code::InvalidTransactionalState);
        assert_eq!(remedies, [Rebuild, Rebuild, Retry, Rebuild]);
    }

    #[test]
    fn a_lookup_is_repeated_unless_it_is_hopeless() {
        assert_eq!(remedy(Phase::Lookup, Code::UnstableOffsetCommit, Class::Plain), Remedy::Retry);
        assert_eq!(remedy(Phase::Lookup, Code::OperationTimedOut, Class::Plain), Remedy::Retry);
        assert_eq!(
            remedy(Phase::Lookup, Code::GroupAuthorizationFailed, Class::Plain),
            Remedy::Stop
        );
    }

    #[test]
    fn what_repeating_cannot_mend_stops() {
        for code in [
            Code::Authentication,
            Code::TransactionalIdAuthorizationFailed,
            Code::UnknownTopicOrPartition,
            Code::InvalidTransactionTimeout,
            Code::OffsetMetadataTooLarge,
        ] {
            for phase in [Phase::Ready, Phase::Open, Phase::Consume, Phase::Lookup] {
                for class in [Class::Fatal, Class::RequiresAbort, Class::Plain] {
                    assert_eq!(remedy(phase, code, class), Remedy::Stop, "{phase:?} {code:?}");
                }
            }
        }
    }

    #[test]
    fn a_lost_assignment_is_left() {
        assert_eq!(remedy(Phase::Consume, Code::AssignmentLost, Class::Plain), Remedy::Leave);
        assert_eq!(remedy(Phase::Consume, Code::FencedInstanceId, Class::Fatal), Remedy::Leave);
    }

    #[test]
    fn error_events_of_the_consumer_are_passing_out_of_range_or_failures() {
        use ConsumerEvent::{Failed, OutOfRange, Passing, TopicMissing};
        for (code, event) in [
            (Code::AllBrokersDown, Passing),
            (Code::BrokerTransportFailure, Passing),
            (Code::PollExceeded, Passing),
            (Code::AutoOffsetReset, OutOfRange),
            (Code::LogTruncation, OutOfRange),
            (Code::UnknownTopicOrPartition, TopicMissing),
            (Code::TopicAuthorizationFailed, Failed),
            (Code::GroupAuthorizationFailed, Failed),
            (Code::Authentication, Failed),
            (Code::FencedInstanceId, Failed),
            // A batch that can't be read may be passed over: better to stop than to lose it.
            (Code::BadMessage, Failed),
            (Code::BadCompression, Failed),
        ] {
            assert_eq!(consumer_event(code), event, "{code:?}");
        }
    }

    #[test]
    fn a_delivery_is_refused_for_what_the_record_is_and_fails_otherwise() {
        let of = |code| undelivered(&"t".into(), ClientError::plain(code));
        let remedy_of = |code| match of(code) {
            Undelivered::Failed(failure) => Some(failure.remedy),
            Undelivered::Refused(_) => None,
        };
        let forbidden = remedy_of(Code::TopicAuthorizationFailed);
        assert_eq!(forbidden, Some(Remedy::Stop), "a missing permission drains no topic");
        for code in [Code::MessageSizeTooLarge, Code::InvalidRecord] {
            assert!(matches!(of(code), Undelivered::Refused(_)), "{code:?}");
        }
        for code in [Code::MessageTimedOut, Code::PurgeQueue, Code::InvalidDifferentRecord] {
            assert_eq!(remedy_of(code), Some(Remedy::Abort), "{code:?}");
        }
        for code in [Code::Fatal, Code::InvalidProducerEpoch, Code::OutOfOrderSequenceNumber] {
            assert_eq!(remedy_of(code), Some(Remedy::Rebuild), "{code:?}");
        }
        for code in [Code::UnknownTopicOrPartition, Code::ClusterAuthorizationFailed] {
            assert_eq!(remedy_of(code), Some(Remedy::Stop), "{code:?}");
        }
    }
}
