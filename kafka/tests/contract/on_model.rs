//! The model behind the harness.

use std::cell::Cell;
use std::time::Duration;

use longshore_kafka::lane::broker::Committed;
use longshore_kafka::model::{Cluster, Identity, Member, Producer};
use longshore_kafka::{Offset, Partition, Record};
use longshore_schemas::TopicName;

use super::harness::{Harness, Isolation, Who};

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

    fn pause(&self) {
        self.cluster.advance(Duration::from_millis(100));
    }
}
