//! A reader, and the stretches of a topic that it can read.

use std::collections::BTreeMap;
use std::time::Duration;

use longshore_schemas::{Timestamp, TopicName};
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::TopicPartitionList;

use super::error::ReadError;
use super::following::Following;
use super::reading::Reading;
use crate::admin::{AdminError, At, Isolation, Lookup, NO_GROUP, listed};
use crate::partitioner::partition_for;
use crate::{Offset, Partition, Record, Settings};

/// How long a broker holds a fetch that finds nothing. The end of a partition is only told by such
/// a fetch, and a new assignment waits for the last one of the old: with the client's default of
/// 500 ms every reading takes a second, however short.
const FETCH_WAIT_MILLIS: &str = "50";
/// A seek is local, but for what the client has to finish first.
const SEEK: Duration = Duration::from_secs(10);

/// Reads one topic. It joins no group and commits nothing.
pub struct Reader {
    topic: TopicName,
    /// Reads, at the isolation that was asked for.
    client: Lookup,
    /// Knows where the log really ends.
    written: Lookup,
}

/// Where to begin, in every partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadFrom {
    /// At the first record that is still there.
    LogStart,
    /// Behind everything.
    LogEnd,
    /// At the first record of this time or later.
    Time(Timestamp),
    /// At these offsets, and only in these partitions.
    Offsets(Vec<(Partition, Offset)>),
}

/// Takes of a message of a topic what is wanted.
pub(super) type Take<T> = fn(&BorrowedMessage<'_>, &TopicName) -> T;

/// What the client's poll brings.
pub(super) enum Polled<T> {
    /// What was taken of a record, in order within its partition, and where the record stands.
    Record(Partition, Offset, T),
    /// The client has fetched all that it may read of a partition, for now.
    End(Partition),
    /// Nothing in time, or nothing that matters.
    Nothing,
}

/// A stretch of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Which partition.
    pub partition: Partition,
    /// The first offset.
    pub from: Offset,
    /// Behind the last offset.
    pub to: Offset,
}

impl Reader {
    /// Connects to a topic that must exist. Waits at most 10 s for the cluster.
    pub fn open(
        settings: &Settings,
        topic: &TopicName,
        isolation: Isolation,
    ) -> Result<Self, ReadError> {
        let mut config = settings.lookup_consumer(NO_GROUP);
        config
            .set("isolation.level", isolation.level())
            .set("enable.partition.eof", "true")
            .set("fetch.wait.max.ms", FETCH_WAIT_MILLIS)
            .set("queued.max.messages.kbytes", (settings.buffers / 2048).max(1).to_string());
        let client = Lookup::from_config(&config, settings, NO_GROUP)?;
        let written = Lookup::open(settings, Isolation::Uncommitted, NO_GROUP)?;
        written.partitions(topic)?;
        // A client that hasn't heard of the topic looks for its leaders once a second only.
        client.partitions(topic)?;
        Ok(Self { topic: topic.clone(), client, written })
    }

    /// The topic.
    pub fn topic(&self) -> &TopicName {
        &self.topic
    }

    /// What lies between a beginning and the end that the log has now: the end of all that was
    /// written. A committed reader waits for the transactions that are open below it, where the end
    /// of what it sees now would hide what a dead owner's transaction is still to make visible.
    pub fn ranges(&self, from: &ReadFrom) -> Result<Vec<Range>, ReadError> {
        self.ranges_in(&self.partitions(from)?, from)
    }

    /// The same of one partition, whatever the others are like.
    pub fn range_in(&self, partition: Partition, from: &ReadFrom) -> Result<Range, ReadError> {
        let ranges = match self.written.partitions(&self.topic)?.contains(&partition) {
            true => self.ranges_in(&[partition], from)?,
            false => Vec::new(),
        };
        let topic = || self.topic.clone();
        let range = ranges.into_iter().next();
        range.ok_or_else(|| ReadError::NoPartition { topic: topic(), partition })
    }

    fn ranges_in(
        &self,
        partitions: &[Partition],
        from: &ReadFrom,
    ) -> Result<Vec<Range>, ReadError> {
        let starts: BTreeMap<_, _> = self.offsets(partitions, At::Start)?.into_iter().collect();
        let begins = match from {
            ReadFrom::LogStart => starts.clone(),
            ReadFrom::LogEnd => self.offsets(partitions, At::End)?.into_iter().collect(),
            ReadFrom::Time(time) => {
                self.offsets(partitions, At::Time(*time))?.into_iter().collect()
            }
            ReadFrom::Offsets(offsets) => offsets.iter().copied().collect(),
        };
        let ends: BTreeMap<_, _> = self.offsets(partitions, At::End)?.into_iter().collect();
        partitions.iter().map(|it| self.range(*it, begins[it], starts[it]..ends[it])).collect()
    }

    fn range(
        &self,
        partition: Partition,
        from: Offset,
        log: std::ops::Range<Offset>,
    ) -> Result<Range, ReadError> {
        let topic = self.topic.clone();
        if from < log.start {
            return Err(ReadError::Expired { topic, partition, from, log_start: log.start });
        }
        if from > log.end {
            return Err(ReadError::Truncated { topic, partition, from, end: log.end });
        }
        Ok(Range { partition, from, to: log.end })
    }

