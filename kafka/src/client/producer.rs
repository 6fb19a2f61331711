//! The transactional producer: one transactional id, and one librdkafka producer after another.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use foldhash::fast::RandomState;
use longshore_schemas::TopicName;
use rdkafka::TopicPartitionList;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::producer::Producer;
use rustix::time::{ClockId, clock_gettime};
use tracing::debug;

use super::aside::Aside;
use super::deliveries::DeliveryContext;
use super::live::{Live, Native};
use super::native::{self, Membership};
use super::reaper::Reaper;
use super::record_size::batch_bytes;
use super::remedy_of::{Class, ClientError, Phase};
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
/// How long one client may take to initialise. Another one is tried then: on a cluster that has
/// changed under it, a client may wait for what never comes.
const INITIALISING_MAX: Duration = Duration::from_secs(30);
/// How long progress may take on its way into a transaction.
const PATIENCE_MAX: Duration = Duration::from_secs(30);
/// Producers whose calls never returned, before the process has to be started again.
const LEFT_BEHIND_MAX: usize = 8;

/// The real [`Transactions`]: the producer of one transactional id.
pub struct TransactionalProducer {
    settings: Settings,
    id: String,
    /// Looked up for every record.
    size_limits: HashMap<TopicName, usize, RandomState>,
    state: State,
    initialising_max: Duration,
    /// For the call that may never return, and how long it is waited for.
    aside: Aside,
    patience: Duration,
    reaper: Reaper,
}

/// How far a producer has come.
enum State {
    /// There is none: none yet, or it was given up.
    Absent,
    /// Its initialisation hasn't ended; when it began.
    Initialising(Native, Duration),
    /// It takes transactions.
    Ready(Live),
}

