//! The transactional producer: one transactional id, and one librdkafka producer after another.

use std::collections::HashMap;
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use longshore_schemas::TopicName;
use rdkafka::TopicPartitionList;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use rustix::time::{ClockId, clock_gettime};
use tracing::debug;

use super::deliveries::DeliveryContext;
use super::native::{self, SendError};
use super::reaper::Reaper;
use super::record_size::batch_bytes;
use super::remedy_of::{Class, ClientError, Phase, is_refusal, refusal};
use crate::settings::rejected;
use crate::{Deliveries, Failure, Outgoing, ProduceError, Refusal, Remedy, Settings, Transactions};

/// A clock that goes on while the machine sleeps, as the broker's does.
#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
/// On macOS the monotonic clock is of that kind.
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

/// Given-up producers that may still be closing before another one is built.
const CLOSING_MAX: usize = 4;
/// Between two looks at the client's queue, which empties within microseconds of the last delivery.
const QUEUE_LOOK: Duration = Duration::from_micros(50);

type Native = ThreadedProducer<DeliveryContext>;

/// The real [`Transactions`]: the producer of one transactional id.
pub struct TransactionalProducer {
    settings: Settings,
    id: String,
    size_limits: HashMap<TopicName, usize>,
    state: State,
    reaper: Reaper,
}

/// How far a producer has come.
enum State {
    /// There is none: none yet, or it was given up.
    Absent,
    /// Its initialisation hasn't ended.
    Initialising(Native),
    /// It takes transactions.
    Ready(Live),
}

/// A producer that takes transactions.
struct Live {
    native: Native,
    /// Errors of brokers before it was ready: they can't concern a transaction.
    errors_before: u64,
    /// Whether every transactional call so far was answered with Ok at its first try.
    calls: Calls,
}

/// What the transactional calls of a producer have come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Calls {
    /// Each was Ok at once: no copy of a request is under way.
    Clean,
    /// One wasn't.
    Faltered,
}

impl TransactionalProducer {
    /// A producer of this transactional id. Nothing is sent before [`Transactions::ready`].
    pub fn new(settings: Settings, transactional_id: impl Into<String>) -> Result<Self, Failure> {
        settings.check()?;
        let reaper = Reaper::start().map_err(|error| no_thread(&error))?;
        Ok(Self {
            settings,
            id: transactional_id.into(),
            size_limits: HashMap::new(),
            state: State::Absent,
            reaper,
        })
    }

    /// The transactional id.
    pub fn transactional_id(&self) -> &str {
        &self.id
    }

    /// Tells the `max.message.bytes` of the topics that are written to, in bytes. A record above
    /// its topic's limit is refused at once, so that it can't spoil a batch of innocent ones. The
    /// size of batches follows with the next producer that is built.
    pub fn set_size_limits(&mut self, limits: HashMap<TopicName, usize>) {
        self.size_limits = limits;
    }

    /// Sends progress into the open transaction, under the consumer's membership at this moment.
    pub(super) fn send_offsets<C: ConsumerContext>(
        &mut self,
        consumer: &BaseConsumer<C>,
        offsets: &TopicPartitionList,
        wait: Duration,
    ) -> Result<(), Failure> {
        const CALL: &str = "send_offsets_to_transaction";
        self.live(CALL)?.transactional(|native| {
            native::send_offsets(native, consumer, offsets, wait).map_err(|error| match error {
                SendError::NoMember => no_member(CALL),
                SendError::Client(error) => error.failure(Phase::Open, CALL),
            })
        })
    }

    /// Gives a client up without waiting for it to close.
    pub(super) fn reap(&self, client: impl std::any::Any + Send) {
        self.reaper.take(client);
    }

    fn live(&mut self, call: &'static str) -> Result<&mut Live, Failure> {
        match &mut self.state {
            State::Ready(live) => Ok(live),
            State::Absent | State::Initialising(_) => Err(not_ready(call)),
        }
    }

    fn build(&self) -> Result<Native, Failure> {
        let limits: Vec<usize> = self.size_limits.values().copied().collect();
        let config = self.settings.transactional_producer(&self.id, &limits);
        let native = Native::from_config_and_context(&config, DeliveryContext::new());
        native.map_err(|error| rejected(error).into())
    }

    /// One piece of an initialisation.
    fn initialise(&mut self, native: Native, wait: Duration) -> Result<bool, Failure> {
        match native.init_transactions(wait) {
            Ok(()) => {
                let errors_before = native.context().reports.errors();
                self.state = State::Ready(Live {
                    native,
                    errors_before,
                    calls: Calls::Clean,
                });
                Ok(true)
            }
            Err(error) => {
                let failure = ready_failure(&native, error);
                if failure.remedy == Remedy::Retry {
                    debug!(id = self.id, %failure, "producer not ready yet");
                    self.state = State::Initialising(native);
                    return Ok(false);
                }
                self.reaper.take(native);
                Err(failure)
            }
        }
    }

