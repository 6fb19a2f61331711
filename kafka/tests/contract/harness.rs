//! What the behaviours need of an implementation.

use std::time::Duration;

use longshore_kafka::lane::broker::{Broker, Committed, Sent};
use longshore_kafka::{Failure, Offset, Partition, Record, Transactions};
use longshore_schemas::TopicName;

use super::seat::Seat;

/// A Kafka, model or real. Names that it gives out are new.
pub trait Harness {
    /// A member of a group with a transactional id.
    type Member: Broker;
    /// A transactional id alone.
    type Producer: Transactions;

    /// How long to wait for what must come, by the implementation's own clock.
    const PATIENCE: Duration;

    /// A new topic whose records have at most so many bytes.
    fn topic_limited(&self, partitions: i32, message_bytes_max: usize) -> TopicName;

    /// A name that nobody has.
    fn name(&self, kind: &str) -> String;

    /// A client that reads a topic in a group.
    fn member(&self, who: &Who) -> Self::Member;

    /// A client that only writes.
    fn producer(&self, transactional_id: &str) -> Self::Producer;

    /// Everything in the topic. Waits until every transaction in it has ended.
    fn read(&self, topic: &TopicName, isolation: Isolation) -> Vec<Record>;

    /// The partition's last stable offset and its end.
    fn ends(&self, topic: &TopicName, partition: Partition) -> (Offset, Offset);

    /// The group's progress, once no transaction can change it.
    fn stable_progress(&self, group: &str, topic: &TopicName, at: Partition) -> Option<Committed>;

    /// The group's progress as it stands, whatever is pending.
    fn written_progress(&self, group: &str, topic: &TopicName, at: Partition) -> Option<Committed>;

    /// Deletes everything below an offset.
    fn delete_records(&self, topic: &TopicName, partition: Partition, below: Offset);

    /// Deletes a topic and makes it again.
    fn make_topic_anew(&self, topic: &TopicName, partitions: i32);

    /// Commits progress in a transaction of its own as a client does that knows nothing of
    /// memberships. What the client said, if it failed.
    fn commit_without_membership(&self, who: &Who, progress: &[Sent]) -> Result<(), String>;

    /// Lets a moment pass between two looks at a condition.
    fn pause(&self);

    /// A new topic.
    fn topic(&self, partitions: i32) -> TopicName {
        self.topic_limited(partitions, 1_048_588)
    }
}

/// A Kafka that a behaviour has for itself, with clients that are exposed to trouble: their
/// requests can be lost or late, and they can die. Nobody else is touched by it.
pub trait Troubles: Harness {
    /// How long a group waits for a member without a heartbeat.
    const SESSION: Duration;

    /// A member that is exposed.
    fn exposed_member(&self, who: &Who) -> Self::Member;

    /// A producer that is exposed.
    fn exposed_producer(&self, transactional_id: &str) -> Self::Producer;

    /// The next such request is kept back.
    fn hold_next(&self, of: Request, client: Client);

    /// What is kept back arrives and has its effect, of which its client hears nothing.
    fn deliver_held(&self);

    /// The next such request has its effect, and its answer is lost.
    fn lose_next_answer(&self, of: Request, client: Client);

    /// Sends progress into the member's open transaction. It arrives when the group has taken the
    /// newcomer in.
    fn send_as_the_group_moves_on(
        &self,
        member: &mut Seat<Self::Member>,
        newcomer: &mut Seat<Self::Member>,
        progress: &[Sent],
    ) -> Result<(), Failure>;

    /// The group loses the exposed member, which hears nothing of it meanwhile.
    fn lose_session(&self, who: &Who, member: &Self::Member);

    /// From now on transactions are ended without markers.
    fn hold_markers(&self);

    /// Until now.
    fn release_markers(&self);

    /// The process of all that is exposed dies, and says nothing to anybody any more.
    fn crash(&self, member: Self::Member);
}

/// A request that trouble can happen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// TxnOffsetCommit.
    Progress,
    /// EndTxn.
    Commit,
    /// EndTxn.
    Abort,
}

/// What a client does that isn't answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// It finds its connection broken, and asks again.
    AsksAgain,
    /// It waits, until it is given up.
    Waits,
}

/// Which records a reader gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    Committed,
    Uncommitted,
}

/// Whom a member speaks for.
#[derive(Clone, Debug)]
pub struct Who {
    pub group: String,
    pub topic: TopicName,
    pub transactional_id: String,
    pub slot: Option<String>,
}

impl Who {
    /// Somebody of a new group on this topic.
    pub fn new_group<H: Harness>(harness: &H, topic: &TopicName) -> Self {
        let group = harness.name("group");
        let transactional_id = harness.name("id");
        Self { group, topic: topic.clone(), transactional_id, slot: None }
    }

    /// Somebody else of the same group.
    pub fn sibling<H: Harness>(&self, harness: &H) -> Self {
        Self { transactional_id: harness.name("id"), ..self.clone() }
    }
}

/// The values of a topic, as text.
pub fn read_values<H: Harness>(
    harness: &H,
    topic: &TopicName,
    isolation: Isolation,
) -> Vec<String> {
    let text = |record: Record| {
        let value = record.value.expect("the contract writes values");
        String::from_utf8(value.to_vec()).expect("and they are text")
    };
    harness.read(topic, isolation).into_iter().map(text).collect()
}
