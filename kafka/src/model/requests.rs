//! What the cluster's brokers do for a request.

use std::time::Duration;

use longshore_schemas::{Timestamp, TopicName};

use super::code::Code;
use super::fault::Held;
use super::log::Fate;
use super::offsets::TopicPartition;
use super::state::{Progress, Request, State};
use super::transactional_id::{Ending, Parts, ProducerId, Session, TransactionalId};
use crate::lane::broker::{Locate, PartitionFacts};
use crate::lane::marks::{Place, is_of};
use crate::{Offset, Outgoing, Partition, Record, TopicId};

/// The broker's `offset.metadata.max.bytes`.
const METADATA_BYTES_MAX: usize = 4096;

/// A record on its way to a partition.
#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) to: TopicPartition,
    pub(super) output: Outgoing,
}

impl State {
    /// InitProducerId: fences whoever had the id, ends its transaction, and answers once its
    /// markers are written.
    pub(super) fn initialise(&mut self, id: &str) -> Result<Session, Code> {
        if !self.ids.contains_key(id) {
            let new = TransactionalId::new(self.new_producer());
            self.ids.insert(id.to_owned(), new);
        }
        self.settled(id)?;
        self.seen.taken_over += u64::from(self.fence(id));
        self.settled(id)
    }

    fn settled(&self, id: &str) -> Result<Session, Code> {
        let known = self.ids.get(id).ok_or(Code::InvalidTxnState)?;
        if known.is_ending() { Err(Code::ConcurrentTransactions) } else { Ok(known.session) }
    }

    /// Raises the id's epoch. True if that ended a transaction.
    pub(super) fn fence(&mut self, id: &str) -> bool {
        let ended = self.ids.get_mut(id).is_some_and(TransactionalId::fence);
        if ended {
            self.seen.count(Ending::Abort);
            self.write_markers(id);
        }
        ended
    }

    /// AddPartitionsToTxn (unless the client has sent it before: `enlisted`) and Produce.
    pub(super) fn write(
        &mut self,
        id: &str,
        session: Session,
        enlisted: bool,
        write: &Write,
    ) -> Result<Offset, Code> {
        if self.log(&write.to).is_none() {
            return Err(Code::UnknownTopicOrPartition);
        }
        let parts = self.parts(id, session, enlisted)?;
        if enlisted && !parts.partitions.contains(&write.to) {
            return Err(Code::InvalidTxnState);
        }
        parts.partitions.insert(write.to.clone());
        self.append(write, Fate::Open(session.producer))
    }

    /// Appends a record.
    pub(super) fn append(&mut self, write: &Write, fate: Fate) -> Result<Offset, Code> {
        let output = &write.output;
        let topic = self.topics.get(&write.to.0).ok_or(Code::UnknownTopicOrPartition)?;
        if output.bytes() > topic.message_bytes_max {
            return Err(Code::MessageTooLarge);
        }
        let record = Record {
            topic: write.to.0.clone(),
            partition: write.to.1,
            offset: Offset(0),
            key: output.key.clone(),
            value: output.value.clone(),
            headers: output.headers.clone(),
            timestamp: output.timestamp.or(Some(self.timestamp())),
        };
        let log = self.log_mut(&write.to).ok_or(Code::UnknownTopicOrPartition)?;
        Ok(log.append(record, fate))
    }

    /// AddOffsetsToTxn.
    pub(super) fn enlist_group(&mut self, progress: &Progress) -> Result<(), Code> {
        let parts = self.parts(&progress.id, progress.session, false)?;
        parts.groups.insert(progress.group.clone());
        Ok(())
    }

    /// What may come late.
    pub(super) fn serve(&mut self, request: &Request) -> Result<(), Code> {
        match request {
            Request::End { id, session, ending } => self.end(id, *session, *ending),
            Request::Progress(progress) => self.store_progress(progress),
        }
    }

    /// TxnOffsetCommit. Only a transaction that expects progress of this group takes it, whichever
    /// transaction it was sent for (KIP-890 part 1). If one is decided and has its marker still to
    /// come, the group is asked, whose log knows only whether that has progress of it already.
    fn store_progress(&mut self, progress: &Progress) -> Result<(), Code> {
        let known = self.ids.get_mut(&progress.id).ok_or(Code::Fenced)?;
        let is_decided = known.is_ending();
        let parts = self.seen.count_fenced(known.parts_until_over(progress.session))?;
        let is_expected = parts.groups.contains(&progress.group);
        let group = self.groups.entry(progress.group.clone()).or_default();
        if !is_expected || (is_decided && !group.offsets.is_pending(progress.session.producer)) {
            return Err(Code::InvalidTxnState);
        }
        if let Err(code) = group.check(progress.membership) {
            self.seen.stale_members += 1;
            return Err(code);
        }
        let too_large = |it: &str| it.len() > METADATA_BYTES_MAX;
        if progress.sent.iter().any(|it| too_large(&it.committed.metadata)) {
            return Err(Code::MetadataTooLarge);
        }
        for sent in &progress.sent {
            let of = (progress.topic.clone(), sent.partition);
            group.offsets.add_pending(progress.session.producer, of, sent.committed.clone());
        }
        Ok(())
    }

