//! Longshore's form: the inbox of a join, as its splitter and stages write it, and its results.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use longshore::kafka::Record;
use longshore::schemas::records::{
    Expect, GroupOpen, GroupResult, GroupStatus, InboxRecord, PartOutcome, PartStatus,
};
use longshore::schemas::{Codec, Headers, Origin, PartId, Revision, Timestamp, TopicName, headers};

use super::{Form, Gathered, Groups, Step, id};
use crate::Work;
use crate::ground::PARTITIONS;

/// The stage whose outcomes are gathered.
pub const PART_STAGE: &str = "part";
/// How long a group waits for its parts: longer than all rounds take, so that none is ever late.
pub(crate) const GROUP_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);
/// A trace that nobody looks at.
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

/// The inbox of one join.
pub(crate) struct Inbox {
    /// The topic that the splitter wrote the parts to.
    parts: TopicName,
    /// When the groups were opened, by the splitter's clock.
    opened_at: Timestamp,
}

impl Inbox {
    /// That of a join whose groups are opened now. Their splitter wrote the parts to this topic.
    pub(crate) fn of(parts: TopicName) -> Self {
        Self { parts, opened_at: Timestamp::now() }
    }

    fn opening(&self, groups: &Groups, group: u64) -> InboxRecord {
        InboxRecord::Open(GroupOpen {
            group_id: id(group).into(),
            run_id: None,
            revision: Revision::FIRST,
            opened_at: self.opened_at,
            timeout: GROUP_TIMEOUT,
            expect: Expect::Count(groups.parts),
            parent: None,
        })
    }

    fn outcome(&self, groups: &Groups, group: u64, part: u32) -> Result<InboxRecord> {
        let payload = Codec::<Work>::shared()?.encode(&groups.item(group, part))?;
        Ok(InboxRecord::Outcome(PartOutcome {
            group_id: id(group).into(),
            revision: Revision::FIRST,
            opened_at: self.opened_at,
            stage: PART_STAGE.into(),
            part_id: PartId(part),
            attempt: 0,
            status: PartStatus::Done,
            payload: Some(payload),
            error: None,
        }))
    }

    /// The item that a stage read when it wrote the outcome of a part.
    fn origin(&self, groups: &Groups, group: u64, part: u32) -> Origin {
        let number = group as i64 * i64::from(groups.parts) + i64::from(part);
        let partitions = i64::from(PARTITIONS);
        Origin {
            topic: self.parts.clone(),
            partition: (number % partitions) as i32,
            offset: number / partitions,
            index: 0,
        }
    }
}

impl Form for Inbox {
    fn record(&self, groups: &Groups, group: u64, step: Step) -> Result<(Bytes, Headers)> {
        let opener = id(group);
        let (record, origin, item) = match step {
            Step::Opening => (self.opening(groups, group), format!("{opener}/0"), opener),
            Step::Part(part) => {
                let origin = self.origin(groups, group, part).to_text();
                (self.outcome(groups, group, part)?, origin, format!("{opener}/{part}"))
            }
        };
        let mut headers = Headers::with_capacity(3);
        headers.set(headers::ORIGIN, origin);
        headers.set(headers::TRACEPARENT, TRACEPARENT);
        headers.set(headers::ID, item);
        Ok((record.encode()?, headers))
    }

    fn result(&self, groups: &Groups, record: &Record) -> Result<Gathered> {
        let value = record.value.as_deref().context("a result without a value")?;
        let result = Codec::<GroupResult>::shared()?.decode(value)?;
        ensure!(
            record.key.as_deref() == Some(result.group_id.as_str().as_bytes()),
            "its key isn't the id of its group, {}",
            result.group_id
        );
        let is_complete = result.status == GroupStatus::Complete;
        ensure!(
            is_complete && result.counts.done == groups.parts,
            "group {} is {:?} with {} parts that are done of {}",
            result.group_id,
            result.status,
            result.counts.done,
            groups.parts
        );
        let payload = result.payload.context("a result without a payload")?;
        Ok(Codec::<Gathered>::shared()?.decode(&payload)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_reads_as_the_coordinator_reads_it() {
        let groups = Groups { count: 9, parts: 4, open: 1, bytes: 40 };
        let form = Inbox::of("w9.split".into());
        let (value, headers) = form.record(&groups, 7, Step::Part(2)).unwrap();
        let InboxRecord::Outcome(outcome) = InboxRecord::decode(&value).unwrap() else {
            panic!("it is the outcome of a part");
        };
        assert_eq!((outcome.group_id.as_str(), outcome.part_id), ("items/7/0", PartId(2)));
        let item = Codec::<Work>::new().unwrap().decode(&outcome.payload.unwrap()).unwrap();
        assert_eq!((item.key, item.sequence), (7, 2));
        assert_eq!(Origin::read(&headers).unwrap().unwrap().to_string(), "w9.split/6/3/0");
    }
}
