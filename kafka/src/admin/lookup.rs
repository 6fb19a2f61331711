//! Questions to a cluster, asked by a consumer that joins no group and reads nothing.

use std::time::{Duration, Instant};

use longshore_schemas::{Timestamp, TopicName};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::MetadataTopic;
use rdkafka::topic_partition_list::{TopicPartitionList, TopicPartitionListElem};

use super::context::Quiet;
use super::error::{AdminError, code_of, is_silence};
use super::group::Group;
use crate::lane::broker::Committed;
use crate::settings::rejected;
use crate::{Offset, Partition, Settings, TopicId, client};

/// The group id of lookups that concern no group, since the client wants one. Nothing joins it,
/// nothing is committed to it.
pub(crate) const NO_GROUP: &str = "longshore-lookup";
/// One question is asked this long.
pub(super) const DEADLINE: Duration = Duration::from_secs(30);
/// A client that has never reached the cluster gives up sooner: its address is probably wrong.
const CONNECT: Duration = Duration::from_secs(10);
/// Events served before a question. One that the client handles by itself looks like none, so the
/// count is fixed.
const EVENTS: usize = 100;

/// The pause before a question is asked again.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Which records count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Isolation {
    /// Those of committed transactions, up to the last stable offset.
    Committed,
    /// All, up to the high watermark: aborted ones and those of open transactions too.
    Uncommitted,
}

impl Isolation {
    /// As the client names it.
    pub(crate) fn level(self) -> &'static str {
        match self {
            Self::Committed => "read_committed",
            Self::Uncommitted => "read_uncommitted",
        }
    }
}

/// A place in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// Its first offset.
    Start,
    /// The end of what the isolation lets see.
    End,
    /// The first record at this time or later; the end if there is none.
    Time(Timestamp),
}

/// Asks again while the cluster is only moving house: a topic just made has no leader yet, a broker
/// just started has not loaded its groups. Bounded by [`DEADLINE`].
fn patiently<T>(ask: impl Fn() -> Result<T, KafkaError>) -> Result<T, KafkaError> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        match ask() {
            Err(error) if code_of(&error).is_some_and(passes) && Instant::now() < deadline => {
                std::thread::sleep(ASK_AGAIN_AFTER);
            }
            answer => return answer,
        }
    }
}

/// Whether this answer is one that time mends.
fn passes(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::NotLeaderForPartition
            | RDKafkaErrorCode::LeaderNotAvailable
            | RDKafkaErrorCode::OffsetNotAvailable
            | RDKafkaErrorCode::UnknownLeaderEpoch
            | RDKafkaErrorCode::FencedLeaderEpoch
            | RDKafkaErrorCode::ReplicaNotAvailable
            | RDKafkaErrorCode::NotCoordinator
            | RDKafkaErrorCode::CoordinatorNotAvailable
            | RDKafkaErrorCode::CoordinatorLoadInProgress
    )
}

/// A client for questions, at one isolation, for one group's progress perhaps.
pub(crate) struct Lookup {
    consumer: BaseConsumer<Quiet>,
    group: String,
    servers: String,
}

impl Lookup {
    /// Makes the client and waits until the cluster answers.
    pub(crate) fn open(
        settings: &Settings,
        isolation: Isolation,
        group: &str,
    ) -> Result<Self, AdminError> {
        let mut config = settings.lookup_consumer(group);
        config.set("isolation.level", isolation.level());
        Self::from_config(&config, settings, group)
    }

    /// The same, of a configuration that the caller has completed.
    pub(crate) fn from_config(
        config: &ClientConfig,
        settings: &Settings,
        group: &str,
    ) -> Result<Self, AdminError> {
        let consumer = config.create_with_context(Quiet::default()).map_err(rejected)?;
        let servers = settings.bootstrap_servers.clone();
        let lookup = Self { consumer, group: group.to_owned(), servers };
        lookup.await_cluster()?;
        Ok(lookup)
    }

