//! Questions to the cluster about a lane's topic and group, each answered or given up within a
//! second, but for what is read of the marks of partitions that were begun.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use longshore_schemas::TopicName;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::{ClientContext, TopicPartitionList};

use super::marks::Marks;
use super::native::{self, Holder};
use super::remedy_of::{Class, ClientError, Phase};
use super::reports::Reports;
use crate::admin::Group;
use crate::lane::broker::{Committed, Locate, PartitionFacts};
use crate::settings::rejected;
use crate::{Failure, Offset, Partition, Remedy, Settings, TopicId};

/// One call waits this long.
const PIECE: Duration = Duration::from_secs(1);
/// Between two looks for something that isn't there yet.
const PAUSE: Duration = Duration::from_millis(50);

/// A client that only asks. Its calls block, and may be made by several threads.
pub(super) struct Lookup {
    native: BaseConsumer<LookupContext>,
    topic: TopicName,
    marks: Marks,
}

/// What committed progress a stable look found.
type Progress = Vec<Option<Committed>>;

impl Lookup {
    pub(super) fn new(settings: &Settings, group: &str, topic: TopicName) -> Result<Self, Failure> {
        let config = settings.lookup_consumer(group);
        let native = BaseConsumer::from_config_and_context(&config, LookupContext::new())
            .map_err(rejected)?;
        let marks = Marks::new(settings.clone(), group.to_owned());
        Ok(Self { native, topic, marks })
    }

    /// The topic that it asks about.
    pub(super) fn topic(&self) -> &TopicName {
        &self.topic
    }

    /// One try at an answer.
    pub(super) fn facts(&self, question: &Locate) -> Result<Vec<PartitionFacts>, Failure> {
        let partitions = &question.partitions;
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let topic_id = self.topic_id()?;
        let (committed, begun) = self.progress(question, topic_id)?;
        let siblings = self.siblings_committed(partitions, &committed)?;
        let starts = self.offsets(partitions, rdkafka::Offset::Beginning)?;
        let ends = self.offsets(partitions, rdkafka::Offset::End)?;
        let times = match question.time {
            Some(time) => self.offsets(partitions, rdkafka::Offset::Offset(time))?,
            None => vec![None; partitions.len()],
        };
        let bounds = starts.into_iter().zip(ends).zip(times);
        let found = partitions.iter().zip(committed).zip(siblings).zip(bounds);
        found
            .map(|(((partition, committed), siblings_committed), ((start, end), time))| {
                let begun = committed.is_none() && begun.contains(partition);
                let (Some(log_start), Some(log_end)) = (start, end) else {
                    return Err(no_bounds(*partition));
                };
                Ok(PartitionFacts {
                    partition: *partition,
                    topic_id,
                    committed,
                    siblings_committed,
                    begun,
                    log_start,
                    log_end,
                    time_offset: question.time.map(|_| time.unwrap_or(log_end)),
                })
            })
            .collect()
    }

    /// Committed progress, and the partitions that were begun: asked for where there is none. What
    /// is found to be begun is looked at once more, as its progress may have come in between.
    fn progress(
        &self,
        question: &Locate,
        topic_id: TopicId,
    ) -> Result<(Progress, BTreeSet<Partition>), Failure> {
        let committed = self.committed(&question.partitions)?;
        let of = question.partitions.iter().zip(&committed);
        let without: Vec<_> =
            of.filter(|(_, found)| found.is_none()).map(|(partition, _)| *partition).collect();
        let Some(marks) = question.marks.as_ref().filter(|_| !without.is_empty()) else {
            return Ok((committed, BTreeSet::new()));
        };
        let begun = self.marks.begun(marks, (&self.topic, topic_id), &without)?;
        match begun.is_empty() {
            true => Ok((committed, begun)),
            false => Ok((self.committed(&question.partitions)?, begun)),
        }
    }

    fn topic_id(&self) -> Result<TopicId, Failure> {
        const CALL: &str = "describe_topic";
        native::topic_id(&self.native, &self.topic, PIECE)
            .map_err(|error| self.failure(error, CALL))
    }

    /// Committed progress once no transaction is open on it: the consumer's isolation level makes
    /// the coordinator refuse until then (KIP-447).
    fn committed(&self, partitions: &[Partition]) -> Result<Progress, Failure> {
        const CALL: &str = "committed";
        let list = self.list(partitions);
        let list =
            self.native.committed_offsets(list, PIECE).map_err(|it| self.failure(it, CALL))?;
        let metadata = native::metadata(&list);
        let progress = list.elements().into_iter().zip(metadata).map(|(element, metadata)| {
            let told = told(element.error(), element.offset(), metadata);
            told.map_err(|error| self.failure(error, CALL))
        });
        progress.collect()
    }

    /// For each partition, whether the group has progress in another one of the topic. That is only
    /// asked where something is missing, one by one: others' transactions come and go, and a look
    /// at all of them at once might never find them all closed.
    fn siblings_committed(
        &self,
        partitions: &[Partition],
        committed: &Progress,
    ) -> Result<Vec<bool>, Failure> {
        let known = committed.iter().flatten().count();
        if known == committed.len() {
            return Ok(vec![known > 1; committed.len()]);
        }
        let elsewhere = known > 0 || self.others_committed(partitions)?;
        // A partition without progress asks for others; one with progress has no need to know.
        Ok(committed.iter().map(|own| elsewhere && (own.is_none() || known > 1)).collect())
    }

