//! The open groups of a join: its inbox, taken through the same gather as its owner's, read-only.

use bytes::Bytes;
use longshore_coordinator::gather::{Effect, Gather, OpenGroup, Room, Rules};
use longshore_coordinator::{JoinState, JournalFrom, read_journal};
use longshore_kafka::admin::{Isolation, Stability};
use longshore_kafka::reader::{Range, Reader};
use longshore_kafka::{Offset, Partition, Record};
use longshore_schemas::records::{ExpectedPart, InboxRecord, JournalRecord, PartOutcome};
use longshore_schemas::{GroupId, TopicName};
use sha2::{Digest, Sha256};

use super::consumer::{Consumer, Kind};
use super::error::InspectError;
use super::observer::{Observer, PATIENCE};
use super::standing::{Progress, Standing};
use crate::pipeline::{Join, Pipeline};

/// The join whose groups are asked for.
pub struct JoinView {
    /// Its group and its inbox.
    pub consumer: Consumer,
    /// Its journal.
    pub journal: TopicName,
    /// Its rules.
    pub rules: Rules,
    /// Inbox records that may be read of one partition: a replay takes time, and memory for every
    /// group that is open in it (at most `open_bytes_max` of the rules; payloads aren't kept).
    pub records_max: u64,
}

/// A group that is open, and what it waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The inbox partition that holds it.
    pub partition: Partition,
    /// The group.
    pub group: OpenGroup,
    /// The parts that haven't ended.
    pub missing: Vec<ExpectedPart>,
}

impl JoinView {
    /// A join of a pipeline, with the bound of what is read of it.
    pub fn of(pipeline: &Pipeline, join: &Join, records_max: u64) -> Self {
        let consumer = Consumer {
            name: join.name.as_str().into(),
            kind: Kind::Join,
            group: pipeline.join_group(join),
            topic: pipeline.inbox(join),
        };
        let (journal, rules) = (pipeline.journal(join), join.rules.clone());
        Self { consumer, journal, rules, records_max }
    }

    /// The open groups that are wanted, partition by partition.
    pub fn open_groups(
        &self,
        observer: &Observer,
        wanted: impl Fn(&GroupId) -> bool,
    ) -> Result<Vec<Waiting>, InspectError> {
        let topic = &self.consumer.topic;
        let mut reader = observer.reader(topic, Isolation::Committed)?;
        let mut found = Vec::new();
        for standing in observer.standings(&self.consumer, Stability::Stable)? {
            let gather = self.replay(observer, &mut reader, &standing)?;
            let groups = gather.open_groups().filter(|it| wanted(&it.group_id));
            found.extend(groups.map(|group| Waiting {
                partition: standing.partition,
                missing: gather.missing(&group.group_id),
                group,
            }));
        }
        found.sort_by_key(|it| (it.group.deadline, it.group.opened_offset));
        Ok(found)
    }

    /// One partition, as its next owner would find it, and then up to the end of its inbox.
    fn replay(
        &self,
        observer: &Observer,
        reader: &mut Reader,
        standing: &Standing,
    ) -> Result<Gather, InspectError> {
        let state = self.state(standing)?;
        let mut gather = Gather::new(self.rules.clone());
        self.recall(observer, standing.partition, state, &mut gather)?;
        let log = &standing.log;
        let position = standing.progress.position().unwrap_or(log.log_start);
        let low = state.map_or(position, |it| Offset(it.low).min(position));
        let range = Range {
            partition: standing.partition,
            from: low.max(log.log_start),
            to: log.last_stable,
        };
        let mut inbox = Inbox::new(self, &mut gather, position);
        for record in reader.read(&[range], PATIENCE)? {
            inbox.take(&record?)?;
        }
        inbox.resume();
        Ok(gather)
    }