    fn check_size(&self, output: &Outgoing) -> Result<(), Refusal> {
        let Some(&limit) = self.size_limits.get(&output.topic) else {
            return Ok(());
        };
        let bytes = batch_bytes(output);
        if bytes <= limit {
            return Ok(());
        }
        Err(Refusal {
            topic: output.topic.clone(),
            code: native::code_name(Code::MessageSizeTooLarge),
            message: format!("the record needs {bytes} bytes, and its topic takes {limit} at most"),
        })
    }
}

impl Transactions for TransactionalProducer {
    fn now(&self) -> Duration {
        let time = clock_gettime(CLOCK);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
    }

    fn ready(&mut self, wait: Duration) -> Result<bool, Failure> {
        match std::mem::replace(&mut self.state, State::Absent) {
            State::Ready(live) => {
                self.state = State::Ready(live);
                Ok(true)
            }
            State::Initialising(native) => self.initialise(native, wait),
            State::Absent if !self.reaper.wait(CLOSING_MAX, wait) => Ok(false),
            State::Absent => {
                let native = self.build()?;
                self.initialise(native, wait)
            }
        }
    }

    fn begin(&mut self) -> Result<(), Failure> {
        const CALL: &str = "begin_transaction";
        self.live(CALL)?.transactional(|native| {
            native.context().begin();
            native
                .begin_transaction()
                .map_err(|error| failure(error, Phase::Open, CALL))
        })
    }

    fn produce(&mut self, output: &Outgoing, tag: usize) -> Result<(), ProduceError> {
        self.check_size(output).map_err(ProduceError::Refused)?;
        self.live("produce")
            .map_err(ProduceError::Failed)?
            .produce(output, tag)
    }

    fn deliveries(&mut self, wait: Duration) -> Deliveries {
        match self.live("deliveries") {
            Ok(live) => live.native.context().wait(wait),
            Err(failure) => Deliveries {
                failed: Some(failure),
                ..Deliveries::default()
            },
        }
    }

    fn commit(&mut self, wait: Duration) -> Result<(), Failure> {
        const CALL: &str = "commit_transaction";
        let deadline = Instant::now() + wait;
        self.live(CALL)?.transactional(|native| {
            // The crate's own flush, which begins every commit, sleeps in steps of 100 ms while
            // anything is in the queue; with an empty one it returns at once.
            wait_for_empty_queue(native, deadline)?;
            let left = deadline.saturating_duration_since(Instant::now());
            native.commit_transaction(left).map_err(commit_failure)
        })
    }

    fn abort(&mut self, wait: Duration) -> Result<(), Failure> {
        const CALL: &str = "abort_transaction";
        self.live(CALL)?.transactional(|native| {
            native
                .abort_transaction(wait)
                .map_err(|error| failure(error, Phase::Abort, CALL))
        })
    }

    /// Errors of brokers are reported a little later than they happen, so all since the producer
    /// became ready count, and not only those since the last `begin`.
    fn tainted(&self) -> bool {
        let State::Ready(live) = &self.state else {
            return false;
        };
        let context = live.native.context();
        live.calls == Calls::Faltered
            || context.reports.errors() != live.errors_before
            || context.has_failures()
    }

    fn discard_producer(&mut self) {
        match std::mem::replace(&mut self.state, State::Absent) {
            State::Absent => {}
            State::Initialising(native) => self.reaper.take(native),
            State::Ready(live) => self.reaper.take(live.native),
        }
    }
}

impl Live {
    /// A transactional call. One that isn't Ok leaves a trace.
    fn transactional(
        &mut self,
        call: impl FnOnce(&Native) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        call(&self.native).inspect_err(|_| self.calls = Calls::Faltered)
    }

    fn produce(&self, output: &Outgoing, tag: usize) -> Result<(), ProduceError> {
        let context = self.native.context();
        context.sending();
        self.native.send(record(output, tag)).map_err(|(error, _)| {
            context.answered();
            self.produce_error(output, error)
        })
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
            error = ClientError {
                code,
                class: Class::Fatal,
                message,
            };
        } else if error.code == Code::State {
            // A transaction that has failed already takes no more records.
            error.class = Class::RequiresAbort;
        }
        ProduceError::Failed(error.failure(Phase::Open, "produce"))
    }
}

fn record(output: &Outgoing, tag: usize) -> BaseRecord<'_, [u8], [u8], usize> {
    let headers = output.headers.iter().fold(
        OwnedHeaders::new_with_capacity(output.headers.len()),
        |headers, (key, value)| {
            headers.insert(Header {
                key,
                value: value.map(|it| &**it),
            })
        },
    );
    BaseRecord {
        topic: output.topic.as_str(),
        partition: output.partition.map(|partition| partition.0),
        payload: output.value.as_deref(),
        key: output.key.as_deref(),
        timestamp: output.timestamp.map(|timestamp| timestamp.0),
        headers: (!output.headers.is_empty()).then_some(headers),
        delivery_opaque: tag,
    }
}

