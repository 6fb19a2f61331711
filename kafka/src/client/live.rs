//! A producer that takes transactions: the calls of one after another, and what they leave behind.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};

use super::aside::Aside;
use super::deliveries::DeliveryContext;
use super::native::{self, Membership};
use super::producer::no_thread;
use super::remedy_of::{Class, ClientError, Phase, is_refusal, refusal};
use crate::{Deliveries, Failure, Outgoing, ProduceError, Remedy};

/// Between two looks at the client's queue, which empties within microseconds of the last delivery.
const QUEUE_LOOK: Duration = Duration::from_micros(50);

/// The client. Its own thread serves its events, so that an abort can't hang.
pub(super) type Native = ThreadedProducer<DeliveryContext>;

/// A producer that takes transactions.
pub(super) struct Live {
    /// Shared with a call that was left behind.
    native: Arc<Native>,
    /// Errors of brokers, and requests without answers, before it was ready: they can't concern a
    /// transaction.
    errors_before: u64,
    unanswered_before: u64,
    calls: Calls,
}

/// What the transactional calls of a producer have come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Calls {
    /// Each was Ok at its first try: no copy of a request is under way.
    Clean,
    /// One wasn't.
    Faltered,
}

impl Live {
    /// A client whose transactions were initialised.
    pub(super) fn new(native: Native) -> Self {
        let reports = &native.context().reports;
        let (errors_before, unanswered_before) = (reports.errors(), reports.unanswered());
        let native = Arc::new(native);
        Self { native, errors_before, unanswered_before, calls: Calls::Clean }
    }

    pub(super) fn begin(&mut self) -> Result<(), Failure> {
        self.transactional(|native| {
            native.context().begin();
            native
                .begin_transaction()
                .map_err(|error| failure(error, Phase::Open, "begin_transaction"))
        })
    }

    pub(super) fn produce(&self, output: &Outgoing, tag: usize) -> Result<(), ProduceError> {
        let context = self.native.context();
        context.sending();
        self.native.send(record(output, tag)).map_err(|(error, _)| {
            context.answered();
            self.produce_error(output, error)
        })
    }

    pub(super) fn deliveries(&self, wait: Duration) -> Deliveries {
        self.native.context().wait(wait)
    }

    /// Sends progress under a membership. Beyond `patience` the call is left behind, and the
    /// producer has to be given up.
    pub(super) fn send_offsets(
        &mut self,
        membership: Membership,
        offsets: TopicPartitionList,
        wait: Duration,
        (aside, patience): (&mut Aside, Duration),
    ) -> Result<(), Failure> {
        self.transactional(|native| {
            let native = Arc::clone(native);
            let call = move || native::send_offsets(&native, &membership, &offsets, wait);
            let answer = aside.call(patience, call).map_err(|error| no_thread(&error))?;
            let answer = answer.ok_or_else(|| stuck(patience))?;
            answer.map_err(|error| error.failure(Phase::Open, SEND_OFFSETS))
        })
    }

    pub(super) fn commit(&mut self, wait: Duration) -> Result<(), Failure> {
        let deadline = Instant::now() + wait;
        self.transactional(|native| {
            // The crate's own flush, which begins every commit, sleeps in steps of 100 ms while
            // anything is in the queue; with an empty one it returns at once.
            wait_for_empty_queue(native, deadline)?;
            let left = deadline.saturating_duration_since(Instant::now());
            native.commit_transaction(left).map_err(commit_failure)
        })
    }

    pub(super) fn abort(&mut self, wait: Duration) -> Result<(), Failure> {
        self.transactional(|native| {
            native
                .abort_transaction(wait)
                .map_err(|error| failure(error, Phase::Abort, "abort_transaction"))
        })
    }

    /// A request that was sent and not answered is sent again by the client itself, and the call is
    /// Ok all the same; so the failures of connections count too. Errors of brokers are reported a
    /// little later than they happen, so all since the producer became ready count, and not only
    /// those since the last `begin`.
    pub(super) fn is_tainted(&self) -> bool {
        let context = self.native.context();
        self.calls == Calls::Faltered
            || context.reports.unanswered() != self.unanswered_before
            || context.reports.errors() != self.errors_before
            || context.has_failures()
    }

