//! A Kafka that is always there and takes no time: what is left is what the lane itself costs.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use longshore::kafka::lane::broker::{Broker, Locate, Located, PartitionFacts, Polled, Sent};
use longshore::kafka::{
    Deliveries, Failure, Offset, Outgoing, Partition, ProduceError, Record, TopicId, Transactions,
};
use longshore::schemas::{Headers, Timestamp, TopicName};

/// What passes with each record: half a million a second.
const RECORD: Duration = Duration::from_micros(2);
/// And while there is nothing to read.
const IDLE: Duration = Duration::from_millis(1);

/// The records that are read, over and over, as one member who has all partitions.
#[derive(Debug)]
pub struct Flat {
    topic: TopicName,
    /// Keys and values; those of a partition are every so manieth.
    records: Vec<(Bytes, Bytes)>,
    partitions: usize,
    /// How many are read yet, and in all.
    read: usize,
    total: usize,
    events: VecDeque<Polled>,
    started: usize,
    /// While any partition is paused nothing comes of the others either: they are all alike.
    paused: usize,
    now: Duration,
    /// Records written.
    written: usize,
}

impl Flat {
    /// Gives `total` records, of these in turn.
    pub fn new(
        topic: TopicName,
        records: Vec<(Bytes, Bytes)>,
        partitions: usize,
        total: usize,
    ) -> Self {
        let assigned = Polled::Assigned(numbered(partitions).collect());
        Self {
            topic,
            records,
            partitions,
            read: 0,
            total,
            events: [assigned].into(),
            started: 0,
            paused: 0,
            now: Duration::from_secs(1),
            written: 0,
        }
    }

    /// Records that were written to it.
    pub fn written(&self) -> usize {
        self.written
    }

    /// As the client gives it: one piece of memory of its own.
    fn record(&self, number: usize) -> Record {
        let (key, value) = &self.records[number % self.records.len()];
        let copy = Bytes::from([key.as_ref(), value.as_ref()].concat());
        Record {
            topic: self.topic.clone(),
            partition: Partition((number % self.partitions) as i32),
            offset: Offset((number / self.partitions) as i64),
            key: Some(copy.slice(..key.len())),
            value: Some(copy.slice(key.len()..)),
            headers: Headers::with_capacity(0),
            timestamp: Some(Timestamp(1)),
        }
    }
}

fn numbered(partitions: usize) -> impl Iterator<Item = Partition> {
    (0..partitions).map(|number| Partition(number as i32))
}

impl Transactions for Flat {
    fn now(&self) -> Duration {
        self.now
    }

    fn ready(&mut self, _: Duration) -> Result<bool, Failure> {
        Ok(true)
    }

    fn begin(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn produce(&mut self, _: &Outgoing, _: usize) -> Result<(), ProduceError> {
        self.written += 1;
        Ok(())
    }

    fn deliveries(&mut self, _: Duration) -> Deliveries {
        Deliveries::default()
    }

    fn commit(&mut self, _: Duration) -> Result<(), Failure> {
        Ok(())
    }

    fn abort(&mut self, _: Duration) -> Result<(), Failure> {
        Ok(())
    }

    fn tainted(&self) -> bool {
        false
    }

    fn discard_producer(&mut self) {}
}

impl Broker for Flat {
    fn poll(&mut self, wait: Duration) -> Result<Option<Polled>, Failure> {
        if let Some(event) = self.events.pop_front() {
            return Ok(Some(event));
        }
        if self.started < self.partitions || self.paused > 0 || self.read == self.total {
            self.now += wait.max(IDLE);
            return Ok(None);
        }
        self.now += RECORD;
        self.read += 1;
        Ok(Some(Polled::Record(self.record(self.read - 1))))
    }

    fn accept(&mut self, _: &[Partition]) -> Result<(), Failure> {
        Ok(())
    }

    fn locate(&mut self, request: Locate) {
        let facts = |partition: &Partition| PartitionFacts {
            partition: *partition,
            topic_id: TopicId::new(1),
            committed: None,
            siblings_committed: false,
            begun: false,
            log_start: Offset(0),
            log_end: Offset(self.total as i64),
            time_offset: None,
        };
        let partitions = Ok(request.partitions.iter().map(facts).collect());
        self.events.push_back(Polled::Located(Located { id: request.id, partitions }));
    }

    fn start(&mut self, _: Partition, _: Offset) -> Result<(), Failure> {
        self.started += 1;
        Ok(())
    }

    fn rest(&mut self, wait: Duration) {
        self.now += wait;
    }

    fn pause(&mut self, partitions: &[Partition]) -> Result<(), Failure> {
        self.paused += partitions.len();
        Ok(())
    }

    fn resume(&mut self, partitions: &[Partition]) -> Result<(), Failure> {
        self.paused -= partitions.len();
        Ok(())
    }

    fn release(&mut self, _: &[Partition]) -> Result<(), Failure> {
        Ok(())
    }

    fn send_progress(&mut self, _: &[Sent], _: Duration) -> Result<(), Failure> {
        Ok(())
    }
}
