//! A member that does what a lane does with its group: it accepts, releases and keeps polling.

use std::collections::BTreeSet;
use std::time::Duration;

use longshore_kafka::lane::broker::{Broker, Locate, Located, PartitionFacts, Polled};
use longshore_kafka::{Failure, Offset, Partition, Record, Remedy};
use longshore_schemas::TopicName;

use super::harness::{Harness, Troubles, Who};
use super::transaction::make_ready;

const WAIT: Duration = Duration::from_millis(50);
/// How long something must stay away to count as absent. What would come takes milliseconds.
const SILENCE: Duration = Duration::from_millis(1_500);

/// A member and what it owns.
pub struct Seat<B> {
    pub broker: B,
    pub owned: BTreeSet<Partition>,
    patience: Duration,
    questions: u64,
}

impl<B: Broker> Seat<B> {
    /// A member that has yet to join.
    pub fn new<H: Harness<Member = B>>(harness: &H, who: &Who) -> Self {
        Self::of(harness, harness.member(who))
    }

    fn of<H: Harness<Member = B>>(_: &H, broker: B) -> Self {
        Self { broker, owned: BTreeSet::new(), patience: H::PATIENCE, questions: 0 }
    }

    /// A member that owns so many partitions, and whose producer is ready.
    pub fn joined<H: Harness<Member = B>>(harness: &H, who: &Who, partitions: usize) -> Self {
        Self::new(harness, who).who_joins(partitions)
    }

    /// The same, exposed to trouble.
    pub fn exposed<H: Troubles<Member = B>>(harness: &H, who: &Who, partitions: usize) -> Self {
        Self::of(harness, harness.exposed_member(who)).who_joins(partitions)
    }

    fn who_joins(mut self, partitions: usize) -> Self {
        make_ready(&mut self.broker);
        self.until_owned(partitions);
        self
    }

    /// Polls once, and answers the group.
    pub fn turn(&mut self) -> Option<Polled> {
        let event = self.polled();
        event.as_ref().into_iter().for_each(|event| self.answer_group(event));
        event
    }

    fn answer_group(&mut self, event: &Polled) {
        match event {
            Polled::Assigned(partitions) => {
                self.broker.accept(partitions).expect("accepts what was assigned");
                self.owned.extend(partitions);
            }
            Polled::Revoked { partitions, .. } => self.release(partitions),
            _ => {}
        }
    }

    /// Polls until it is told to stop. No record may come before that.
    pub fn stops(&mut self) -> Failure {
        let deadline = self.broker.now() + self.patience;
        loop {
            match self.broker.poll(WAIT) {
                Err(failure) if failure.remedy == Remedy::Stop => return failure,
                Ok(Some(Polled::Record(record))) => panic!("it reads on: {record:?}"),
                Ok(event) => event.iter().for_each(|event| self.answer_group(event)),
                Err(_) => {}
            }
            assert!(self.broker.now() < deadline, "it is never told to stop");
        }
    }

    /// The same, while another one is at work.
    pub fn stops_beside(&mut self, other: &mut Self) -> Failure {
        let deadline = self.broker.now() + self.patience;
        loop {
            match self.broker.poll(WAIT) {
                Err(failure) if failure.remedy == Remedy::Stop => return failure,
                other => assert!(matches!(other, Ok(None)), "it is no member: {other:?}"),
            }
            other.turn();
            assert!(self.broker.now() < deadline, "it is never told to stop");
        }
    }

    /// Polls until it hears that all that it held is lost.
    pub fn loses_all(&mut self) {
        let deadline = self.broker.now() + self.patience;
        loop {
            match self.broker.poll(WAIT) {
                Err(failure) if failure.remedy == Remedy::Leave => break,
                Ok(Some(Polled::Record(_) | Polled::EndOfPartition { .. }) | None) => {}
                other => panic!("{other:?}"),
            }
            assert!(self.broker.now() < deadline, "nobody tells it");
        }
        self.owned.clear();
    }