    /// EndTxn. A repeated one is answered like the first.
    fn end(&mut self, id: &str, session: Session, ending: Ending) -> Result<(), Code> {
        let known = self.ids.get_mut(id).ok_or(Code::Fenced)?;
        let decided = self.seen.count_fenced(known.end(session, ending))?;
        if decided {
            self.seen.count(ending);
            self.write_markers(id);
        }
        Ok(())
    }

    /// Whether there is an answer about a partition: not while an open transaction may change it.
    pub(super) fn tells(&self, group: &str, topic: &TopicName, partition: Partition) -> bool {
        let of = (topic.clone(), partition);
        let is_stable = self.groups.get(group).is_none_or(|it| it.offsets.is_stable(&of));
        is_stable && !self.leaderless.contains(&of)
    }

    /// OffsetFetch (stable) and ListOffsets.
    pub(super) fn facts(
        &self,
        group: &str,
        topic: &TopicName,
        request: &Locate,
    ) -> Result<Vec<PartitionFacts>, Code> {
        let offsets = self.groups.get(group).map(|it| &it.offsets);
        let facts = |&partition: &Partition| {
            let of = (topic.clone(), partition);
            let log = self.log(&of).ok_or(Code::UnknownTopicOrPartition)?;
            let committed = offsets.and_then(|it| it.get(&of)).cloned();
            let id = self.topics[topic].id;
            let place = Place { group, topic, partition };
            let marks = request.marks.as_ref().filter(|_| committed.is_none());
            Ok(PartitionFacts {
                partition,
                topic_id: id,
                committed,
                begun: marks.is_some_and(|marks| self.is_marked(marks, place, id)),
                siblings_committed: offsets.is_some_and(|it| it.has_siblings(&of)),
                log_start: log.start(),
                log_end: log.stable_end(),
                time_offset: request.time.map(|time| log.offset_at(Timestamp(time))),
            })
        };
        request.partitions.iter().map(facts).collect()
    }

    fn is_marked(&self, marks: &TopicName, place: Place<'_>, id: TopicId) -> bool {
        let logs = self.topics.get(marks).into_iter().flat_map(|topic| &topic.partitions);
        let key = place.key();
        let of_place = |it: &&Record| it.key.as_deref() == Some(key.as_bytes());
        logs.flat_map(|log| log.decided(&[]))
            .filter(of_place)
            .any(|it| is_of(it.value.as_ref(), id))
    }

    /// Holds these markers from now on, and writes what was held of others.
    pub(super) fn hold_markers(&mut self, held: Option<Held>) {
        self.held = held;
        for id in self.ids.keys().cloned().collect::<Vec<_>>() {
            self.write_markers(&id);
        }
    }

    /// A request is sent that arrives later.
    pub(super) fn send_late(&mut self, after: Duration, request: Request) {
        self.late.push((self.now + after, request));
    }

    fn parts(&mut self, id: &str, session: Session, open: bool) -> Result<&mut Parts, Code> {
        let now = self.now;
        let known = self.ids.get_mut(id).ok_or(Code::Fenced)?;
        let parts = if open { known.parts(session) } else { known.enlist(session, now) };
        self.seen.count_fenced(parts)
    }

    /// Producers whose transactions count, though their markers aren't all written.
    pub(super) fn committing(&self) -> Vec<ProducerId> {
        let committing = self.ids.values().filter(|it| it.is_committing());
        committing.map(|it| it.session.producer).collect()
    }

    /// Each partition gets its marker, each group its progress or none, but for what is held.
    fn write_markers(&mut self, id: &str) {
        let at = self.timestamp();
        let Some(known) = self.ids.get_mut(id) else {
            return;
        };
        let producer = known.session.producer;
        let Some((ending, parts)) = known.take_markers(self.held) else {
            return;
        };
        for partition in &parts.partitions {
            if let Some(log) = self.log_mut(partition) {
                log.mark(producer, ending.fate(), at);
            }
        }
        for name in &parts.groups {
            let offsets = &mut self.groups.entry(name.clone()).or_default().offsets;
            match ending {
                Ending::Commit => offsets.commit_pending(producer),
                Ending::Abort => offsets.drop_pending(producer),
            }
        }
    }
}