    fn others_committed(&self, partitions: &[Partition]) -> Result<bool, Failure> {
        let count = self.partition_count()?;
        let others = (0..count).map(Partition).filter(|it| !partitions.contains(it));
        let mut unknown = None;
        for other in others {
            match self.committed(&[other]) {
                Ok(progress) if progress.iter().any(Option::is_some) => return Ok(true),
                Ok(_) => {}
                Err(failure) => unknown = Some(failure),
            }
        }
        unknown.map_or(Ok(false), Err)
    }

    /// An offset for each partition: the log's start, the end of what can be read, or the first at
    /// a time or later (none, if that lies behind everything).
    fn offsets(
        &self,
        partitions: &[Partition],
        at: rdkafka::Offset,
    ) -> Result<Vec<Option<Offset>>, Failure> {
        const CALL: &str = "list_offsets";
        let mut list = self.list(partitions);
        let list = list
            .set_all_offsets(at)
            .and_then(|()| self.native.offsets_for_times(list, PIECE))
            .map_err(|error| self.failure(error, CALL))?;
        let offsets = partitions.iter().map(|partition| {
            let element = list.find_partition(self.topic.as_str(), partition.0);
            let element = element.ok_or_else(|| no_bounds(*partition))?;
            element.error().map_err(|error| self.failure(error, CALL))?;
            Ok(match element.offset() {
                rdkafka::Offset::Offset(offset) => Some(Offset(offset)),
                _ => None,
            })
        });
        offsets.collect()
    }

    /// How many partitions the topic has.
    pub(super) fn partition_count(&self) -> Result<i32, Failure> {
        const CALL: &str = "metadata";
        let metadata = self
            .native
            .fetch_metadata(Some(self.topic.as_str()), PIECE)
            .map_err(|error| self.failure(error, CALL))?;
        let topic = metadata.topics().iter().find(|it| it.name() == self.topic.as_str());
        let Some(topic) = topic else {
            return Err(self.failure(KafkaError::MetadataFetch(Code::UnknownTopic), CALL));
        };
        if let Some(error) = topic.error() {
            return Err(self.failure(KafkaError::MetadataFetch(error.into()), CALL));
        }
        Ok(i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX))
    }

    /// A consumer group as its coordinator describes it; none if nobody has heard of it.
    pub(super) fn group(&self, name: &str) -> Result<Option<Group>, Failure> {
        let found = self
            .native
            .fetch_group_list(Some(name), PIECE)
            .map_err(|error| self.failure(error, "describe_group"))?;
        Ok(found.groups().first().map(Group::of))
    }

    /// Who has a slot of a group.
    pub(super) fn holder(&self, group: &str, slot: &str) -> Result<Holder, Failure> {
        native::holder_of_slot(&self.native, group, slot, PIECE)
            .map_err(|error| self.failure(error, "describe_group"))
    }

    /// Waits until a broker answers, and the topic is there.
    pub(super) fn await_topic(&self, wait: Duration) -> Result<(), Failure> {
        let deadline = Instant::now() + wait;
        loop {
            match self.partition_count() {
                Ok(_) => return Ok(()),
                Err(failure) if failure.remedy != Remedy::Retry || Instant::now() >= deadline => {
                    return Err(failure);
                }
                Err(_) => thread::sleep(PAUSE),
            }
        }
    }

    fn failure(&self, error: KafkaError, call: &'static str) -> Failure {
        // Errors of connections come on the side only; the call itself just times out.
        self.native.poll(Duration::ZERO);
        let reports = &self.native.context().reports;
        if let Some(message) = reports.unauthenticated() {
            let refused = ClientError { code: Code::Authentication, class: Class::Plain, message };
            return refused.failure(Phase::Lookup, call);
        }
        let mut error = ClientError::from(error);
        error.message = format!("topic {}: {}", self.topic, error.message);
        if let Some(last) = reports.last() {
            error.message = format!("{}; the client's last error: {last}", error.message);
        }
        error.failure(Phase::Lookup, call)
    }

    fn list(&self, partitions: &[Partition]) -> TopicPartitionList {
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            list.add_partition(self.topic.as_str(), partition.0);
        }
        list
    }
}

/// The progress that an answer tells of a partition. One that says that it can't be read is not the
/// same as none.
fn told(
    read: Result<(), KafkaError>,
    offset: rdkafka::Offset,
    metadata: String,
) -> Result<Option<Committed>, KafkaError> {
    read?;
    Ok(match offset {
        rdkafka::Offset::Offset(offset) => Some(Committed { offset: Offset(offset), metadata }),
        _ => None,
    })
}

fn no_bounds(partition: Partition) -> Failure {
    let error = ClientError::plain(Code::LeaderNotAvailable);
    ClientError { message: format!("no bounds of partition {partition} were told"), ..error }
        .failure(Phase::Lookup, "list_offsets")
}

/// The context of a consumer that only asks.
struct LookupContext {
    reports: Reports,
}

impl LookupContext {
    fn new() -> Self {
        Self { reports: Reports::new("lookup") }
    }
}

impl ClientContext for LookupContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.reports.log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.reports.error(&error, reason);
    }
}

impl ConsumerContext for LookupContext {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_that_can_not_be_read_is_not_none() {
        let refused = || Err(KafkaError::OffsetFetch(Code::UnstableOffsetCommit));
        let known = Committed { offset: Offset(7), metadata: "m".to_owned() };
        for (read, offset, expected) in [
            (Ok(()), rdkafka::Offset::Offset(7), Ok(Some(known))),
            (Ok(()), rdkafka::Offset::Invalid, Ok(None)),
            (refused(), rdkafka::Offset::Invalid, refused().map(|()| None)),
        ] {
            assert_eq!(told(read, offset, "m".to_owned()), expected);
        }
    }
}