    /// Polls once, and leaves the answer to the test.
    pub fn polled(&mut self) -> Option<Polled> {
        match self.broker.poll(WAIT) {
            Ok(event) => event,
            Err(Failure { remedy: Remedy::Retry, .. }) => None,
            Err(failure) => panic!("{failure}"),
        }
    }

    /// Lets go of partitions.
    pub fn release(&mut self, partitions: &[Partition]) {
        self.broker.release(partitions).expect("releases what was asked back");
        self.owned.retain(|it| !partitions.contains(it));
    }

    /// Polls until something comes that is looked for.
    pub fn until<T>(&mut self, what: &str, mut pick: impl FnMut(&Polled) -> Option<T>) -> T {
        let deadline = self.broker.now() + self.patience;
        loop {
            if let Some(found) = self.turn().as_ref().and_then(&mut pick) {
                return found;
            }
            assert!(self.broker.now() < deadline, "waited in vain for {what}");
        }
    }

    /// Polls until so many partitions are owned.
    pub fn until_owned(&mut self, partitions: usize) {
        let deadline = self.broker.now() + self.patience;
        while self.owned.len() != partitions {
            self.turn();
            assert!(self.broker.now() < deadline, "waited in vain for {partitions} partitions");
        }
    }

    /// What comes while nothing should, apart from the end of partitions.
    pub fn during_silence(&mut self) -> Vec<Polled> {
        let deadline = self.broker.now() + SILENCE;
        let mut came = Vec::new();
        while self.broker.now() < deadline {
            came.extend(self.polled().filter(|it| !matches!(it, Polled::EndOfPartition { .. })));
        }
        came
    }

    /// Asks, without waiting for the answer.
    pub fn ask(&mut self, partitions: &[i32], time: Option<i64>) -> u64 {
        self.ask_about(partitions, time, None)
    }

    /// The same, and what was begun by what this topic says.
    pub fn ask_about(
        &mut self,
        partitions: &[i32],
        time: Option<i64>,
        marks: Option<&TopicName>,
    ) -> u64 {
        self.questions += 1;
        let (id, marks) = (self.questions, marks.cloned());
        let partitions = partitions.iter().copied().map(Partition).collect();
        self.broker.locate(Locate { id, partitions, time, marks });
        id
    }

    /// Waits for an answer.
    pub fn answer(&mut self, question: u64) -> Vec<PartitionFacts> {
        self.until("an answer", |event| match event {
            Polled::Located(Located { id, partitions }) if *id == question => {
                Some(partitions.clone().expect("the question has an answer"))
            }
            _ => None,
        })
    }

    /// What is known of one partition.
    pub fn facts(&mut self, partition: i32) -> PartitionFacts {
        let question = self.ask(&[partition], None);
        self.answer(question).pop().expect("one was asked about")
    }

    /// Begins to read.
    pub fn start(&mut self, partition: i32, offset: i64) {
        self.broker.start(Partition(partition), Offset(offset)).expect("starts");
    }

    /// Reads so many records.
    pub fn records(&mut self, count: usize) -> Vec<Record> {
        let mut records = Vec::new();
        while records.len() < count {
            records.push(self.until("a record", |event| match event {
                Polled::Record(record) => Some(record.clone()),
                _ => None,
            }));
        }
        records
    }
}

/// Polls both until they own so many partitions each.
pub fn share<B: Broker>(one: &mut Seat<B>, other: &mut Seat<B>, each: usize) {
    let deadline = one.broker.now() + one.patience;
    while one.owned.len() != each || other.owned.len() != each {
        one.turn();
        other.turn();
        assert!(one.broker.now() < deadline, "waited in vain for {each} partitions each");
    }
}

/// The offsets of records.
pub fn offsets(records: &[Record]) -> Vec<i64> {
    records.iter().map(|record| record.offset.0).collect()
}
