//! Reads which partitions a group has begun: asked only where there is no progress, which is once
//! in the life of a partition.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use longshore_schemas::TopicName;

use crate::admin::Isolation;
use crate::lane::marks::{Place, is_of};
use crate::reader::{ReadError, Reader};
use crate::{Failure, Partition, Remedy, Settings, TopicId};

/// How long a transaction that others have open in the topic of the marks is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The marks of one group in one topic.
pub(super) struct Marks {
    settings: Settings,
    group: String,
}

impl Marks {
    pub(super) fn new(settings: Settings, group: String) -> Self {
        Self { settings, group }
    }

    /// Those of the partitions that the group has begun, of the topic with this id.
    pub(super) fn begun(
        &self,
        marks: &TopicName,
        (topic, id): (&TopicName, TopicId),
        partitions: &[Partition],
    ) -> Result<BTreeSet<Partition>, Failure> {
        let group = self.group.as_str();
        let key = |partition| Place { group, topic, partition }.key().into_bytes();
        let keys: HashMap<_, _> = partitions.iter().map(|it| (key(*it), *it)).collect();
        // What others have open there is waited for only if it may be a mark of ours.
        let begun = self.found(marks, Isolation::Uncommitted, &keys, id)?;
        match begun.is_empty() {
            true => Ok(begun),
            false => self.found(marks, Isolation::Committed, &keys, id),
        }
    }

    /// Those of the partitions with these keys of which there is a mark. Ids don't come back, so
    /// any mark of this one will do.
    fn found(
        &self,
        marks: &TopicName,
        isolation: Isolation,
        keys: &HashMap<Vec<u8>, Partition>,
        id: TopicId,
    ) -> Result<BTreeSet<Partition>, Failure> {
        let mut begun = BTreeSet::new();
        let mut reader = Reader::open(&self.settings, marks, isolation).map_err(failed)?;
        for record in reader.read_all(PATIENCE).map_err(failed)? {
            let record = record.map_err(failed)?;
            if let Some(partition) = record.key.as_deref().and_then(|key| keys.get(key))
                && is_of(record.value.as_ref(), id)
            {
                begun.insert(*partition);
            }
        }
        Ok(begun)
    }
}

fn failed(error: ReadError) -> Failure {
    Failure {
        remedy: if error.may_pass() { Remedy::Retry } else { Remedy::Stop },
        call: "read which partitions were begun",
        code: "_FAIL".to_owned(),
        message: error.with_causes(),
    }
}
