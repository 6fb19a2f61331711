//! What a join writes, record by record.

use bytes::Bytes;
use longshore_kafka::lane::step::StepError;
use longshore_kafka::{Offset, Outgoing, Partition, Record};
use longshore_schemas::records::{GroupResult, InboxRecord, JournalRecord, Tick};
use longshore_schemas::{
    Codec, EncodeError, GroupId, Headers, Origin, ResultOrigin, Timestamp, TopicName, headers,
};
use longshore_telemetry::TraceContext;

use crate::carrying;
use crate::closing::Gathered;
use crate::config::JoinConfig;
use crate::gather::{Cancel, Carry, Conflict, Late, Orphan};

/// Writes the records of one inbox partition.
#[derive(Clone, Copy)]
pub struct Outputs<'a> {
    /// The join.
    pub config: &'a JoinConfig,
    /// The inbox partition.
    pub partition: Partition,
}

impl Outputs<'_> {
    /// A group's result and the journal's record. A result that can't be written is a FAILED one.
    pub fn gathered(
        self,
        mut gathered: Gathered,
        trace: &TraceContext,
    ) -> Result<Vec<Outgoing>, StepError> {
        let codec = Codec::<GroupResult>::shared()?;
        let value = match codec.encode(&gathered.result) {
            Ok(value) => value,
            Err(error) => {
                gathered.fail("unencodable", &error.to_string());
                codec.encode(&gathered.result)?
            }
        };
        let closed = &gathered.closed;
        let mut headers = Headers::new();
        let origin = ResultOrigin {
            join: self.config.join.clone(),
            group_id: closed.group_id.clone(),
            revision: closed.revision,
            index: 0,
        };
        origin.write(&mut headers);
        headers.set_text(headers::ID, &closed.group_id);
        trace.child().write(|name, value| match value {
            Some(value) => headers.set_text(name, value),
            None => headers.remove(name),
        });
        let key = gathered.key.clone().unwrap_or_else(|| key_of(&closed.group_id));
        let result = Outgoing {
            topic: self.config.topics.results.clone(),
            partition: None,
            key: Some(key),
            value: Some(value),
            headers,
            timestamp: None,
        };
        let journal = JournalRecord::Closed(gathered.closed);
        Ok(vec![result, self.journal(&journal)?])
    }

    /// A record of the journal.
    fn journal(self, record: &JournalRecord) -> Result<Outgoing, EncodeError> {
        Ok(Outgoing {
            topic: self.config.topics.journal.clone(),
            partition: Some(self.partition),
            key: None,
            value: Some(record.encode()?),
            headers: Headers::new(),
            timestamp: None,
        })
    }

    /// A late part, as it came.
    pub fn late(self, late: Late) -> Result<Outgoing, EncodeError> {
        let group = late.outcome.group_id.clone();
        let value = InboxRecord::Outcome(*late.outcome).encode()?;
        let cause = format!("{:?}", late.cause);
        Ok(self.aside(&self.config.topics.late, &group, value, (late.offset, cause)))
    }

    /// A record that contradicts what stands before it.
    pub fn conflict(self, conflict: &Conflict) -> Result<Outgoing, StepError> {
        let group = match &conflict.record {
            InboxRecord::Open(opening) => opening.group_id.clone(),
            InboxRecord::Seal(seal) => seal.group_id.clone(),
            InboxRecord::Outcome(outcome) => outcome.group_id.clone(),
            InboxRecord::Tick(_) => GroupId::from(""),
        };
        let mut record = conflict.record.clone();
        if let (InboxRecord::Outcome(outcome), Some(spilled)) = (&mut record, &conflict.spilled) {
            outcome.payload = Some(spilled.read()?);
        }
        let value = record.encode()?;
        let cause = format!("{:?}", conflict.cause);
        Ok(self.aside(&self.config.topics.conflicts, &group, value, (conflict.offset, cause)))
    }

    /// A part whose group nobody opened, and the journal's record.
    pub fn orphan(self, orphan: &Orphan) -> Result<Vec<Outgoing>, EncodeError> {
        let group = orphan.outcome.group_id.clone();
        let journal = self.journal(&JournalRecord::Orphaned(orphan.orphaned()))?;
        let value = InboxRecord::Outcome(orphan.outcome.clone()).encode()?;
        let place = (orphan.offset, "Orphan".to_owned());
        Ok(vec![self.aside(&self.config.topics.orphans, &group, value, place), journal])
    }

    /// A group that goes on from the journal.
    pub fn carry(self, carry: Carry) -> Result<Vec<Outgoing>, StepError> {
        let records = carrying::records(carry)?.into_iter();
        records.map(|record| Ok(self.journal(&JournalRecord::Carried(record))?)).collect()
    }

    /// The word that a group's other parts are no longer wanted.
    pub fn cancel(self, cancel: &Cancel) -> Outgoing {
        let mut headers = Headers::new();
        headers.set_text(headers::GROUP, &cancel.group_id);
        headers.set_text(headers::REVISION, cancel.revision);
        Outgoing {
            topic: self.config.topics.cancels.clone(),
            partition: None,
            key: Some(key_of(&cancel.group_id)),
            value: None,
            headers,
            timestamp: None,
        }
    }

    /// A record of the inbox that is none of ours, byte for byte.
    pub fn foreign(self, record: &Record, reason: &str) -> Outgoing {
        let mut headers = record.headers.clone();
        let failure = headers::Failure {
            class: "undecodable".to_owned(),
            message: reason.to_owned(),
            origin: self.origin(record.offset),
            attempts: 1,
            stage: self.config.join.clone(),
            failed_at: Timestamp::now(),
            item_time: record.timestamp,
        };
        failure.write(&mut headers);
        Outgoing {
            topic: self.config.topics.conflicts.clone(),
            partition: None,
            key: record.key.clone(),
            value: record.value.clone(),
            headers,
            timestamp: None,
        }
    }

    /// The passing of time.
    pub fn tick(self, at: Timestamp, owner: &str) -> Result<Outgoing, EncodeError> {
        let tick = InboxRecord::Tick(Tick { at, owner: owner.to_owned() });
        Ok(Outgoing {
            topic: self.config.topics.inbox.clone(),
            partition: Some(self.partition),
            key: None,
            value: Some(tick.encode()?),
            headers: Headers::new(),
            timestamp: None,
        })
    }

    /// A record that is set aside, with its place in the inbox and why.
    fn aside(
        self,
        topic: &TopicName,
        group: &GroupId,
        value: Bytes,
        (offset, cause): (i64, String),
    ) -> Outgoing {
        let mut headers = Headers::new();
        self.origin(Offset(offset)).write(&mut headers);
        headers.set_text(headers::ERROR_CLASS, cause);
        Outgoing {
            topic: topic.clone(),
            partition: None,
            key: Some(key_of(group)),
            value: Some(value),
            headers,
            timestamp: None,
        }
    }

    fn origin(self, offset: Offset) -> Origin {
        Origin {
            topic: self.config.topics.inbox.clone(),
            partition: self.partition.0,
            offset: offset.0,
            index: 0,
        }
    }
}