    fn partitions(&self, from: &ReadFrom) -> Result<Vec<Partition>, ReadError> {
        let all = self.written.partitions(&self.topic)?;
        let ReadFrom::Offsets(offsets) = from else {
            return Ok(all);
        };
        let missing = offsets.iter().find(|(partition, _)| !all.contains(partition));
        if let Some(&(partition, _)) = missing {
            return Err(ReadError::NoPartition { topic: self.topic.clone(), partition });
        }
        Ok(offsets.iter().map(|(partition, _)| *partition).collect())
    }

    fn offsets(
        &self,
        partitions: &[Partition],
        at: At,
    ) -> Result<Vec<(Partition, Offset)>, ReadError> {
        Ok(self.written.offsets(&self.topic, partitions, at)?)
    }

    /// Reads these stretches, records of a partition in order. An error ends it if nothing comes
    /// for
    /// `patience`; an open transaction is waited for as long.
    pub fn read(&mut self, ranges: &[Range], patience: Duration) -> Result<Reading<'_>, ReadError> {
        let list: Vec<_> = ranges.iter().map(|it| (it.partition, it.from)).collect();
        self.assign(&list)?;
        Ok(Reading::new(self, ranges, patience))
    }

    /// Reads everything that the topic holds now.
    pub fn read_all(&mut self, patience: Duration) -> Result<Reading<'_>, ReadError> {
        let ranges = self.ranges(&ReadFrom::LogStart)?;
        self.read(&ranges, patience)
    }

    /// The last record with this key, of those in the partition that the key belongs to: how a
    /// source finds its cursor.
    pub fn latest(&mut self, key: &[u8], patience: Duration) -> Result<Option<Record>, ReadError> {
        let count = self.written.partitions(&self.topic)?.len();
        let count = i32::try_from(count).expect("Kafka counts partitions in 31 bits");
        let range = self.range_in(partition_for(key, count), &ReadFrom::LogStart)?;
        let mut latest = None;
        for record in self.read(&[range], patience)? {
            let record = record?;
            if record.key.as_deref() == Some(key) {
                latest = Some(record);
            }
        }
        Ok(latest)
    }

    /// Reads from a beginning and goes on as records arrive. Partitions that are added later aren't
    /// read.
    pub fn follow(&mut self, from: &ReadFrom) -> Result<Following<'_>, ReadError> {
        let begins = self.ranges(from)?;
        let list: Vec<_> = begins.iter().map(|it| (it.partition, it.from)).collect();
        self.assign(&list)?;
        Ok(Following::new(self))
    }

    fn assign(&self, places: &[(Partition, Offset)]) -> Result<(), ReadError> {
        let places =
            places.iter().map(|&(it, Offset(offset))| (it, rdkafka::Offset::Offset(offset)));
        let consumer = self.client.consumer();
        listed(&self.topic, places)
            // A partition stays paused beyond its assignment.
            .and_then(|list| consumer.assign(&list).and_then(|()| consumer.resume(&list)))
            .map_err(|error| self.failed(error))
    }

    fn failed(&self, error: KafkaError) -> ReadError {
        ReadError::Client { topic: self.topic.clone(), error }
    }

    /// What comes next from the assigned partitions.
    pub(super) fn poll<T>(&self, wait: Duration, take: Take<T>) -> Result<Polled<T>, ReadError> {
        match self.client.polled().poll(wait) {
            Some(Ok(message)) => {
                let (partition, offset) = (message.partition(), message.offset());
                let taken = take(&message, &self.topic);
                Ok(Polled::Record(Partition(partition), Offset(offset), taken))
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => Ok(Polled::End(Partition(partition))),
            Some(Err(error)) => ReadError::of(&self.topic, error).map_or(Ok(Polled::Nothing), Err),
            None => Ok(Polled::Nothing),
        }
    }

    /// Behind everything in an assigned partition that was polled or passed over; none before
    /// anything was.
    pub(super) fn position(&self, partition: Partition) -> Option<Offset> {
        let positions = self.client.polled().position().ok()?;
        match positions.find_partition(self.topic.as_str(), partition.0)?.offset() {
            rdkafka::Offset::Offset(offset) => Some(Offset(offset)),
            _ => None,
        }
    }

    /// The ends of what can be read at this isolation.
    pub(super) fn readable(
        &self,
        partitions: &[Partition],
    ) -> Result<Vec<(Partition, Offset)>, AdminError> {
        self.client.offsets(&self.topic, partitions, At::End)
    }

    /// Fetches an assigned partition again from an offset on.
    pub(super) fn seek(
        &self,
        partition: Partition,
        Offset(offset): Offset,
    ) -> Result<(), ReadError> {
        let offset = rdkafka::Offset::Offset(offset);
        let consumer = self.client.polled();
        consumer
            .seek(self.topic.as_str(), partition.0, offset, SEEK)
            .map_err(|error| self.failed(error))
    }

    /// Fetches an assigned partition no more.
    pub(super) fn pause(&self, partition: Partition) -> Result<(), ReadError> {
        let place = [(partition, rdkafka::Offset::Invalid)];
        listed(&self.topic, place.into_iter())
            .and_then(|list| self.client.consumer().pause(&list))
            .map_err(|error| self.failed(error))
    }

    /// Ends the assignment: nothing more is fetched.
    pub(super) fn unassign(&self) {
        if let Err(error) = self.client.consumer().assign(&TopicPartitionList::new()) {
            tracing::warn!(topic = %self.topic, %error, "the reader's assignment didn't end");
        }
    }
}