impl TransactionalProducer {
    /// A producer of this transactional id. Nothing is sent before [`Transactions::ready`].
    pub fn new(settings: Settings, transactional_id: impl Into<String>) -> Result<Self, Failure> {
        settings.check()?;
        // What isn't through by then comes too late: the broker has ended the transaction.
        let patience = settings.transaction_timeout.min(PATIENCE_MAX);
        let reaper = Reaper::start().map_err(|error| no_thread(&error))?;
        Ok(Self {
            settings,
            id: transactional_id.into(),
            size_limits: HashMap::default(),
            state: State::Absent,
            initialising_max: INITIALISING_MAX,
            aside: Aside::new("kafka-offsets"),
            patience,
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
        self.size_limits = limits.into_iter().collect();
    }

    /// Sends progress into the open transaction, under a membership of this moment.
    pub(super) fn send_offsets(
        &mut self,
        membership: Membership,
        offsets: TopicPartitionList,
        wait: Duration,
    ) -> Result<(), Failure> {
        let State::Ready(live) = &mut self.state else {
            return Err(not_ready("send_offsets_to_transaction"));
        };
        live.send_offsets(membership, offsets, wait, (&mut self.aside, self.patience))
    }

    /// Gives a client up without waiting for it to close.
    pub(super) fn reap(&self, client: impl Any + Send) {
        self.reaper.take(client);
    }

    /// Leaves the transactional id alone, if it is just being initialised.
    pub(super) fn stop_initialising(&mut self) {
        if matches!(self.state, State::Initialising(..)) {
            self.discard_producer();
        }
    }

    fn live(&mut self, call: &'static str) -> Result<&mut Live, Failure> {
        match &mut self.state {
            State::Ready(live) => Ok(live),
            State::Absent | State::Initialising(..) => Err(not_ready(call)),
        }
    }

    fn build(&self) -> Result<Native, Failure> {
        let limits: Vec<usize> = self.size_limits.values().copied().collect();
        let config = self.settings.transactional_producer(&self.id, &limits);
        let native = Native::from_config_and_context(&config, DeliveryContext::new());
        native.map_err(|error| rejected(error).into())
    }

    /// One piece of an initialisation that began at `since`.
    fn initialise(
        &mut self,
        native: Native,
        since: Duration,
        wait: Duration,
    ) -> Result<bool, Failure> {
        match native.init_transactions(wait) {
            Ok(()) => {
                self.state = State::Ready(Live::new(native));
                Ok(true)
            }
            Err(error) => {
                let failure = ready_failure(&native, error);
                if failure.remedy != Remedy::Retry {
                    self.reaper.take(native);
                    return Err(failure);
                }
                if self.now().saturating_sub(since) >= self.initialising_max {
                    let failure = self.took_too_long(&native, failure);
                    self.reaper.take(native);
                    return Err(failure);
                }
                debug!(id = self.id, %failure, "producer not ready yet");
                self.state = State::Initialising(native, since);
                Ok(false)
            }
        }
    }

    /// With what the client said last, which may tell what it waits for.
    fn took_too_long(&self, native: &Native, failure: Failure) -> Failure {
        let last = native.context().reports.last();
        let heard = last.map_or_else(String::new, |it| format!("; the client's last error: {it}"));
        let message = format!(
            "not ready after {:?} ({}): no coordinator of transactions answers, or an older \
             transaction of this id can't be ended, because a partition that it wrote to has no \
             leader or too few replicas in sync{heard}",
            self.initialising_max, failure.message
        );
        Failure { remedy: Remedy::Rebuild, message, ..failure }
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
            State::Initialising(native, since) => self.initialise(native, since, wait),
            State::Absent if self.aside.left_behind() >= LEFT_BEHIND_MAX => Err(worn_out()),
            State::Absent if !self.reaper.wait(CLOSING_MAX, wait) => Ok(false),
            State::Absent => {
                let native = self.build()?;
                self.initialise(native, self.now(), wait)
            }
        }
    }

    fn begin(&mut self) -> Result<(), Failure> {
        self.live("begin_transaction")?.begin()
    }

    fn produce(&mut self, output: &Outgoing, tag: usize) -> Result<(), ProduceError> {
        self.check_size(output).map_err(ProduceError::Refused)?;
        self.live("produce").map_err(ProduceError::Failed)?.produce(output, tag)
    }

    fn deliveries(&mut self, wait: Duration) -> Deliveries {
        match self.live("deliveries") {
            Ok(live) => live.deliveries(wait),
            Err(failure) => Deliveries { failed: Some(failure), ..Deliveries::default() },
        }
    }

    fn commit(&mut self, wait: Duration) -> Result<(), Failure> {
        self.live("commit_transaction")?.commit(wait)
    }

    fn abort(&mut self, wait: Duration) -> Result<(), Failure> {
        self.live("abort_transaction")?.abort(wait)
    }

    fn tainted(&self) -> bool {
        match &self.state {
            State::Absent => true,
            State::Initialising(..) => false,
            State::Ready(live) => live.is_tainted(),
        }
    }

    fn discard_producer(&mut self) {
        match std::mem::replace(&mut self.state, State::Absent) {
            State::Absent => {}
            State::Initialising(native, _) => self.reaper.take(native),
            State::Ready(live) => self.reaper.take(live),
        }
    }
}

/// A login that is refused is retried by the client for ever, but not by us.
fn ready_failure(native: &Native, error: KafkaError) -> Failure {
    let error = match native.context().reports.unauthenticated() {
        Some(message) => ClientError { code: Code::Authentication, class: Class::Plain, message },
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

/// Each of them holds connections and threads.
fn worn_out() -> Failure {
    Failure {
        remedy: Remedy::Stop,
        call: "init_transactions",
        code: native::code_name(Code::CriticalSystemResource),
        message: format!(
            "{LEFT_BEHIND_MAX} producers wait for coordinators of the group that have gone; start \
             the process again"
        ),
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
            State::Initialising(..) => "initialising",
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
    use std::time::Instant;

    use rdkafka::ClientConfig;
    use rdkafka::consumer::{BaseConsumer, Consumer};
    use rdkafka::mocking::{MockCluster, MockCoordinator};

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
    fn an_initialisation_that_does_not_end_is_given_up_for_another_and_says_why() {
        let mut producer = producer();
        producer.initialising_max = Duration::from_millis(300);
        let wait = Duration::from_millis(200);
        for _ in 0..2 {
            assert_eq!(producer.ready(wait), Ok(false), "it is given some time");
            let given_up = producer.ready(wait).expect_err("its time is up");
            assert_eq!(given_up.remedy, Remedy::Rebuild);
            // Which of its two reasons comes last depends on when it was asked.
            let reasons = ["brokers are down", "Connection refused"];
            let says_why = reasons.iter().any(|it| given_up.message.contains(it));
            assert!(says_why, "{}", given_up.message);
            assert!(producer.tainted(), "there is none");
        }
    }

    #[test]
    fn giving_a_producer_up_takes_no_time() {
        let mut producer = producer();
        assert_eq!(producer.ready(Duration::from_millis(10)), Ok(false));
        let started = producer.now();
        producer.discard_producer();
        // Closing takes seconds; what it takes to hand over is a scheduler's business.
        assert!(producer.now() - started < Duration::from_secs(1));
    }

    /// The coordinator of the group goes away, and the client never returns from the call that
    /// needs it.
    #[test]
    fn progress_whose_coordinator_has_gone_does_not_hold_the_lane() {
        let [topic, group, id] = ["items", "work", "work-0"];
        let cluster = MockCluster::new(2).expect("a mock cluster");
        cluster.create_topic(topic, 1, 2).expect("a topic");
        cluster.coordinator(MockCoordinator::Transaction(id.to_owned()), 1).expect("moves");
        cluster.coordinator(MockCoordinator::Group(group.to_owned()), 2).expect("moves");
        let consumer = member(&cluster.bootstrap_servers(), group, topic);
        let settings = Settings::new(cluster.bootstrap_servers());
        let mut producer = TransactionalProducer::new(settings, id).expect("settings");
        producer.patience = Duration::from_secs(3);
        let send = |producer: &mut TransactionalProducer| {
            while !producer.ready(Duration::from_secs(1)).expect("ready") {}
            producer.begin().expect("begins");
            let mut offsets = TopicPartitionList::new();
            offsets.add_partition_offset(topic, 0, rdkafka::Offset::Offset(1)).expect("an offset");
            let membership = Membership::of(&consumer).expect("it is a member");
            producer.send_offsets(membership, offsets, Duration::from_secs(1))
        };
        send(&mut producer).expect("the coordinator is there");
        producer.commit(Duration::from_secs(10)).expect("commits");

        cluster.broker_down(2).expect("goes down");
        let stuck = send(&mut producer).expect_err("the coordinator has gone");
        assert_eq!(stuck.remedy, Remedy::Rebuild, "{stuck}");
        assert!(producer.tainted());
        let began = producer.now();
        producer.abort(Duration::from_secs(1)).expect_err("it is stuck");
        producer.discard_producer();
        assert!(producer.now() - began < Duration::from_secs(1), "nobody waits for it");
        assert_eq!(producer.aside.left_behind(), 1);

        cluster.coordinator(MockCoordinator::Group(group.to_owned()), 1).expect("moves");
        send(&mut producer).expect("another client asks who it is now");
        producer.commit(Duration::from_secs(10)).expect("commits");
    }

    /// A consumer that has its partitions.
    fn member(servers: &str, group: &str, topic: &str) -> BaseConsumer {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", servers).set("group.id", group);
        let consumer: BaseConsumer = config.create().expect("a consumer");
        consumer.subscribe(&[topic]).expect("subscribes");
        let deadline = Instant::now() + Duration::from_secs(60);
        while consumer.assignment().expect("asks").count() == 0 {
            assert!(Instant::now() < deadline, "no assignment");
            drop(consumer.poll(Duration::from_millis(50)));
        }
        consumer
    }

    #[test]
    fn calls_without_a_producer_ask_for_one() {
        let mut producer = producer();
        let asked = producer.begin().expect_err("nothing to begin with");
        assert_eq!((asked.remedy, asked.code.as_str()), (Remedy::Rebuild, "_STATE"));
        assert_eq!(producer.commit(Duration::ZERO).expect_err("same").remedy, Remedy::Rebuild);
        assert_eq!(producer.deliveries(Duration::ZERO).failed.expect("same").remedy, asked.remedy);
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
