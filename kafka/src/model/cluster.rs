//! The cluster as tests see it: topics to fill and read, time to move, trouble to make.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use longshore_schemas::{Headers, Timestamp, TopicName};

use super::fault::{Call, Fault, Held, Plan, Seen};
use super::group::{Group, MemberId};
use super::log::{Fate, Log};
use super::member::Member;
use super::outbox::ProgressOf;
use super::process::Process;
use super::producer::Producer;
use super::requests::Write;
use super::state::State;
use crate::lane::broker::{Committed, Sent};
use crate::{Failure, Offset, Outgoing, Partition, Record, Transactions};

/// A Kafka in memory. Clones are the same cluster.
#[derive(Clone, Debug)]
pub struct Cluster(Arc<Mutex<State>>);

/// Whom a member speaks for.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its consumer group.
    pub group: String,
    /// The topic that it reads.
    pub topic: TopicName,
    /// Its producer's id.
    pub transactional_id: String,
    /// Its place in the group that outlives it (`group.instance.id`).
    pub slot: Option<String>,
}

impl Cluster {
    /// An empty cluster. The same seed and the same calls give the same history.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State::new(seed))))
    }

    // ----- topics

    /// Creates a topic, or adds partitions to it.
    pub fn create_topic(&self, name: &TopicName, partitions: usize) {
        let mut state = self.lock();
        if !state.topics.contains_key(name) {
            let topic = state.new_topic();
            state.topics.insert(name.clone(), topic);
        }
        if let Some(topic) = state.topics.get_mut(name) {
            topic.partitions.resize_with(partitions, Log::default);
        }
    }

    /// Deletes a topic and makes it again: every group's progress in it goes with it.
    pub fn make_topic_anew(&self, name: &TopicName, partitions: usize) {
        let mut state = self.lock();
        state.topics.remove(name);
        for group in state.groups.values_mut() {
            group.offsets.forget_topic(name);
        }
        drop(state);
        self.create_topic(name, partitions);
    }

    /// Sets the topic's `max.message.bytes`.
    pub fn limit_messages(&self, topic: &TopicName, bytes_max: usize) {
        if let Some(topic) = self.lock().topics.get_mut(topic) {
            topic.message_bytes_max = bytes_max;
        }
    }

    /// Appends a record outside of any transaction. Panics if there is no such partition.
    pub fn append(
        &self,
        topic: &TopicName,
        partition: Partition,
        key: Option<&str>,
        value: &str,
    ) -> Offset {
        let output = Outgoing {
            topic: topic.clone(),
            partition: Some(partition),
            key: key.map(|key| Bytes::copy_from_slice(key.as_bytes())),
            value: Some(Bytes::copy_from_slice(value.as_bytes())),
            headers: Headers::new(),
            timestamp: None,
        };
        self.write(&output)
    }

    /// Appends a record, whose partition is given, outside of any transaction. Panics if there is
    /// no such partition.
    pub fn write(&self, output: &Outgoing) -> Offset {
        let partition = output.partition.expect("a partition is given");
        let write = Write { to: (output.topic.clone(), partition), output: output.clone() };
        self.lock().append(&write, Fate::Committed).expect("tests append to what they created")
    }

    /// Deletes everything below an offset, as retention and DeleteRecords do.
    pub fn delete_records(&self, topic: &TopicName, partition: Partition, below: Offset) {
        if let Some(log) = self.lock().log_mut(&(topic.clone(), partition)) {
            log.delete_below(below);
        }
    }

    /// What a `read_committed` reader gets from the beginning, partition by partition.
    pub fn read_committed(&self, topic: &TopicName) -> Vec<Record> {
        self.read(topic, |log| log.committed().cloned().collect())
    }

    /// The same from an offset on, in one partition.
    pub fn read_on(&self, topic: &TopicName, partition: Partition, from: Offset) -> Vec<Record> {
        let state = self.lock();
        let log = state.log(&(topic.clone(), partition));
        let new = |log: &Log| log.committed_from(from).cloned().collect();
        log.map(new).unwrap_or_default()
    }

    /// Shows all that is committed, also what no reader gets yet: an older transaction is open, or
    /// its own has its markers still to come.
    pub fn visit_decided(&self, topic: &TopicName, visit: impl FnMut(&Record)) {
        let state = self.lock();
        let committing = state.committing();
        let partitions = state.topics.get(topic).into_iter().flat_map(|it| &it.partitions);
        partitions.flat_map(|log| log.decided(&committing)).for_each(visit);
    }

    /// The same with what is aborted and what isn't decided.
    pub fn read_uncommitted(&self, topic: &TopicName) -> Vec<Record> {
        self.read(topic, |log| log.uncommitted().cloned().collect())
    }

    /// The partition's last stable offset and its end: equal if no transaction is open in it.
    pub fn ends(&self, topic: &TopicName, partition: Partition) -> Option<(Offset, Offset)> {
        let state = self.lock();
        let log = state.log(&(topic.clone(), partition))?;
        Some((log.stable_end(), log.end()))
    }

    // ----- clients

    /// A member of a group with a transactional id of its own.
    pub fn member(&self, group: &str, topic: &TopicName, transactional_id: &str) -> Member {
        self.member_as(Identity {
            group: group.to_owned(),
            topic: topic.clone(),
            transactional_id: transactional_id.to_owned(),
            slot: None,
        })
    }

    /// The same, also for a slot of the group.
    pub fn member_as(&self, identity: Identity) -> Member {
        Member::new(self.clone(), identity)
    }

    /// A producer of transactions that is in no group.
    pub fn producer(&self, transactional_id: &str) -> Producer {
        Producer::new(Process::new(self.clone(), transactional_id.to_owned(), None))
    }

    /// Commits a group's progress in a transaction as a client does that knows nothing of
    /// memberships.
    pub fn commit_without_membership(
        &self,
        transactional_id: &str,
        (group, topic): (&str, &TopicName),
        sent: &[Sent],
    ) -> Result<(), Failure> {
        let mut producer = self.producer(transactional_id);
        producer.ready(Duration::ZERO)?;
        producer.begin()?;
        let progress = ProgressOf { group, topic, membership: None, sent };
        producer.send_progress(&progress, Duration::ZERO)?;
        producer.commit(Duration::ZERO)
    }

    // ----- groups

    /// A group's committed progress.
    pub fn committed(
        &self,
        group: &str,
        topic: &TopicName,
        partition: Partition,
    ) -> Option<Committed> {
        self.lock().groups.get(group)?.offsets.get(&(topic.clone(), partition)).cloned()
    }

    /// The same, also what nobody is told yet since the markers are still to come.
    pub fn decided(&self, group: &str, topic: &TopicName, at: Partition) -> Option<Committed> {
        let state = self.lock();
        let offsets = &state.groups.get(group)?.offsets;
        offsets.decided(&(topic.clone(), at), &state.committing()).cloned()
    }

    /// Sets it, as `kafka-consumer-groups --reset-offsets` does; none lets it expire.
    pub fn set_committed(
        &self,
        group: &str,
        topic: &TopicName,
        partition: Partition,
        committed: Option<Committed>,
    ) {
        let mut state = self.lock();
        let offsets = &mut state.groups.entry(group.to_owned()).or_default().offsets;
        match committed {
            Some(committed) => offsets.commit((topic.clone(), partition), committed),
            None => offsets.expire(&(topic.clone(), partition)),
        }
    }

    /// Deals the group's partitions out anew, by the seed.
    pub fn rebalance(&self, group: &str) {
        let mut state = self.lock();
        let State { groups, rng, .. } = &mut *state;
        if let Some(group) = groups.get_mut(group) {
            group.shuffle(rng);
        }
    }

    /// Gives partitions to this member of their group, once their owners have let go of them.
    pub fn hand_over(&self, to: MemberId, partitions: &[Partition]) {
        self.with_group_of(to, |group| group.hand_over(to, partitions));
    }

    /// From now until its next poll the member doesn't hear what happens in its group.
    pub fn fall_behind(&self, member: MemberId) {
        self.with_group_of(member, |group| group.fall_behind(member));
    }

    /// The group loses the member, as if no heartbeat had come. It hears of it at its next poll.
    pub fn expel(&self, member: MemberId) {
        self.with_group_of(member, |group| {
            group.fall_behind(member);
            group.expel(member);
        });
    }

    /// A request to join in the member's slot, which its own process has given up, arrives after
    /// all: the slot is a member's that nobody is, until its session ends.
    pub fn take_slot(&self, from: MemberId) {
        let mut state = self.lock();
        let (nobody, now) = (state.new_member(), state.now);
        if let Some(group) = state.group_of(from) {
            group.take_slot(from, nobody, now);
        }
    }

    // ----- time and trouble

    /// Lets time pass: transactions and sessions run out, late requests arrive.
    pub fn advance(&self, by: Duration) {
        self.lock().advance(by);
    }

    /// All requests that are late arrive.
    pub fn deliver_late(&self) {
        self.lock().deliver_late();
    }

    /// From now on every call takes up to so long, by the seed: what is on its way may arrive in
    /// the middle of a later transaction.
    pub fn slow_calls(&self, call_max: Duration) {
        self.lock().call_max = call_max;
    }

    /// From now on each record of a transaction takes so long to be delivered, as over a thin line.
    pub fn slow_records(&self, record_time: Duration) {
        self.lock().record_time = record_time;
    }

    /// The partition loses its leader: no lookup of its bounds is answered until it has one again.
    pub fn lose_leader(&self, topic: &TopicName, partition: Partition) {
        self.lock().leaderless.insert((topic.clone(), partition));
    }

    /// It has a leader again.
    pub fn elect_leader(&self, topic: &TopicName, partition: Partition) {
        self.lock().leaderless.remove(&(topic.clone(), partition));
    }

    /// The brokers' clock, by which records are stamped.
    pub fn timestamp(&self) -> Timestamp {
        self.lock().timestamp()
    }

    /// The time since the cluster was made.
    pub fn now(&self) -> Duration {
        self.lock().now
    }

    /// The next such call of any client has this fault. Orders are used up one by one.
    pub fn fail_next(&self, call: Call, fault: Fault) {
        self.lock().plan.order(None, call, fault);
    }

    /// The next such call of the client with this transactional id has this fault.
    pub fn fail_next_of(&self, transactional_id: &str, call: Call, fault: Fault) {
        self.lock().plan.order(Some(transactional_id), call, fault);
    }

    /// From now on one call in `one_in` has one of the faults listed for it, by the seed. An empty
    /// list ends it.
    pub fn fail_at_random(&self, one_in: u32, faults: &[(Call, Fault)]) {
        self.lock().plan.at_random(one_in, faults.to_vec());
    }

    /// No fault that was ordered or drawn happens from now on. What is late already still arrives.
    pub fn end_faults(&self) {
        self.lock().plan = Plan::default();
    }

    /// From now on ended transactions stay undecided for readers: these markers aren't written.
    /// Those that were held before, and aren't any more, are.
    pub fn hold_markers(&self, held: Held) {
        self.lock().hold_markers(Some(held));
    }

    /// Writes the markers that were held, and from now on all others at once.
    pub fn release_markers(&self) {
        self.lock().hold_markers(None);
    }

    /// What has happened so far.
    pub fn seen(&self) -> Seen {
        self.lock().seen
    }

    /// A test that panicked elsewhere must not hide its reason behind a poisoned lock.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, topic: &TopicName, of: impl Fn(&Log) -> Vec<Record>) -> Vec<Record> {
        let state = self.lock();
        state
            .topics
            .get(topic)
            .map(|it| it.partitions.iter().flat_map(of).collect())
            .unwrap_or_default()
    }

    fn with_group_of(&self, member: MemberId, act: impl FnOnce(&mut Group)) {
        let mut state = self.lock();
        if let Some(group) = state.group_of(member) {
            act(group);
        }
    }
}