/// Ends when the client holds neither records nor reports about them.
fn wait_for_empty_queue(native: &Native, deadline: Instant) -> Result<(), Failure> {
    while native.in_flight_count() > 0 {
        if Instant::now() >= deadline {
            let error = ClientError {
                class: Class::Retriable,
                ..timed_out()
            };
            return Err(error.failure(Phase::Commit, "flush"));
        }
        thread::sleep(QUEUE_LOOK);
    }
    Ok(())
}

fn timed_out() -> ClientError {
    ClientError::plain(Code::OperationTimedOut)
}

fn failure(error: KafkaError, phase: Phase, call: &'static str) -> Failure {
    ClientError::from(error).failure(phase, call)
}

/// A flush that fails has sent no commit. The same call may be repeated: whether an earlier one
/// was sent, the client itself remembers.
fn commit_failure(error: KafkaError) -> Failure {
    let is_flush = matches!(error, KafkaError::Flush(_));
    let mut error = ClientError::from(error);
    if is_flush {
        error.class = Class::Retriable;
    }
    error.failure(
        Phase::Commit,
        if is_flush {
            "flush"
        } else {
            "commit_transaction"
        },
    )
}

/// A login that is refused is retried by the client for ever, but not by us.
fn ready_failure(native: &Native, error: KafkaError) -> Failure {
    let error = match native.context().reports.unauthenticated() {
        Some(message) => ClientError {
            code: Code::Authentication,
            class: Class::Plain,
            message,
        },
        None => ClientError::from(error),
    };
    error.failure(Phase::Ready, "init_transactions")
}

fn not_ready(call: &'static str) -> Failure {
    Failure {
        remedy: Remedy::Rebuild,
        call,
        code: native::code_name(Code::State),
        message: "there is no producer: it was given up, or isn't ready yet".to_owned(),
    }
}

fn no_member(call: &'static str) -> Failure {
    Failure {
        remedy: Remedy::Abort,
        call,
        code: native::code_name(Code::UnknownMemberId),
        message: "this consumer is no member of its group at the moment".to_owned(),
    }
}

pub(super) fn no_thread(error: &std::io::Error) -> Failure {
    Failure {
        remedy: Remedy::Stop,
        call: "spawn",
        code: native::code_name(Code::CriticalSystemResource),
        message: format!("no thread can be started: {error}"),
    }
}

impl fmt::Debug for TransactionalProducer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Absent => "absent",
            State::Initialising(_) => "initialising",
            State::Ready(_) => "ready",
        };
        f.debug_struct("TransactionalProducer")
            .field("id", &self.id)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn producer() -> TransactionalProducer {
        // Nothing listens on port 1 of the loopback.
        TransactionalProducer::new(Settings::new("127.0.0.1:1"), "test-0").expect("settings")
    }

    #[test]
    fn without_a_broker_a_producer_is_not_ready_and_says_so_in_time() {
        let mut producer = producer();
        let started = producer.now();
        assert_eq!(producer.ready(Duration::from_millis(200)), Ok(false));
        assert_eq!(producer.ready(Duration::from_millis(200)), Ok(false));
        assert!(producer.now() - started < Duration::from_secs(5));
        assert!(!producer.tainted(), "no transaction was begun");
    }

    #[test]
    fn giving_a_producer_up_takes_no_time() {
        let mut producer = producer();
        assert_eq!(producer.ready(Duration::from_millis(10)), Ok(false));
        let started = producer.now();
        producer.discard_producer();
        assert!(producer.now() - started < Duration::from_millis(50));
    }

    #[test]
    fn calls_without_a_producer_ask_for_one() {
        let mut producer = producer();
        let asked = producer.begin().expect_err("nothing to begin with");
        assert_eq!(
            (asked.remedy, asked.code.as_str()),
            (Remedy::Rebuild, "_STATE")
        );
        assert_eq!(
            producer.commit(Duration::ZERO).expect_err("same").remedy,
            Remedy::Rebuild
        );
        assert_eq!(
            producer
                .deliveries(Duration::ZERO)
                .failed
                .expect("same")
                .remedy,
            asked.remedy
        );
    }

    #[test]
    fn a_record_above_its_topics_limit_is_refused_with_both_sizes() {
        let mut producer = producer();
        producer.set_size_limits(HashMap::from([("small".into(), 1000)]));
        let output = Outgoing {
            topic: "small".into(),
            partition: None,
            key: None,
            value: Some(vec![0; 1000].into()),
            headers: longshore_schemas::Headers::new(),
            timestamp: None,
        };
        let Err(ProduceError::Refused(refusal)) = producer.produce(&output, 0) else {
            panic!("it must be refused");
        };
        assert_eq!(refusal.code, "MSG_SIZE_TOO_LARGE");
        assert!(refusal.message.contains("1070") && refusal.message.contains("1000"));
    }
}