    fn await_cluster(&self) -> Result<(), AdminError> {
        match self.consumer.client().fetch_metadata(Some("__consumer_offsets"), CONNECT) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.explain("connecting", "the cluster", CONNECT, error)),
        }
    }

    /// The client itself, with its queue served.
    pub(crate) fn consumer(&self) -> &BaseConsumer<Quiet> {
        self.serve();
        &self.consumer
    }

    /// The client itself, for whoever has assigned partitions to it and polls it: to look for that
    /// takes a turn of the client's own thread, far more than the polling of a record.
    pub(crate) fn polled(&self) -> &BaseConsumer<Quiet> {
        &self.consumer
    }

    /// Where the cluster is.
    pub(crate) fn servers(&self) -> &str {
        &self.servers
    }

    /// Every topic but Kafka's own, with its partitions.
    pub(crate) fn topics(&self) -> Result<Vec<(TopicName, Vec<Partition>)>, AdminError> {
        let metadata = self
            .consumer()
            .fetch_metadata(None, DEADLINE)
            .map_err(|error| self.explain("listing", "topics", DEADLINE, error))?;
        let ours = metadata.topics().iter().filter(|topic| !topic.name().starts_with("__"));
        Ok(ours.map(|topic| (topic.name().into(), partitions_of(topic))).collect())
    }

    /// The partitions of a topic, in order; none if there is no such topic.
    pub(crate) fn find(&self, topic: &TopicName) -> Result<Option<Vec<Partition>>, AdminError> {
        let failed = |error| self.explain("describing", topic.as_str(), DEADLINE, error);
        let metadata =
            self.consumer().fetch_metadata(Some(topic.as_str()), DEADLINE).map_err(failed)?;
        let Some(found) = metadata.topics().first() else {
            return Ok(None);
        };
        match found.error().map(RDKafkaErrorCode::from) {
            None => Ok(Some(partitions_of(found))),
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
                Ok(None)
            }
            Some(code) => Err(failed(KafkaError::MetadataFetch(code))),
        }
    }

    /// The partitions of a topic that must be there.
    pub(crate) fn partitions(&self, topic: &TopicName) -> Result<Vec<Partition>, AdminError> {
        self.find(topic)?.ok_or_else(|| AdminError::UnknownTopic {
            topic: topic.clone(),
            servers: self.servers.clone(),
        })
    }

    /// The id of a topic that must be there.
    pub(crate) fn topic_id(&self, topic: &TopicName) -> Result<TopicId, AdminError> {
        let found = patiently(|| client::topic_id(self.consumer(), topic, DEADLINE));
        found.map_err(|error| self.explain("describing", topic.as_str(), DEADLINE, error))
    }

    /// Where the leader of a partition is: host and port.
    pub(crate) fn leader(
        &self,
        topic: &TopicName,
        partition: Partition,
    ) -> Result<(String, u16), AdminError> {
        let failed = |error| self.explain("describing", topic.as_str(), DEADLINE, error);
        let metadata =
            self.consumer().fetch_metadata(Some(topic.as_str()), DEADLINE).map_err(failed)?;
        let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
        let leader = partitions.filter(|it| it.id() == partition.0).map(|it| it.leader()).next();
        let broker = metadata.brokers().iter().find(|it| Some(it.id()) == leader);
        let address =
            broker.and_then(|it| Some((it.host().to_owned(), it.port().try_into().ok()?)));
        let absent = KafkaError::MetadataFetch(RDKafkaErrorCode::LeaderNotAvailable);
        address.ok_or_else(|| failed(absent))
    }

    /// Where a place is in each of these partitions.
    pub(crate) fn offsets(
        &self,
        topic: &TopicName,
        partitions: &[Partition],
        at: At,
    ) -> Result<Vec<(Partition, Offset)>, AdminError> {
        let asked = self.ask_offsets(topic, partitions, at)?;
        let missing: Vec<_> =
            asked.iter().filter(|(_, it)| it.is_none()).map(|(partition, _)| *partition).collect();
        // Only a time can lie behind everything.
        let ends = match at {
            At::Time(_) if !missing.is_empty() => self.ask_offsets(topic, &missing, At::End)?,
            _ => Vec::new(),
        };
        let found = asked.into_iter().chain(ends);
        let mut offsets: Vec<_> =
            found.filter_map(|(partition, offset)| Some((partition, offset?))).collect();
        offsets.sort_unstable();
        Ok(offsets)
    }

    fn ask_offsets(
        &self,
        topic: &TopicName,
        partitions: &[Partition],
        at: At,
    ) -> Result<Vec<(Partition, Option<Offset>)>, AdminError> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let failed = |error| self.explain("finding offsets", topic.as_str(), DEADLINE, error);
        // ListOffsets takes the log's ends as the times -2 and -1, and librdkafka passes them on:
        // one request for all partitions of a broker.
        let time = match at {
            At::Start => rdkafka::Offset::Beginning,
            At::End => rdkafka::Offset::End,
            At::Time(Timestamp(millis)) => rdkafka::Offset::Offset(millis.max(0)),
        };
        let ask = || {
            let list = listed(topic, partitions.iter().map(|&it| (it, time)))?;
            let answer = self.consumer().offsets_for_times(list, DEADLINE)?;
            let place =
                |it: &TopicPartitionListElem<'_>| Ok((Partition(it.partition()), plain_offset(it)));
            answer.elements().iter().map(|it| it.error().and_then(|()| place(it))).collect()
        };
        patiently(ask).map_err(failed)
    }

    /// The group's progress in each of these partitions.
    pub(crate) fn committed(
        &self,
        topic: &TopicName,
        partitions: &[Partition],
    ) -> Result<Vec<(Partition, Option<Committed>)>, AdminError> {
        let failed = |error| self.explain_committed(topic, error);
        let none = partitions.iter().map(|&it| (it, rdkafka::Offset::Invalid));
        let ask = || {
            let answer =
                self.consumer().committed_offsets(listed(topic, none.clone())?, DEADLINE)?;
            let place =
                |it: &TopicPartitionListElem<'_>| Ok((Partition(it.partition()), committed(it)));
            answer.elements().iter().map(|it| it.error().and_then(|()| place(it))).collect()
        };
        patiently(ask).map_err(failed)
    }

    /// A group; none if nobody ever heard of it, or its coordinator has forgotten it.
    pub(crate) fn group(&self, name: &str) -> Result<Option<Group>, AdminError> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let found = self
                .consumer()
                .fetch_group_list(Some(name), DEADLINE)
                .map_err(|error| self.explain("describing group", name, DEADLINE, error))?;
            match found.groups().first().map(Group::of) {
                // The coordinator is still loading the group: rdkafka hides the code that says so.
                Some(group) if group.state.is_empty() && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(100));
                }
                Some(group) if group.state == "Dead" => return Ok(None),
                found => return Ok(found),
            }
        }
    }

    /// Every group.
    pub(crate) fn groups(&self) -> Result<Vec<Group>, AdminError> {
        let found = self
            .consumer()
            .fetch_group_list(None, DEADLINE)
            .map_err(|error| self.explain("listing", "groups", DEADLINE, error))?;
        Ok(found.groups().iter().map(Group::of).collect())
    }

    /// Serves what has piled up in the client's queue: its logs and its complaints. Whoever has
    /// assigned partitions to the client polls it himself, and misses no record.
    fn serve(&self) {
        if !self.consumer.assignment().is_ok_and(|it| it.count() == 0) {
            return;
        }
        for _ in 0..EVENTS {
            drop(self.consumer.poll(Duration::ZERO));
        }
    }

    /// Silence while progress is asked for, of a cluster that answers everything else, is a stable
    /// fetch that waits for a transaction.
    fn explain_committed(&self, topic: &TopicName, error: KafkaError) -> AdminError {
        match code_of(&error) {
            Some(RDKafkaErrorCode::UnstableOffsetCommit | RDKafkaErrorCode::OperationTimedOut)
                if self.await_cluster().is_ok() =>
            {
                let (group, topic) = (self.group.clone(), topic.clone());
                AdminError::Unstable { group, topic, waited: DEADLINE }
            }
            _ => self.explain("reading the progress", &self.group, DEADLINE, error),
        }
    }

    /// What an error means.
    pub(crate) fn explain(
        &self,
        call: &'static str,
        object: &str,
        waited: Duration,
        error: KafkaError,
    ) -> AdminError {
        let (object, servers) = (object.to_owned(), self.servers.clone());
        match code_of(&error) {
            Some(code) if is_silence(code) => {
                self.serve();
                let reason = self.consumer.context().complaint();
                AdminError::Unreachable { servers, call, waited, reason }
            }
            Some(code) => AdminError::Refused { call, object, servers, code },
            None => AdminError::Other { call, object, error },
        }
    }
}

/// The client's list of these places.
pub(crate) fn listed(
    topic: &TopicName,
    places: impl Iterator<Item = (Partition, rdkafka::Offset)>,
) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::new();
    for (Partition(partition), offset) in places {
        list.add_partition_offset(topic.as_str(), partition, offset)?;
    }
    Ok(list)
}

fn partitions_of(topic: &MetadataTopic) -> Vec<Partition> {
    let mut partitions: Vec<_> = topic.partitions().iter().map(|it| Partition(it.id())).collect();
    partitions.sort_unstable();
    partitions
}

fn plain_offset(element: &TopicPartitionListElem<'_>) -> Option<Offset> {
    match element.offset() {
        rdkafka::Offset::Offset(offset) => Some(Offset(offset)),
        _ => None,
    }
}

fn committed(element: &TopicPartitionListElem<'_>) -> Option<Committed> {
    let metadata = element.metadata().to_owned();
    plain_offset(element).map(|offset| Committed { offset, metadata })
}
