//! What the client's callbacks take note of for the lane's consumer: the lane answers.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use longshore_schemas::TopicName;
use rdkafka::bindings::rd_kafka_resp_err_t as Native;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::{ClientContext, TopicPartitionList};
use tracing::debug;

use super::reports::Reports;
use crate::lane::broker::topic_made_anew;
use crate::{Failure, Partition, TopicId};

/// The context of the lane's consumer.
pub(super) struct LaneContext {
    topic: TopicName,
    /// Set when the topic isn't the one any more that was read so far.
    pub(super) made_anew: OnceLock<Failure>,
    pub(super) reports: Reports,
    changes: Mutex<VecDeque<Change>>,
    /// Whether there are any: asked for every record, where a lock would be felt.
    has_changes: AtomicBool,
    is_alone: AtomicBool,
}

/// What the group decided, as the callback heard it.
#[derive(Debug)]
pub(super) enum Change {
    /// These are ours.
    Assigned(Vec<Partition>),
    /// These are to be given back; `lost`: they belong to someone else already.
    Revoked { partitions: Vec<Partition>, lost: bool },
}

impl LaneContext {
    pub(super) fn new(topic: TopicName) -> Self {
        Self {
            topic,
            made_anew: OnceLock::new(),
            reports: Reports::new("consumer"),
            changes: Mutex::default(),
            has_changes: AtomicBool::new(false),
            is_alone: AtomicBool::new(false),
        }
    }

    /// The next thing that the group decided.
    pub(super) fn next_change(&self) -> Option<Change> {
        if !self.has_changes.load(Ordering::Acquire) {
            return None;
        }
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let next = changes.pop_front();
        self.has_changes.store(!changes.is_empty(), Ordering::Release);
        next
    }

    fn note_change(&self, change: Change) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.push_back(change);
        self.has_changes.store(true, Ordering::Release);
    }

    /// From now on nobody answers rebalances but the context itself.
    pub(super) fn leave_alone(&self) {
        self.is_alone.store(true, Ordering::Release);
    }
}

impl ClientContext for LaneContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        if let Some((before, now)) = change_of_id(&self.topic, line) {
            // The first change says it all.
            let _known = self.made_anew.set(topic_made_anew(before, now));
        }
        self.reports.log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.reports.error(&error, reason);
    }
}

impl ConsumerContext for LaneContext {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        kind: Native,
        partitions: &mut TopicPartitionList,
    ) {
        if self.is_alone.load(Ordering::Acquire) {
            // A closing client takes any answer for giving all partitions back.
            if let Err(error) = consumer.unassign() {
                debug!(%error, "partitions not given back while closing");
            }
            return;
        }
        let partitions = partitions.elements().iter().map(|it| Partition(it.partition())).collect();
        let change = match kind {
            Native::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Change::Assigned(partitions),
            _ => Change::Revoked { partitions, lost: consumer.assignment_lost() },
        };
        self.note_change(change);
    }
}

/// The ids that the topic had and has, if a line of the client's log says that they differ.
///
/// librdkafka 2.12.1 goes on reading at the old offsets in the new topic
/// (`rd_kafka_topic_metadata_update`, which says so itself). It writes this line before it takes
/// the new id over, and requests by which it fetches name the topic by its id (KIP-516): so nothing
/// of the new topic has been read by then.
fn change_of_id(topic: &TopicName, line: &str) -> Option<(TopicId, TopicId)> {
    let (before, now) = line
        .split_once(&format!("Topic {topic} changed id from "))
        .and_then(|(_, ids)| ids.split_once(" to "))?;
    // The client's alphabet isn't that of Kafka's tools.
    let id = |text: &str| -> Option<TopicId> {
        text.trim().replace('+', "-").replace('/', "_").parse().ok()
    };
    // It begins with none.
    Some((id(before)?, id(now)?)).filter(|(before, _)| before.is_known())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_says_that_the_topic_is_another_one() {
        let topic = TopicName::from("orders");
        let (first, second) = ("oZ0jfK/2QAuwQ1S+YDdYZw", "vG1jTmnMRXSqxyAM1bqvYA");
        let line = |topic, before, now| {
            format!("[thrd:main]: Topic {topic} changed id from {before} to {now}")
        };
        let [before, now] = ["oZ0jfK_2QAuwQ1S-YDdYZw", second].map(|it| it.parse().expect("an id"));
        assert_eq!(change_of_id(&topic, &line("orders", first, second)), Some((before, now)));
        let none = "AAAAAAAAAAAAAAAAAAAAAA";
        assert_eq!(change_of_id(&topic, &line("orders", none, second)), None, "it hears of it");
        assert_eq!(change_of_id(&topic, &line("orders-dlt", first, second)), None, "another one");
        assert_eq!(change_of_id(&topic, "[thrd:main]: Topic orders [0] Leader 1 Epoch 0"), None);
    }
}
