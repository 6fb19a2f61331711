//! What the behaviours need of an implementation.

use std::time::Duration;

use longshore_kafka::lane::broker::{Broker, Committed};
use longshore_kafka::{Offset, Partition, Record, Transactions};
use longshore_schemas::TopicName;

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

    /// Lets a moment pass between two looks at a condition.
    fn pause(&self);

    /// A new topic.
    fn topic(&self, partitions: i32) -> TopicName {
        self.topic_limited(partitions, 1_048_588)
    }
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