fn key_of(group: &GroupId) -> Bytes {
    Bytes::copy_from_slice(group.as_str().as_bytes())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use longshore_schemas::Revision;

    use super::*;
    use crate::fixture;
    use crate::gather::{ConflictCause, LateCause};
    use crate::spill::SpillFile;

    fn outputs(config: &JoinConfig) -> Outputs<'_> {
        Outputs { config, partition: Partition(3) }
    }

    fn decoded(output: &Outgoing) -> InboxRecord {
        InboxRecord::decode(output.value.as_ref().unwrap()).unwrap()
    }

    #[test]
    fn a_record_of_others_is_set_aside_byte_for_byte_with_its_place() {
        let config = fixture::join();
        let mut record = fixture::item(7, 50, &fixture::opening("g".into(), 1)).record.clone();
        record.key = Some("k".into());
        record.value = Some("none of ours".into());
        record.headers.set_text("tenant", "acme");
        let aside = outputs(&config).foreign(&record, "it doesn't read");
        assert_eq!(aside.topic, config.topics.conflicts);
        assert_eq!((&aside.key, &aside.value), (&record.key, &record.value));
        assert_eq!(aside.headers.text("tenant"), Some("acme"));
        let failure = headers::Failure::read(&aside.headers).unwrap().unwrap();
        assert_eq!((failure.class.as_str(), &*failure.message), ("undecodable", "it doesn't read"));
        assert_eq!(failure.origin.to_string(), "j.inbox/3/7/0");
        assert_eq!(failure.item_time, Some(Timestamp(50)));
    }

    #[test]
    fn a_late_part_is_set_aside_as_it_came() {
        let config = fixture::join();
        let part = fixture::part("g".into(), 5);
        let InboxRecord::Outcome(outcome) = part.clone() else {
            panic!("{part:?}");
        };
        let late = Late { cause: LateCause::Missing, offset: 7, outcome: Box::new(outcome) };
        let aside = outputs(&config).late(late).unwrap();
        assert_eq!((&aside.topic, decoded(&aside)), (&config.topics.late, part));
        let origin = Origin::read(&aside.headers).unwrap().unwrap();
        assert_eq!(origin.to_string(), "j.inbox/3/7/0");
    }

    #[test]
    fn a_conflict_has_its_payload_though_that_was_spilled() {
        let config = fixture::join();
        let part = fixture::part("g".into(), 5_000);
        let InboxRecord::Outcome(mut outcome) = part.clone() else {
            panic!("{part:?}");
        };
        let payload = outcome.payload.take().unwrap();
        let spilled = SpillFile::new(1 << 20).put(&payload).unwrap().unwrap();
        let conflict = Conflict {
            cause: ConflictCause::BeyondSeal,
            offset: 7,
            record: InboxRecord::Outcome(outcome),
            spilled: Some(Arc::new(spilled)),
        };
        let aside = outputs(&config).conflict(&conflict).unwrap();
        assert_eq!((&aside.topic, decoded(&aside)), (&config.topics.conflicts, part));
    }

    #[test]
    fn a_result_says_whose_it_is() {
        let config = fixture::join();
        let gathered = Gathered::given_up(fixture::closing("g".into()), 1);
        let written = outputs(&config).gathered(gathered, &TraceContext::root()).unwrap();
        let [result, journal] = &written[..] else {
            panic!("{written:?}");
        };
        let origin = ResultOrigin {
            join: "j".into(),
            group_id: "g".into(),
            revision: Revision::FIRST,
            index: 0,
        };
        assert_eq!(ResultOrigin::read(&result.headers), Ok(Some(origin)));
        assert_eq!((&result.topic, &result.key), (&config.topics.results, &Some("g".into())));
        let place = (&journal.topic, journal.partition);
        assert_eq!(place, (&config.topics.journal, Some(Partition(3))));
    }
}
