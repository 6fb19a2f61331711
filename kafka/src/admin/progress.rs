//! The committed progress of a group: read at any time, written only when nobody else writes it.

use longshore_schemas::TopicName;
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;

use super::error::{AdminError, code_of};
use super::group::Group;
use super::lookup::{DEADLINE, Isolation, Lookup};
use crate::lane::broker::{Committed, Sent};
use crate::{Partition, Settings};

/// Which progress is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stability {
    /// What stands when every open transaction that holds progress has ended: waits for them.
    Stable,
    /// What stands now: an open transaction may be about to replace it.
    AsWritten,
}

/// A partition, and the group's progress in it if there is any.
pub type PartitionProgress = (Partition, Option<Committed>);

/// The progress of one group. Every call blocks, at most about a minute.
pub struct GroupProgress {
    group: String,
    stable: Lookup,
    written: Lookup,
}

impl GroupProgress {
    /// Connects, and waits until the cluster answers (at most 10 s). Joins nothing.
    pub fn open(settings: &Settings, group: &str) -> Result<Self, AdminError> {
        Ok(Self {
            group: group.to_owned(),
            // The client asks for stable offsets exactly when it reads committed records.
            stable: Lookup::open(settings, Isolation::Committed, group)?,
            written: Lookup::open(settings, Isolation::Uncommitted, group)?,
        })
    }

    /// The group's progress in every partition of a topic.
    pub fn read(
        &self,
        topic: &TopicName,
        stability: Stability,
    ) -> Result<Vec<PartitionProgress>, AdminError> {
        let lookup = match stability {
            Stability::Stable => &self.stable,
            Stability::AsWritten => &self.written,
        };
        lookup.committed(topic, &lookup.partitions(topic)?)
    }

    /// The group as its coordinator describes it; none if there is no such group.
    pub fn describe(&self) -> Result<Option<Group>, AdminError> {
        self.stable.group(&self.group)
    }

    /// Writes progress for a group that has no members, and reads it back.
    pub fn write(&self, topic: &TopicName, progress: &[Sent]) -> Result<(), AdminError> {
        self.refuse_if_live()?;
        // A dead member's open transaction may still hold progress, which would replace ours when
        // it is committed: a stable read waits until it has ended.
        self.read(topic, Stability::Stable)?;
        let list = listed(topic, progress).map_err(|error| self.explain_write(error))?;
        self.stable
            .consumer()
            .commit(&list, CommitMode::Sync)
            .map_err(|error| self.explain_write(error))?;
        self.check_written(topic, progress)
    }

    fn refuse_if_live(&self) -> Result<(), AdminError> {
        match self.describe()? {
            Some(Group { members, .. }) if !members.is_empty() => {
                Err(AdminError::GroupLive { group: self.group.clone(), members })
            }
            _ => Ok(()),
        }
    }

    /// The client's commit succeeds if any partition's did, and doesn't say which.
    fn check_written(&self, topic: &TopicName, progress: &[Sent]) -> Result<(), AdminError> {
        let found = self.read(topic, Stability::Stable)?;
        for Sent { partition, committed } in progress {
            let found = found.iter().find(|(it, _)| it == partition).and_then(|(_, it)| it.clone());
            if found.as_ref() != Some(committed) {
                return Err(AdminError::NotWritten {
                    group: self.group.clone(),
                    topic: topic.clone(),
                    partition: *partition,
                    wanted: committed.clone(),
                    found,
                });
            }
        }
        Ok(())
    }

    /// A coordinator takes progress without membership only for a group without members: one that
    /// has joined since we looked shows itself by these codes.
    fn explain_write(&self, error: KafkaError) -> AdminError {
        match code_of(&error) {
            Some(
                RDKafkaErrorCode::UnknownMemberId
                | RDKafkaErrorCode::IllegalGeneration
                | RDKafkaErrorCode::RebalanceInProgress,
            ) => AdminError::GroupLive { group: self.group.clone(), members: Vec::new() },
            _ => self.stable.explain("writing the progress", &self.group, DEADLINE, error),
        }
    }
}

fn listed(topic: &TopicName, progress: &[Sent]) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::new();
    for Sent { partition, committed } in progress {
        let mut element = list.add_partition(topic.as_str(), partition.0);
        element.set_offset(rdkafka::Offset::Offset(committed.offset.0))?;
        element.set_metadata(&committed.metadata);
    }
    Ok(list)
}
