//! The real [`Broker`]: the consumer, the producer and the lookups of one lane.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use longshore_schemas::TopicName;
use rdkafka::{ClientConfig, TopicPartitionList};
use tracing::warn;

use super::consumer::{Event, LaneConsumer};
use super::locator::Locator;
use super::lookup::Lookup;
use super::producer::TransactionalProducer;
use super::taken_slot::{FENCED_INSTANCE_ID, Slot, TakenSlot};
use super::watch::Watch;
use crate::lane::broker::{Broker, Locate, Polled, Sent};
use crate::{
    Deliveries, Failure, Offset, Outgoing, Partition, ProduceError, Remedy, Settings, Transactions,
};

/// How long connecting waits for a broker to answer.
const CONNECT_WAIT: Duration = Duration::from_secs(30);
/// How long a topic that was there may be missing: a broker that has just come up may not have
/// heard of it yet.
const MISSING_MAX: Duration = Duration::from_secs(5);
/// The code of the failure by which a lane hears that it has lost all that it held.
pub const MEMBERSHIP_LOST: &str = "MEMBERSHIP_LOST";

/// Which lane connects, and where to.
#[derive(Clone, Debug)]
pub struct BrokerOptions {
    /// How to reach Kafka.
    pub settings: Settings,
    /// The topic that is read.
    pub topic: TopicName,
    /// The consumer group.
    pub group: String,
    /// A name that a restarted process takes on again: it is then a static member of the group
    /// (KIP-345), and its predecessor's partitions pass to it at once. At most one process may have
    /// it at a time: of two, the first hears that it has lost all that it held, and stops when the
    /// second one is still there after twice a session and ten seconds. None: a member like any
    /// other.
    pub slot: Option<String>,
    /// The transactional id: `{group}-{slot}-{n}`, or with something random for the slot.
    pub transactional_id: String,
}

/// A lane's connection to Kafka.
pub struct KafkaBroker {
    topic: TopicName,
    /// How a consumer is made.
    consumer_config: ClientConfig,
    consumer: LaneConsumer,
    slot: Option<Slot>,
    /// While somebody else has the slot. The consumer is closed meanwhile.
    taken_slot: Option<TakenSlot>,
    producer: TransactionalProducer,
    locator: Locator,
    /// Asked where marks are to be read too, which may take longer: what a lane that is at work
    /// waits for doesn't wait behind that.
    marks_locator: Locator,
    missing: Option<Missing>,
    _watch: Watch,
    lookup: Arc<Lookup>,
}

/// A topic that isn't found any more.
struct Missing {
    since: Instant,
    failure: Failure,
}

impl KafkaBroker {
    /// Connects: waits until a broker answers and the topic is found, then joins the group.
    ///
    /// # Errors
    /// Unusable settings, no broker, no such topic, no permission: each with [`Remedy::Stop`].
    pub fn connect(options: BrokerOptions) -> Result<Self, Failure> {
        let BrokerOptions { settings, topic, group, slot, transactional_id } = options;
        settings.check()?;
        let lookup = Lookup::new(&settings, &group, topic.clone())?;
        lookup.await_topic(CONNECT_WAIT).map_err(|failure| unreachable(failure, &settings))?;
        let lookup = Arc::new(lookup);
        let locator = Locator::start(Arc::clone(&lookup))?;
        let marks_locator = Locator::start(Arc::clone(&lookup))?;
        let member = settings.lane_consumer(&group, None);
        let watch = Watch::start(Arc::clone(&lookup), group.clone(), member)?;
        let config = settings.lane_consumer(&group, slot.as_deref());
        let session = settings.session_timeout;
        let slot = slot.map(|name| Slot { group, name, session });
        let producer = TransactionalProducer::new(settings, transactional_id)?;
        let consumer = LaneConsumer::subscribe(&config, topic.clone())?;
        Ok(Self {
            topic,
            consumer_config: config,
            consumer,
            slot,
            taken_slot: None,
            producer,
            locator,
            marks_locator,
            missing: None,
            _watch: watch,
            lookup,
        })
    }

    /// Tells the `max.message.bytes` of the topics that are written to: see
    /// [`TransactionalProducer::set_size_limits`].
    pub fn set_size_limits(&mut self, limits: HashMap<TopicName, usize>) {
        self.producer.set_size_limits(limits);
    }

