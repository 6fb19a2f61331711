//! The client's side of a group: partitions that come and go, and the reading of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use longshore_schemas::TopicName;
use rand::seq::IndexedRandom;

use super::cluster::Cluster;
use super::code::Code;
use super::group::{Group, MemberId, Membership};
use super::log::Log;
use super::state::Topic;
use crate::lane::broker::{Locate, Located, Polled, topic_made_anew};
use crate::{Failure, Offset, Partition, Record, Remedy, TopicId};

/// A consumer.
#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) cluster: Cluster,
    pub(super) group: String,
    pub(super) topic: TopicName,
    pub(super) member: MemberId,
    /// The topic that it has met under this name.
    topic_id: Option<TopicId>,
    readings: BTreeMap<Partition, Reading>,
    /// Assigned, not yet accepted. While a rebalance waits for its answer, librdkafka reads nothing
    /// (`rd_kafka_assignment_pause`).
    offered: BTreeSet<Partition>,
    /// Revoked, not yet released.
    asked_back: BTreeSet<Partition>,
    /// The same, of a membership that was lost meanwhile: nobody waits for the answer.
    asked_in_vain: BTreeSet<Partition>,
    questions: VecDeque<Locate>,
    answers: VecDeque<Located>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Reading {
    /// Where to read on; none until started, and after it was out of range.
    position: Option<Offset>,
    flow: Flow,
    /// The end that was reported last.
    reported_end: Option<Offset>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Flow {
    #[default]
    Reading,
    Paused,
}

/// What comes next in a partition.
enum Ahead<'a> {
    Record(&'a Record),
    End(Offset),
    OutOfRange,
}

impl Consumer {
    pub(super) fn new(cluster: Cluster, group: String, topic: TopicName, member: MemberId) -> Self {
        Self {
            cluster,
            group,
            topic,
            member,
            topic_id: None,
            readings: BTreeMap::new(),
            offered: BTreeSet::new(),
            asked_back: BTreeSet::new(),
            asked_in_vain: BTreeSet::new(),
            questions: VecDeque::new(),
            answers: VecDeque::new(),
        }
    }

    /// The next event. Waiting is what makes the cluster's time pass.
    pub(super) fn poll(&mut self, wait: Duration) -> Result<Option<Polled>, Failure> {
        self.hear()?;
        if let Some(event) = self.with_group(|group, id| group.next_event(id)).flatten() {
            self.note(&event);
            return Ok(Some(event));
        }
        if let Some(located) = self.answer() {
            return Ok(Some(Polled::Located(located)));
        }
        if self.owes_no_answer()
            && let Some(read) = self.read()
        {
            return Ok(Some(read));
        }
        self.cluster.advance(wait);
        Ok(None)
    }

    pub(super) fn accept(&mut self, partitions: &[Partition]) -> Result<(), Failure> {
        for partition in partitions {
            if !self.offered.remove(partition) {
                return Err(misuse("incremental_assign", *partition, "wasn't assigned"));
            }
            self.readings.insert(*partition, Reading::default());
        }
        Ok(())
    }

    pub(super) fn start(&mut self, partition: Partition, offset: Offset) -> Result<(), Failure> {
        let reading = self.reading("seek", partition)?;
        *reading = Reading { position: Some(offset), flow: reading.flow, reported_end: None };
        Ok(())
    }

    pub(super) fn pause(&mut self, partitions: &[Partition]) -> Result<(), Failure> {
        partitions.iter().try_for_each(|&it| {
            self.reading("pause", it)?.flow = Flow::Paused;
            Ok(())
        })
    }

    pub(super) fn resume(&mut self, partitions: &[Partition]) -> Result<(), Failure> {
        partitions.iter().try_for_each(|&it| {
            self.reading("resume", it)?.flow = Flow::Reading;
            Ok(())
        })
    }

    pub(super) fn release(&mut self, partitions: &[Partition]) -> Result<(), Failure> {
        for partition in partitions {
            if self.asked_in_vain.remove(partition) {
                continue;
            }
            if !self.asked_back.remove(partition) {
                return Err(misuse("incremental_unassign", *partition, "wasn't asked back"));
            }
            self.offered.remove(partition);
            self.readings.remove(partition);
        }
        self.with_group(|group, id| group.release(id, partitions));
        Ok(())
    }

    pub(super) fn ask(&mut self, request: Locate) {
        self.questions.push_back(request);
    }

    /// Answers a question with a failure.
    pub(super) fn fail_question(&mut self, id: u64, failure: Failure) {
        self.answers.push_back(Located { id, partitions: Err(failure) });
    }

    /// The membership as the client knows it now.
    pub(super) fn membership(&self) -> Option<Membership> {
        self.with_group(|group, id| group.membership(id)).flatten()
    }

    /// Its progress was refused because somebody else has its slot.
    pub(super) fn note_fence(&mut self) {
        self.with_group(Group::tell_fence);
    }

    /// Whether it knows that somebody else has its slot.
    pub(super) fn knows_of_fence(&self) -> bool {
        self.with_group(|group, id| group.knows_of_fence(id)).unwrap_or_default()
    }

    /// Goes away as a client does that is closed.
    pub(super) fn leave(&mut self) {
        self.with_group(Group::leave);
    }

    fn hear(&mut self) -> Result<(), Failure> {
        let idle = self.owes_no_answer();
        let mut state = self.cluster.lock();
        let (now, topic) = (state.now, state.topics.get(&self.topic));
        let partitions = topic.map_or(0, Topic::partition_count);
        match (self.topic_id, topic.map(|it| it.id)) {
            (Some(before), Some(now)) if before != now => return Err(topic_made_anew(before, now)),
            (before, found) => self.topic_id = before.or(found),
        }
        let Some(group) = state.groups.get_mut(&self.group) else {
            return Ok(());
        };
        let heard = group.polled(self.member, idle, partitions, now);
        if let Err((code, remedy)) = heard {
            state.seen.slots_lost += u64::from(remedy == Remedy::Leave);
            drop(state);
            if remedy == Remedy::Leave {
                self.lose_all();
            }
            return Err(code.failure_with("poll", remedy));
        }
        Ok(())
    }

    /// What it held is gone, and with it what it was asked for.
    fn lose_all(&mut self) {
        self.readings.clear();
        self.offered.clear();
        self.asked_in_vain.append(&mut self.asked_back);
    }

    fn note(&mut self, event: &Polled) {
        match event {
            Polled::Assigned(partitions) => self.offered.extend(partitions),
            Polled::Revoked { partitions, .. } => self.asked_back.extend(partitions),
            _ => {}
        }
    }

    fn owes_no_answer(&self) -> bool {
        self.offered.is_empty() && self.asked_back.is_empty()
    }

    /// The answer to the first question that has one, at least for some of its partitions.
    fn answer(&mut self) -> Option<Located> {
        if let Some(ready) = self.answers.pop_front() {
            return Some(ready);
        }
        let state = self.cluster.lock();
        let tells = |it: &Partition| state.tells(&self.group, &self.topic, *it);
        let has_answer = |it: &Locate| it.partitions.is_empty() || it.partitions.iter().any(tells);
        let index = self.questions.iter().position(has_answer)?;
        let question = self.questions.remove(index)?;
        let (told, left) = question.partitions.iter().partition(|it| tells(it));
        let facts =
            state.facts(&self.group, &self.topic, &Locate { partitions: told, ..question.clone() });
        let left = Locate { partitions: left, ..question };
        let id = left.id;
        if facts.is_ok() && !left.partitions.is_empty() {
            self.questions.push_back(left);
        }
        let partitions = facts.map_err(|code| code.failure("committed"));
        Some(Located { id, partitions })
    }

    /// Reads on in one of the partitions that have something, by the seed.
    fn read(&mut self) -> Option<Polled> {
        let mut state = self.cluster.lock();
        let ahead: Vec<_> = self
            .readings
            .iter()
            .filter(|(partition, reading)| {
                let log = state.log(&(self.topic.clone(), **partition));
                log.is_some_and(|log| reading.ahead(log).is_some())
            })
            .map(|(partition, _)| *partition)
            .collect();
        let partition = *ahead.choose(&mut state.rng)?;
        let reading = self.readings.get_mut(&partition)?;
        let next = reading.ahead(state.log(&(self.topic.clone(), partition))?)?;
        Some(reading.step(partition, next))
    }

    fn reading(&mut self, call: &'static str, of: Partition) -> Result<&mut Reading, Failure> {
        self.readings.get_mut(&of).ok_or_else(|| misuse(call, of, "isn't accepted"))
    }

    fn with_group<T>(&self, act: impl FnOnce(&mut Group, MemberId) -> T) -> Option<T> {
        let mut state = self.cluster.lock();
        state.groups.get_mut(&self.group).map(|group| act(group, self.member))
    }
}

impl Reading {
    fn ahead<'a>(&self, log: &'a Log) -> Option<Ahead<'a>> {
        let position = self.position.filter(|_| self.flow == Flow::Reading)?;
        if position < log.start() || position > log.end() {
            return Some(Ahead::OutOfRange);
        }
        if let Some(record) = log.next_committed(position) {
            return Some(Ahead::Record(record));
        }
        let end = log.stable_end();
        let news = position <= end && self.reported_end != Some(end);
        news.then_some(Ahead::End(end))
    }

    fn step(&mut self, partition: Partition, ahead: Ahead<'_>) -> Polled {
        match ahead {
            Ahead::Record(record) => {
                self.position = Some(record.offset.next());
                Polled::Record(record.clone())
            }
            Ahead::End(position) => {
                self.position = Some(position);
                self.reported_end = Some(position);
                Polled::EndOfPartition { partition, position }
            }
            Ahead::OutOfRange => {
                self.position = None;
                Polled::OutOfRange
            }
        }
    }
}

/// The lane called what makes no sense now: a bug of the lane's.
fn misuse(call: &'static str, partition: Partition, why: &str) -> Failure {
    let failure = Code::State.failure_with(call, Remedy::Stop);
    Failure { message: format!("partition {partition} {why}"), ..failure }
}