    /// A transactional call. One that isn't Ok leaves a trace.
    fn transactional(
        &mut self,
        call: impl FnOnce(&Arc<Native>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        call(&self.native).inspect_err(|_| self.calls = Calls::Faltered)
    }

    fn produce_error(&self, output: &Outgoing, error: KafkaError) -> ProduceError {
        let mut error = ClientError::from(error);
        if error.code == Code::QueueFull {
            return ProduceError::Full;
        }
        if is_refusal(error.code) {
            return ProduceError::Refused(refusal(&output.topic, error));
        }
        if let Some((code, message)) = self.native.client().fatal_error() {
            error = ClientError { code, class: Class::Fatal, message };
        } else if error.code == Code::State {
            // A transaction that has failed already takes no more records.
            error.class = Class::RequiresAbort;
        }
        ProduceError::Failed(error.failure(Phase::Open, "produce"))
    }
}

fn record(output: &Outgoing, tag: usize) -> BaseRecord<'_, [u8], [u8], usize> {
    BaseRecord {
        topic: output.topic.as_str(),
        partition: output.partition.map(|partition| partition.0),
        payload: output.value.as_deref(),
        key: output.key.as_deref(),
        timestamp: output.timestamp.map(|timestamp| timestamp.0),
        headers: (!output.headers.is_empty()).then(|| headers(output)),
        delivery_opaque: tag,
    }
}

fn headers(output: &Outgoing) -> OwnedHeaders {
    let none = OwnedHeaders::new_with_capacity(output.headers.len());
    output.headers.iter().fold(none, |headers, (key, value)| {
        headers.insert(Header { key, value: value.map(|it| &**it) })
    })
}

/// Ends when the client holds neither records nor reports about them.
fn wait_for_empty_queue(native: &Native, deadline: Instant) -> Result<(), Failure> {
    while native.in_flight_count() > 0 {
        if Instant::now() >= deadline {
            return Err(commit_failure(KafkaError::Flush(Code::OperationTimedOut)));
        }
        thread::sleep(QUEUE_LOOK);
    }
    Ok(())
}

fn failure(error: KafkaError, phase: Phase, call: &'static str) -> Failure {
    ClientError::from(error).failure(phase, call)
}

/// A flush that fails has sent no commit. The same call may be repeated: whether an earlier one
/// was sent, the client itself remembers.
fn commit_failure(error: KafkaError) -> Failure {
    if let KafkaError::Flush(_) = error {
        let error = ClientError { class: Class::Retriable, ..error.into() };
        return error.failure(Phase::Commit, "flush");
    }
    failure(error, Phase::Commit, "commit_transaction")
}

/// The name of the call that may not return.
const SEND_OFFSETS: &str = "send_offsets_to_transaction";

fn stuck(patience: Duration) -> Failure {
    Failure {
        remedy: Remedy::Rebuild,
        call: SEND_OFFSETS,
        code: native::code_name(Code::OperationTimedOut),
        message: format!(
            "the client has not returned for {patience:?}: it waits for a coordinator of the group \
             that has gone, and is left behind"
        ),
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::ClientConfig;
    use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};

    use super::*;

    /// It knows of no broker, so nothing happens to it but what a test does.
    fn live() -> Live {
        let mut config = ClientConfig::new();
        config.set("transactional.id", "test-0");
        let native = Native::from_config_and_context(&config, DeliveryContext::new());
        Live::new(native.expect("a client"))
    }

    #[test]
    fn a_call_that_was_not_ok_taints() {
        let mut live = live();
        assert!(!live.is_tainted(), "nothing was called");
        live.begin().expect_err("its transactions were never initialised");
        assert!(live.is_tainted());
    }

    #[test]
    fn a_request_without_an_answer_taints_though_every_call_is_ok() {
        let live = live();
        let line = "b:9092/1: Timed out TxnOffsetCommitRequest in flight (after 5000ms)";
        live.native.context().reports.log(RDKafkaLogLevel::Debug, "REQTMOUT", line);
        assert!(live.is_tainted());
    }

    #[test]
    fn an_error_of_a_broker_taints() {
        let live = live();
        let error = KafkaError::Global(Code::AllBrokersDown);
        live.native.context().reports.error(&error, "1/1 brokers are down");
        assert!(live.is_tainted());
    }

    #[test]
    fn a_flush_that_fails_has_committed_nothing_and_is_repeated() {
        let failure = commit_failure(KafkaError::Flush(Code::OperationTimedOut));
        assert_eq!((failure.remedy, failure.call), (Remedy::Retry, "flush"));
    }
}
