//! The lane's consumer: one member of a group on one topic, polled by one thread.
//!
//! A partition is handed to librdkafka only when it is to be read, with the offset to begin at.
//! Accepting an assignment hands over none, so nothing is fetched before its time, no position is
//! looked up behind the lane's back, and what the group sees is the same.

use std::any::Any;
use std::collections::HashMap;
use std::mem;
use std::time::Duration;

use foldhash::fast::RandomState;
use longshore_schemas::TopicName;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::{ClientConfig, TopicPartitionList};
use tracing::{debug, warn};

use super::detach::detach;
use super::lane_context::{Change, LaneContext};
use super::native::{self, Membership};
use super::remedy_of::{Class, ClientError, ConsumerEvent, Phase, consumer_event};
use super::tenure::Tenure;
use crate::lane::broker::Polled;
use crate::settings::rejected;
use crate::{Failure, Offset, Partition, Remedy};

/// One member of a group on one topic.
pub(super) struct LaneConsumer {
    topic: TopicName,
    /// None once it is closed.
    native: Option<BaseConsumer<LaneContext>>,
    /// Where each partition that is being read stands: behind the last record it gave, or where it
    /// was started.
    positions: HashMap<Partition, Offset, RandomState>,
    tenure: Tenure,
    /// Another member has the slot of this one, which is spent.
    is_fenced: bool,
    unanswered: Unanswered,
}

/// What the group waits for us to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unanswered {
    Nothing,
    Assignment,
    Revocation,
}

/// What polling the consumer can bring.
pub(super) enum Event {
    /// Something for the lane.
    Polled(Polled),
    /// The topic isn't there, or the broker that was asked hasn't heard of it yet.
    TopicMissing(Failure),
}

impl LaneConsumer {
    pub(super) fn subscribe(config: &ClientConfig, topic: TopicName) -> Result<Self, Failure> {
        let native = BaseConsumer::from_config_and_context(config, LaneContext::new(topic.clone()))
            .map_err(rejected)?;
        native.subscribe(&[topic.as_str()]).map_err(|error| failure(error, "subscribe"))?;
        Ok(Self {
            topic,
            native: Some(native),
            positions: HashMap::default(),
            tenure: Tenure::default(),
            is_fenced: false,
            unanswered: Unanswered::Nothing,
        })
    }

    /// The membership at this moment, to send progress under: that to which all was given that is
    /// held here.
    pub(super) fn membership(&mut self) -> Result<Membership, Failure> {
        let membership =
            self.native.as_ref().and_then(Membership::of).ok_or_else(|| {
                no_member("this consumer is no member of its group at the moment")
            })?;
        if !self.tenure.check(&membership.member()) {
            return Err(no_member(
                "this consumer is a member of its group anew, and holds nothing",
            ));
        }
        Ok(membership)
    }

    /// Whether others may have had what is held here. Nobody will say so: it has to be given up.
    pub(super) fn is_over(&self) -> bool {
        self.tenure.is_over()
    }

    /// The broker has told that another member has the slot of this one.
    pub(super) fn note_fence(&mut self) {
        self.is_fenced = true;
    }

    /// Whether it is known that another member has the slot of this one.
    pub(super) fn is_fenced(&self) -> bool {
        self.is_fenced
    }

    fn native(&self) -> Result<&BaseConsumer<LaneContext>, Failure> {
        self.native.as_ref().ok_or_else(|| {
            let error = ClientError::plain(Code::State);
            ClientError { message: "the consumer is closed".to_owned(), ..error }
                .failure(Phase::Consume, "consumer")
        })
    }

    /// The next event; none if nothing came within `wait`.
    pub(super) fn poll(&mut self, wait: Duration) -> Result<Option<Event>, Failure> {
        let native = self.native()?;
        if let Some(failure) = native.context().made_anew.get() {
            return Err(failure.clone());
        }
        // The callback of a rebalance runs within poll, which returns nothing itself then.
        if let Some(change) = native.context().next_change() {
            return self.change(change);
        }
        match native.poll(wait) {
            None => match native.context().next_change() {
                Some(change) => self.change(change),
                None => Ok(None),
            },
            Some(Ok(message)) => {
                let record = detach(&message, &self.topic);
                drop(message);
                let Some(position) = self.positions.get_mut(&record.partition) else {
                    debug!(partition = record.partition.0, "record of a partition not read here");
                    return Ok(None);
                };
                *position = record.offset.next();
                Ok(Some(Event::Polled(Polled::Record(record))))
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                Ok(self.end_of(Partition(partition))?.map(Event::Polled))
            }
            Some(Err(error)) => self.error_event(&error),
        }
    }

    /// Answers an assignment. Nothing is read yet.
    pub(super) fn accept(&mut self, partitions: &[Partition]) -> Result<(), Failure> {
        self.unanswered = Unanswered::Nothing;
        let none = TopicPartitionList::new();
        let native = self.native()?;
        let member = Membership::of(native).map(|it| it.member());
        native.incremental_assign(&none).map_err(|error| self.state_failure(error, "assign"))?;
        self.tenure.give(partitions, member);
        Ok(())
    }

    /// Begins to read a partition.
    pub(super) fn start(&mut self, partition: Partition, offset: Offset) -> Result<(), Failure> {
        let mut list = self.list(&[partition]);
        let native = self.native()?;
        list.set_all_offsets(rdkafka::Offset::Offset(offset.0))
            .and_then(|()| native.incremental_assign(&list))
            // It may have been paused when it was read here before.
            .and_then(|()| native.resume(&list))
            .map_err(|error| self.state_failure(error, "assign"))?;
        self.positions.insert(partition, offset);
        Ok(())
    }