    /// Leaves the group (a static member keeps its place until its session times out) and closes
    /// all connections. Takes a few seconds at most; so does dropping.
    pub fn close(self) {
        drop(self);
    }

    /// Gives the consumer up, and all that it holds. What it had to say of its topic is forgotten.
    fn close_consumer(&mut self) {
        self.missing = None;
        if let Some(consumer) = self.consumer.close() {
            self.producer.reap(consumer);
        }
    }

    /// Joins the group by another consumer.
    fn join_anew(&mut self) -> Result<(), Failure> {
        self.consumer = LaneConsumer::subscribe(&self.consumer_config, self.topic.clone())?;
        Ok(())
    }

    /// Gives everything up that was held under a membership that others have had since.
    fn lose_membership(&mut self) -> Result<Failure, Failure> {
        self.close_consumer();
        self.join_anew()?;
        Ok(Failure {
            remedy: Remedy::Leave,
            call: "poll",
            code: MEMBERSHIP_LOST.to_owned(),
            message: "the group lost this member during a rebalance and took it in again: what it \
                      held may have been others' since"
                .to_owned(),
        })
    }

    /// Gives everything up, and waits until nobody has the slot.
    fn lose_slot(&mut self, slot: Slot) -> Result<Failure, Failure> {
        self.close_consumer();
        self.producer.stop_initialising();
        let message = format!(
            "slot {} of group {} was taken from this process: by another one that has it too, or \
             by a request of its own, or of its predecessor, that came late; joins again when \
             nobody has it",
            slot.name, slot.group
        );
        self.taken_slot = Some(TakenSlot::watch(slot, Arc::clone(&self.lookup))?);
        let code = FENCED_INSTANCE_ID.to_owned();
        Ok(Failure { remedy: Remedy::Leave, call: "poll", code, message })
    }

    /// What was lost by no call of the lane's. All that it holds is gone by the time it is told.
    fn loss(&mut self) -> Result<(), Failure> {
        if self.taken_slot.is_some() {
            return Ok(());
        }
        match &self.slot {
            Some(slot) if self.consumer.is_fenced() => {
                let slot = slot.clone();
                Err(self.lose_slot(slot)?)
            }
            _ if self.consumer.is_over() => Err(self.lose_membership()?),
            _ => Ok(()),
        }
    }

    /// Whether the slot, if there is one, is ours to join by.
    fn has_slot(&mut self) -> Result<bool, Failure> {
        let Some(taken) = &self.taken_slot else { return Ok(true) };
        let is_free = taken.is_free()?;
        if is_free {
            self.taken_slot = None;
            self.join_anew()?;
        }
        Ok(is_free)
    }

    /// Whether a missing topic has been missing for too long. Each error event restarts nothing:
    /// the first one counts, until a record or an end of partition shows that the topic is there.
    fn check_missing(&self) -> Result<(), Failure> {
        match &self.missing {
            Some(missing) if missing.since.elapsed() >= MISSING_MAX => {
                Err(Failure { remedy: Remedy::Stop, ..missing.failure.clone() })
            }
            _ => Ok(()),
        }
    }

    fn note_missing(&mut self, failure: Failure) {
        if self.missing.is_none() {
            warn!(topic = self.topic.as_str(), %failure, "topic is missing");
            self.missing = Some(Missing { since: Instant::now(), failure });
        }
    }
}

impl Broker for KafkaBroker {
    fn poll(&mut self, wait: Duration) -> Result<Option<Polled>, Failure> {
        self.check_missing()?;
        self.loss()?;
        if let Some(located) = self.locator.answer().or_else(|| self.marks_locator.answer()) {
            return Ok(Some(Polled::Located(located)));
        }
        if !self.has_slot()? {
            thread::sleep(wait);
            return Ok(None);
        }
        match self.consumer.poll(wait) {
            Err(failure) => self.loss().and(Err(failure)),
            Ok(None) => Ok(None),
            Ok(Some(Event::Polled(polled))) => {
                if matches!(polled, Polled::Record(_) | Polled::EndOfPartition { .. }) {
                    self.missing = None;
                }
                Ok(Some(polled))
            }
            Ok(Some(Event::TopicMissing(failure))) => {
                self.note_missing(failure);
                Ok(None)
            }
        }
    }

