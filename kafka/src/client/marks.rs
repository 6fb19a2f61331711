//! Reads which partitions a group has begun: asked only where there is no progress, which is once
//! in the life of a partition.

use std::collections::BTreeSet;
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
        let key = |partition| Place { group, topic, partition }.key();
        let keys: Vec<_> = partitions.iter().map(|it| (key(*it), *it)).collect();
        let mut begun = BTreeSet::new();
        let mut reader =
            Reader::open(&self.settings, marks, Isolation::Committed).map_err(failed)?;
        for record in reader.read_all(PATIENCE).map_err(failed)? {
            let record = record.map_err(failed)?;
            let of =
                |(key, _): &&(String, Partition)| record.key.as_deref() == Some(key.as_bytes());
            if let Some((_, partition)) = keys.iter().find(of) {
                // The last one counts.
                if is_of(record.value.as_ref(), id) {
                    begun.insert(*partition);
                } else {
                    begun.remove(partition);
                }
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
