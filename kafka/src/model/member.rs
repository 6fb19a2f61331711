//! A member of a group with its transactional id: all that a lane asks of Kafka.

use std::time::Duration;

use super::cluster::{Cluster, Identity};
use super::code::Code;
use super::consumer::Consumer;
use super::fault::Call;
use super::group::MemberId;
use super::outbox::ProgressOf;
use super::process::Process;
use super::producer::Producer;
use crate::lane::broker::{Broker, Locate, Polled, Sent};
use crate::{Deliveries, Failure, Offset, Outgoing, Partition, ProduceError, Remedy, Transactions};

/// The model's side of a lane. It joins its group at its first poll. Dropped, it leaves the group
/// at once (unless it has a slot), and its transaction stays open.
#[derive(Debug)]
pub struct Member {
    consumer: Consumer,
    producer: Producer,
}

impl Member {
    pub(super) fn new(cluster: Cluster, identity: Identity) -> Self {
        let Identity { group, topic, transactional_id, slot } = identity;
        let member = {
            let mut state = cluster.lock();
            let (member, now) = (state.new_member(), state.now);
            state.groups.entry(group.clone()).or_default().register(member, slot, now);
            member
        };
        let process = Process::new(cluster.clone(), transactional_id, Some(member));
        let producer = Producer::new(process);
        Self { consumer: Consumer::new(cluster, group, topic, member), producer }
    }

    /// Its name in the group.
    pub fn id(&self) -> MemberId {
        self.consumer.member
    }

    /// Its process dies: it doesn't leave the group, its session must run out.
    pub fn crash(&mut self) {
        self.producer.process.die();
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if self.producer.process.is_alive() {
            self.consumer.leave();
        }
    }
}

impl Broker for Member {
    fn poll(&mut self, wait: Duration) -> Result<Option<Polled>, Failure> {
        self.producer.fault_of(Call::Poll)?;
        self.consumer.poll(wait)
    }

    fn accept(&mut self, partitions: &[Partition]) -> Result<(), Failure> {
        self.consumer.accept(partitions)
    }

    fn locate(&mut self, request: Locate) {
        match self.producer.fault_of(Call::Locate) {
            Ok(_) => self.consumer.ask(request),
            Err(failure) => self.consumer.fail_question(request.id, failure),
        }
    }

    fn start(&mut self, partition: Partition, offset: Offset) -> Result<(), Failure> {
        self.consumer.start(partition, offset)
    }

    fn rest(&mut self, wait: Duration) {
        self.consumer.cluster.advance(wait);
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
        // Without a membership the group coordinator would check nothing, so nothing is sent.
        let membership = self.consumer.membership().ok_or_else(|| {
            Code::UnknownMemberId.failure_with(Call::SendProgress.name(), Remedy::Abort)
        })?;
        let progress = ProgressOf {
            group: &self.consumer.group,
            topic: &self.consumer.topic,
            membership: Some(membership),
            sent: progress,
        };
        let sent = self.producer.send_progress(&progress, wait);
        let is_fence = |failure: &Failure| failure.code == Code::FencedInstanceId.name();
        if sent.as_ref().is_err_and(is_fence) {
            self.consumer.note_fence();
        }
        sent
    }
}

impl Transactions for Member {
    fn now(&self) -> Duration {
        self.producer.now()
    }

    fn ready(&mut self, wait: Duration) -> Result<bool, Failure> {
        if self.consumer.knows_of_fence() {
            self.consumer.cluster.advance(wait);
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