    pub(super) fn pause(&self, partitions: &[Partition]) -> Result<(), Failure> {
        let Some(native) = &self.native else { return Ok(()) };
        let list = self.list(&self.started(partitions));
        native.pause(&list).map_err(|error| failure(error, "pause"))
    }

    pub(super) fn resume(&self, partitions: &[Partition]) -> Result<(), Failure> {
        let Some(native) = &self.native else { return Ok(()) };
        let list = self.list(&self.started(partitions));
        native.resume(&list).map_err(|error| failure(error, "resume"))
    }

    /// Answers a revocation.
    pub(super) fn release(&mut self, partitions: &[Partition]) -> Result<(), Failure> {
        let was_asked = self.unanswered == Unanswered::Revocation;
        self.unanswered = Unanswered::Nothing;
        self.tenure.take(partitions);
        let started = self.started(partitions);
        for partition in &started {
            self.positions.remove(partition);
        }
        if !was_asked && started.is_empty() {
            // It was asked of the consumer that this one took the place of.
            return Ok(());
        }
        let list = self.list(&started);
        let native = self.native()?;
        native.incremental_unassign(&list).map_err(|error| self.state_failure(error, "unassign"))
    }

    /// Ends the membership, and reads nothing any more. What is returned blocks while it is
    /// dropped, until the group was told.
    pub(super) fn close(&mut self) -> Option<impl Any + Send + use<>> {
        let native = self.native.take()?;
        self.positions.clear();
        native.context().leave_alone();
        // The client doesn't close while it waits for an answer that nobody would give any more.
        let empty = TopicPartitionList::new();
        let answered = match mem::replace(&mut self.unanswered, Unanswered::Nothing) {
            Unanswered::Nothing => Ok(()),
            Unanswered::Assignment => native.incremental_assign(&empty),
            Unanswered::Revocation => native.incremental_unassign(&empty),
        };
        if let Err(error) = answered {
            debug!(%error, "rebalance not answered before closing");
        }
        Some(native)
    }

    fn change(&mut self, change: Change) -> Result<Option<Event>, Failure> {
        match change {
            Change::Assigned(partitions) => {
                self.unanswered = Unanswered::Assignment;
                Ok(Some(Event::Polled(Polled::Assigned(partitions))))
            }
            Change::Revoked { partitions, .. } if partitions.is_empty() => {
                self.unanswered = Unanswered::Revocation;
                self.release(&[])?;
                Ok(None)
            }
            Change::Revoked { partitions, lost } => {
                self.unanswered = Unanswered::Revocation;
                Ok(Some(Event::Polled(Polled::Revoked { partitions, lost })))
            }
        }
    }

    /// The client's own position lies behind the markers that follow the last record. It has none
    /// while nothing was read.
    fn end_of(&mut self, partition: Partition) -> Result<Option<Polled>, Failure> {
        let Some(&tracked) = self.positions.get(&partition) else {
            return Ok(None);
        };
        let positions = self.native()?.position().map_err(|error| failure(error, "position"))?;
        let own = positions
            .find_partition(self.topic.as_str(), partition.0)
            .and_then(|element| element.offset().to_raw())
            .map_or(tracked, Offset);
        let position = own.max(tracked);
        self.positions.insert(partition, position);
        Ok(Some(Polled::EndOfPartition { partition, position }))
    }

    fn error_event(&mut self, error: &KafkaError) -> Result<Option<Event>, Failure> {
        let native = self.native()?;
        let mut found = ClientError::from(error.clone());
        if let Some(reason) = native.context().reports.reason(found.code) {
            found.message = reason;
        }
        if let Some(fatal) = self.fatal_failure("poll") {
            return Err(fatal);
        }
        match consumer_event(found.code) {
            ConsumerEvent::Passing => Ok(None),
            ConsumerEvent::OutOfRange => {
                warn!(topic = self.topic.as_str(), reason = found.message, "offset out of range");
                Ok(Some(Event::Polled(Polled::OutOfRange)))
            }
            ConsumerEvent::TopicMissing => {
                Ok(Some(Event::TopicMissing(found.failure(Phase::Consume, "poll"))))
            }
            ConsumerEvent::Failed => Err(found.failure(Phase::Consume, "poll")),
        }
    }

    /// The crate gives only the name of such an error; a fatal one says more.
    fn state_failure(&mut self, error: KafkaError, call: &'static str) -> Failure {
        self.fatal_failure(call).unwrap_or_else(|| failure(error, call))
    }

    /// Why the client is spent, if it is.
    fn fatal_failure(&mut self, call: &'static str) -> Option<Failure> {
        let (code, message) = self.native.as_ref()?.client().fatal_error()?;
        self.is_fenced |= code == Code::FencedInstanceId;
        let fatal = ClientError { code, class: Class::Fatal, message };
        Some(fatal.failure(Phase::Consume, call))
    }

    fn started(&self, partitions: &[Partition]) -> Vec<Partition> {
        let is_started = |partition: &&Partition| self.positions.contains_key(partition);
        partitions.iter().filter(is_started).copied().collect()
    }

    fn list(&self, partitions: &[Partition]) -> TopicPartitionList {
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            list.add_partition(self.topic.as_str(), partition.0);
        }
        list
    }
}

/// Nothing is sent without the membership that it belongs to.
fn no_member(message: &str) -> Failure {
    Failure {
        remedy: Remedy::Abort,
        call: "send_offsets_to_transaction",
        code: native::code_name(Code::UnknownMemberId),
        message: message.to_owned(),
    }
}

fn failure(error: KafkaError, call: &'static str) -> Failure {
    ClientError::from(error).failure(Phase::Consume, call)
}
