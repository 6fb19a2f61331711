//! The records and the progress of one transaction, on the client's side.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use longshore_schemas::TopicName;

use super::code::Code;
use super::group::Membership;
use super::offsets::TopicPartition;
use super::requests::Write;
use crate::lane::broker::Sent;
use crate::{Deliveries, Failure, Offset, Refusal};

/// Progress as a consumer sends it; without a membership, as one does that knows of none.
pub(super) struct ProgressOf<'a> {
    pub(super) group: &'a str,
    pub(super) topic: &'a TopicName,
    pub(super) membership: Option<Membership>,
    pub(super) sent: &'a [Sent],
}

/// What was given to the client since the transaction began.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// When the brokers have answered for what is in the queue.
    pub(super) answered_at: Duration,
    /// Not yet answered for, with their tags.
    pub(super) queue: VecDeque<(usize, Write)>,
    /// Partitions that the coordinator was told of: it isn't told again.
    pub(super) enlisted: BTreeSet<TopicPartition>,
    /// Groups that it was told of.
    pub(super) groups: BTreeSet<String>,
    /// The first failure.
    pub(super) failed: Option<Failure>,
    refused: Vec<(usize, Refusal)>,
    written: BTreeMap<TopicPartition, Offset>,
}

impl Outbox {
    /// Whether the coordinator knows nothing of the transaction.
    pub(super) fn is_empty(&self) -> bool {
        self.enlisted.is_empty() && self.groups.is_empty()
    }

    /// A record has its offset.
    pub(super) fn written(&mut self, to: TopicPartition, offset: Offset) {
        self.enlisted.insert(to.clone());
        self.written.insert(to, offset);
    }

    /// A record will never be written.
    pub(super) fn refuse(&mut self, tag: usize, topic: TopicName, code: Code) {
        let message = "refused by the model".to_owned();
        let refusal = Refusal { topic, code: code.name().to_owned(), message };
        self.refused.push((tag, refusal));
    }

    /// How far everything is.
    pub(super) fn deliveries(&self) -> Deliveries {
        let written = self.written.iter();
        Deliveries {
            pending: self.queue.len(),
            refused: self.refused.clone(),
            failed: self.failed.clone(),
            written: written.map(|((topic, at), &end)| (topic.clone(), *at, end)).collect(),
        }
    }
}