    fn accept(&mut self, partitions: &[Partition]) -> Result<(), Failure> {
        self.consumer.accept(partitions)
    }

    fn locate(&mut self, request: Locate) {
        match request.marks {
            Some(_) => self.marks_locator.ask(request),
            None => self.locator.ask(request),
        }
    }

    fn start(&mut self, partition: Partition, offset: Offset) -> Result<(), Failure> {
        self.consumer.start(partition, offset)
    }

    fn rest(&mut self, wait: Duration) {
        thread::sleep(wait);
    }

    fn pause(&mut self, partitions: &[Partition]) -> Result<(), Failure> {
        self.consumer.pause(partitions)
    }

    fn resume(&mut self, partitions: &[Partition]) -> Result<(), Failure> {
        self.consumer.resume(partitions)
    }

    fn release(&mut self, partitions: &[Partition]) -> Result<(), Failure> {
        self.consumer.release(partitions)
    }

    fn send_progress(&mut self, progress: &[Sent], wait: Duration) -> Result<(), Failure> {
        let mut offsets = TopicPartitionList::with_capacity(progress.len());
        for Sent { partition, committed } in progress {
            let mut element = offsets.add_partition(self.topic.as_str(), partition.0);
            element
                .set_offset(rdkafka::Offset::Offset(committed.offset.0))
                .map_err(|_| negative_offset(*partition, committed.offset))?;
            element.set_metadata(&committed.metadata);
        }
        let membership = self.consumer.membership()?;
        let sent = self.producer.send_offsets(membership, offsets, wait);
        if sent.as_ref().is_err_and(|failure| failure.code == FENCED_INSTANCE_ID) {
            // The consumer itself hears of it with its next heartbeat.
            self.consumer.note_fence();
        }
        sent
    }
}

/// A failure that repeating might mend, but didn't in all this time.
fn unreachable(failure: Failure, settings: &Settings) -> Failure {
    if failure.remedy != Remedy::Retry {
        return failure;
    }
    let message = format!(
        "no answer from {} within {} s ({}); check the address and that Kafka runs there, or start \
         a local one with `longshore up`",
        settings.bootstrap_servers,
        CONNECT_WAIT.as_secs(),
        failure.message,
    );
    Failure { remedy: Remedy::Stop, call: "connect", message, ..failure }
}

fn negative_offset(partition: Partition, offset: Offset) -> Failure {
    Failure {
        remedy: Remedy::Stop,
        call: "send_offsets_to_transaction",
        code: "_INVALID_ARG".to_owned(),
        message: format!("partition {partition}: {offset} is no position"),
    }
}

impl Transactions for KafkaBroker {
    fn now(&self) -> Duration {
        self.producer.now()
    }

    /// While another process may have the slot, its transactional id is left alone: initialising it
    /// would end that one's transaction.
    fn ready(&mut self, wait: Duration) -> Result<bool, Failure> {
        if self.consumer.is_fenced() {
            thread::sleep(wait);
            return Ok(false);
        }
        self.producer.ready(wait)
    }

    fn begin(&mut self) -> Result<(), Failure> {
        self.producer.begin()
    }

    fn produce(&mut self, output: &Outgoing, tag: usize) -> Result<(), ProduceError> {
        self.producer.produce(output, tag)
    }

    fn deliveries(&mut self, wait: Duration) -> Deliveries {
        self.producer.deliveries(wait)
    }

    fn commit(&mut self, wait: Duration) -> Result<(), Failure> {
        self.producer.commit(wait)
    }

    fn abort(&mut self, wait: Duration) -> Result<(), Failure> {
        self.producer.abort(wait)
    }

    fn tainted(&self) -> bool {
        self.producer.tainted()
    }

    fn discard_producer(&mut self) {
        self.producer.discard_producer();
    }
}

impl Drop for KafkaBroker {
    /// The consumer and the producer close at the same time as the lookups.
    fn drop(&mut self) {
        self.close_consumer();
        self.producer.discard_producer();
    }
}

impl fmt::Debug for KafkaBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaBroker")
            .field("topic", &self.topic)
            .field("producer", &self.producer)
            .finish_non_exhaustive()
    }
}
