//! All that a cluster is, and its clock.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use longshore_schemas::{Timestamp, TopicName};
use rand::Rng;
use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::fault::{Held, Plan, Seen};
use super::group::{Group, MemberId, Membership};
use super::log::Log;
use super::offsets::TopicPartition;
use super::transactional_id::{Ending, ProducerId, Session, TransactionalId};
use crate::TopicId;
use crate::lane::broker::Sent;

/// When the clusters' clocks begin: any time will do that lies ahead of the tests' own.
const EPOCH: Timestamp = Timestamp(1_800_000_000_000);
/// The defaults of the lane's settings and of Kafka's.
pub(super) const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(15);
pub(super) const SESSION_TIMEOUT: Duration = Duration::from_secs(45);
const MAX_POLL_INTERVAL: Duration = Duration::from_secs(120);
pub(super) const MESSAGE_BYTES_MAX: usize = 1_048_588;

/// Topics, transactional ids and groups.
#[derive(Debug)]
pub(super) struct State {
    pub(super) now: Duration,
    pub(super) rng: SmallRng,
    pub(super) topics: BTreeMap<TopicName, Topic>,
    pub(super) ids: BTreeMap<String, TransactionalId>,
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) plan: Plan,
    pub(super) seen: Seen,
    /// Whose markers aren't written for now.
    pub(super) held: Option<Held>,
    pub(super) late: Vec<(Duration, Request)>,
    /// Partitions that nobody can be told the bounds of.
    pub(super) leaderless: BTreeSet<TopicPartition>,
    /// What the delivery of a record takes.
    pub(super) record_time: Duration,
    /// The longest that a call takes.
    pub(super) call_max: Duration,
    last_member: u32,
    last_producer: ProducerId,
    last_topic: u128,
}

/// A topic.
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) id: TopicId,
    pub(super) partitions: Vec<Log>,
    pub(super) message_bytes_max: usize,
}

impl Topic {
    pub(super) fn partition_count(&self) -> i32 {
        i32::try_from(self.partitions.len()).unwrap_or(i32::MAX)
    }
}

/// A request that a fault can delay.
#[derive(Clone, Debug)]
pub(super) enum Request {
    /// EndTxn.
    End { id: String, session: Session, ending: Ending },
    /// TxnOffsetCommit.
    Progress(Progress),
}

/// Progress on its way into a transaction.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    pub(super) id: String,
    pub(super) session: Session,
    pub(super) group: String,
    pub(super) topic: TopicName,
    pub(super) membership: Option<Membership>,
    pub(super) sent: Vec<Sent>,
}

impl State {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            now: Duration::ZERO,
            rng: SmallRng::seed_from_u64(seed),
            topics: BTreeMap::new(),
            ids: BTreeMap::new(),
            groups: BTreeMap::new(),
            plan: Plan::default(),
            seen: Seen::default(),
            held: None,
            late: Vec::new(),
            leaderless: BTreeSet::new(),
            record_time: Duration::ZERO,
            call_max: Duration::ZERO,
            last_member: 0,
            last_producer: 0,
            last_topic: 0,
        }
    }

    /// Lets time pass, and happen what is due.
    pub(super) fn advance(&mut self, by: Duration) {
        self.now += by;
        self.deliver_late_until(self.now);
        self.time_out_transactions();
        for group in self.groups.values_mut() {
            group.expire(self.now, SESSION_TIMEOUT, MAX_POLL_INTERVAL);
        }
    }

    /// Lets pass what a call takes.
    pub(super) fn take_time(&mut self) {
        if self.call_max > Duration::ZERO {
            let took = self.rng.random_range(0..=self.call_max.as_micros());
            self.advance(Duration::from_micros(u64::try_from(took).unwrap_or(u64::MAX)));
        }
    }

    /// The time of records and markers.
    pub(super) fn timestamp(&self) -> Timestamp {
        EPOCH.plus(self.now)
    }

    /// How many partitions a topic has; none if there is no such topic.
    pub(super) fn partition_count(&self, topic: &TopicName) -> i32 {
        self.topics.get(topic).map_or(0, Topic::partition_count)
    }

    pub(super) fn log(&self, (topic, partition): &TopicPartition) -> Option<&Log> {
        self.topics.get(topic)?.partitions.get(usize::try_from(partition.0).ok()?)
    }

    pub(super) fn log_mut(&mut self, (topic, partition): &TopicPartition) -> Option<&mut Log> {
        self.topics.get_mut(topic)?.partitions.get_mut(usize::try_from(partition.0).ok()?)
    }

    pub(super) fn group_of(&mut self, member: MemberId) -> Option<&mut Group> {
        self.groups.values_mut().find(|group| group.knows(member))
    }

    pub(super) fn new_member(&mut self) -> MemberId {
        self.last_member += 1;
        MemberId(self.last_member)
    }

    pub(super) fn new_producer(&mut self) -> ProducerId {
        self.last_producer += 1;
        self.last_producer
    }

    /// A topic without partitions.
    pub(super) fn new_topic(&mut self) -> Topic {
        self.last_topic += 1;
        Topic {
            id: TopicId::new(self.last_topic),
            partitions: Vec::new(),
            message_bytes_max: MESSAGE_BYTES_MAX,
        }
    }

    /// What is late arrives, whenever it would have.
    pub(super) fn deliver_late(&mut self) {
        self.deliver_late_until(Duration::MAX);
    }

    fn deliver_late_until(&mut self, now: Duration) {
        let (mut due, waiting): (Vec<_>, _) =
            std::mem::take(&mut self.late).into_iter().partition(|(at, _)| *at <= now);
        self.late = waiting;
        due.sort_by_key(|(at, _)| *at);
        for (_, request) in due {
            self.seen.late += u64::from(self.serve(&request).is_ok());
        }
    }

    fn time_out_transactions(&mut self) {
        let now = self.now;
        let old = self.ids.iter().filter(|(_, it)| it.is_older(now, TRANSACTION_TIMEOUT));
        for id in old.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            self.seen.timed_out += u64::from(self.fence(&id));
        }
    }
}