    fn state(&self, standing: &Standing) -> Result<Option<JoinState>, InspectError> {
        let Progress::Ours(metadata) = &standing.progress else {
            return Ok(None);
        };
        if metadata.state.is_empty() {
            return Ok(None);
        }
        let state = metadata.state.parse();
        state.map(Some).map_err(|reason| InspectError::State {
            group: self.consumer.group.clone(),
            topic: self.consumer.topic.clone(),
            partition: standing.partition,
            reason,
        })
    }

    fn recall(
        &self,
        observer: &Observer,
        partition: Partition,
        state: Option<JoinState>,
        gather: &mut Gather,
    ) -> Result<(), InspectError> {
        let retention = self.rules.closed_retention;
        let from = JournalFrom {
            offset: state.map_or(0, |it| it.journal),
            since: state.map(|it| it.watermark.minus(retention)),
        };
        let read = read_journal(observer.settings(), &self.journal, partition, from);
        let read = read.map_err(|reason| InspectError::Journal {
            topic: self.journal.clone(),
            partition,
            reason: reason.to_string(),
        })?;
        if let Some(state) = state {
            gather.recall_time(state.watermark);
        }
        for mut record in read.records {
            if let JournalRecord::Carried(carried) = &mut record {
                carried.parts.iter_mut().for_each(|part| digest(&mut part.outcome));
            }
            gather.recall(record);
        }
        Ok(())
    }
}

/// A copy of a part says the same; what that is needn't be known here, and wouldn't fit into memory
/// where the owner spills it.
fn digest(outcome: &mut PartOutcome) {
    if let Some(payload) = &outcome.payload {
        outcome.payload = Some(Bytes::copy_from_slice(&Sha256::digest(payload)));
    }
}

/// A partition's inbox on its way through the gather.
struct Inbox<'a> {
    view: &'a JoinView,
    gather: &'a mut Gather,
    /// Before it the owner has done what is to be done; behind it nobody has.
    position: Offset,
    is_live: bool,
    count: u64,
}

impl<'a> Inbox<'a> {
    fn new(view: &'a JoinView, gather: &'a mut Gather, position: Offset) -> Self {
        Self { view, gather, position, is_live: false, count: 0 }
    }

    fn take(&mut self, record: &Record) -> Result<(), InspectError> {
        self.count += 1;
        if self.count > self.view.records_max {
            let max = self.view.records_max;
            let limit = format!("{max} inbox records were read; raise --records-max");
            return Err(too_much(record, limit));
        }
        if record.offset >= self.position {
            self.resume();
        }
        // What doesn't read is set aside by the owner, and belongs to no group.
        let decoded = record.value.as_ref().map(|it| InboxRecord::decode(it));
        match decoded {
            Some(Ok(decoded)) => self.absorb(record, decoded),
            Some(Err(_)) | None => Ok(()),
        }
    }

    fn absorb(&mut self, record: &Record, mut decoded: InboxRecord) -> Result<(), InspectError> {
        let (at, appended) = (record.offset.0, record.timestamp.unwrap_or_default());
        if let InboxRecord::Outcome(outcome) = &mut decoded {
            digest(outcome);
        }
        if self.gather.room_for(&decoded, 0) != Room::Memory {
            let limit = "the open groups take all of the join's `open_bytes_max`".to_owned();
            return Err(too_much(record, limit));
        }
        if !self.is_live {
            self.gather.replay(at, appended, decoded);
        } else {
            let effects = self.gather.absorb(at, appended, decoded);
            self.settle(&effects);
        }
        Ok(())
    }

    /// The replay of what the owner has absorbed is over.
    fn resume(&mut self) {
        if !self.is_live {
            self.is_live = true;
            let effects = self.gather.resume();
            self.settle(&effects);
        }
    }

    /// What is to be done is the owner's to do: here the groups are only closed.
    fn settle(&mut self, effects: &[Effect]) {
        for hold in effects.iter().filter_map(Effect::releases) {
            self.gather.settled(hold);
        }
    }
}

fn too_much(record: &Record, limit: String) -> InspectError {
    InspectError::TooMuch {
        what: "the replay",
        topic: record.topic.clone(),
        partition: record.partition,
        offset: record.offset,
        limit,
    }
}
