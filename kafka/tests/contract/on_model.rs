//! The model behind the harness.

use std::cell::Cell;
use std::time::Duration;

use longshore_kafka::lane::broker::{Committed, Sent};
use longshore_kafka::model::{Call, Cluster, Fault, Held, Identity, Member, Producer};
use longshore_kafka::{Failure, Offset, Partition, Record, Remedy};
use longshore_schemas::TopicName;

use super::harness::{Client, Harness, Isolation, Request, Troubles, Who};
use super::seat::Seat;
use super::transaction;

/// Longer than any test waits: what is so late arrives when it is told to.
const VERY_LATE: Duration = Duration::from_secs(100_000);

/// A cluster of its own for each behaviour.
pub struct OnModel {
    cluster: Cluster,
    names: Cell<u32>,
}

impl OnModel {
    pub fn new() -> Self {
        Self { cluster: Cluster::new(11), names: Cell::new(0) }
    }
}

impl Harness for OnModel {
    type Member = Member;
    type Producer = Producer;

    /// Above the model's `max.poll.interval.ms` of two minutes.
    const PATIENCE: Duration = Duration::from_secs(300);

    fn topic_limited(&self, partitions: i32, message_bytes_max: usize) -> TopicName {
        let topic = TopicName::from(self.name("topic"));
        self.cluster.create_topic(&topic, usize::try_from(partitions).expect("isn't negative"));
        self.cluster.limit_messages(&topic, message_bytes_max);
        topic
    }

    fn name(&self, kind: &str) -> String {
        self.names.set(self.names.get() + 1);
        format!("{kind}-{}", self.names.get())
    }

    fn member(&self, who: &Who) -> Member {
        let Who { group, topic, transactional_id, slot } = who.clone();
        self.cluster.member_as(Identity { group, topic, transactional_id, slot })
    }

    fn producer(&self, transactional_id: &str) -> Producer {
        self.cluster.producer(transactional_id)
    }

    fn read(&self, topic: &TopicName, isolation: Isolation) -> Vec<Record> {
        match isolation {
            Isolation::Committed => self.cluster.read_committed(topic),
            Isolation::Uncommitted => self.cluster.read_uncommitted(topic),
        }
    }

    fn ends(&self, topic: &TopicName, partition: Partition) -> (Offset, Offset) {
        self.cluster.ends(topic, partition).expect("the partition is there")
    }

    fn stable_progress(&self, group: &str, topic: &TopicName, at: Partition) -> Option<Committed> {
        self.cluster.committed(group, topic, at)
    }

    fn written_progress(&self, group: &str, topic: &TopicName, at: Partition) -> Option<Committed> {
        self.cluster.committed(group, topic, at)
    }

    fn delete_records(&self, topic: &TopicName, partition: Partition, below: Offset) {
        self.cluster.delete_records(topic, partition, below);
    }

    fn make_topic_anew(&self, topic: &TopicName, partitions: i32) {
        let partitions = usize::try_from(partitions).expect("isn't negative");
        self.cluster.make_topic_anew(topic, partitions);
    }

    fn commit_without_membership(&self, who: &Who, progress: &[Sent]) -> Result<(), String> {
        let Who { group, topic, transactional_id, .. } = who;
        let place = (group.as_str(), topic);
        let committed = self.cluster.commit_without_membership(transactional_id, place, progress);
        committed.map_err(|failure| failure.to_string())
    }

    fn pause(&self) {
        self.cluster.advance(Duration::from_millis(100));
    }
}

/// Each behaviour has a cluster for itself, and everybody is exposed: whoever a fault is meant for
/// calls first.
impl Troubles for OnModel {
    /// The model's own.
    const SESSION: Duration = Duration::from_secs(45);

    fn exposed_member(&self, who: &Who) -> Member {
        self.member(who)
    }

    fn exposed_producer(&self, transactional_id: &str) -> Producer {
        self.producer(transactional_id)
    }

    /// Its caller hears that it may ask again.
    fn hold_next(&self, of: Request, _: Client) {
        self.cluster.fail_next(call(of), Fault::Late(VERY_LATE));
    }

    fn deliver_held(&self) {
        self.cluster.deliver_late();
    }

    fn lose_next_answer(&self, of: Request, _: Client) {
        self.cluster.fail_next(call(of), Fault::AnswerLost(Remedy::Retry));
    }

    fn send_as_the_group_moves_on(
        &self,
        member: &mut Seat<Member>,
        newcomer: &mut Seat<Member>,
        progress: &[Sent],
    ) -> Result<(), Failure> {
        self.cluster.fall_behind(member.broker.id());
        assert!(newcomer.turn().is_none(), "it joins, and its share isn't free yet");
        transaction::send(&mut member.broker, progress)
    }

    fn lose_session(&self, _: &Who, member: &Member) {
        self.cluster.expel(member.id());
    }

    fn hold_markers(&self) {
        self.cluster.hold_markers(Held::All);
    }

    fn release_markers(&self) {
        self.cluster.release_markers();
    }

    fn crash(&self, mut member: Member) {
        member.crash();
    }
}

fn call(of: Request) -> Call {
    match of {
        Request::Progress => Call::SendProgress,
        Request::Commit => Call::Commit,
        Request::Abort => Call::Abort,
    }
}
