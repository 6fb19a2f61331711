//! The cluster: its topics, its logs, its groups.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use longshore_schemas::{Timestamp, TopicName};
use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigResource, OwnedResourceSpecifier, ResourceSpecifier,
    TopicReplication, TopicResult,
};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::types::RDKafkaErrorCode as Code;

use super::context::Quiet;
use super::error::AdminError;
use super::group::Group;
use super::lookup::{At, DEADLINE, Isolation, Lookup, NO_GROUP, listed};
use super::producers::{OpenTransaction, open_transactions};
use super::topic::{Described, NewTopic, Topic};
use crate::settings::rejected;
use crate::{Offset, Partition, Settings, TopicId};

/// How often a change is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Asks and changes a cluster. Every call blocks, at most about 30 s.
pub struct Admin {
    client: AdminClient<Quiet>,
    stable: Lookup,
    written: Lookup,
    /// Whether connections need neither TLS nor SASL.
    is_plain: bool,
}

/// How far a partition's log reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermarks {
    /// Which.
    pub partition: Partition,
    /// The first offset that is still there.
    pub log_start: Offset,
    /// Behind everything whose transaction has ended: committed readers get this far.
    pub last_stable: Offset,
    /// Behind everything that was written.
    pub high: Offset,
}

impl Admin {
    /// Connects, and waits until the cluster answers (at most 10 s).
    pub fn connect(settings: &Settings) -> Result<Self, AdminError> {
        let stable = Lookup::open(settings, Isolation::Committed, NO_GROUP)?;
        let written = Lookup::open(settings, Isolation::Uncommitted, NO_GROUP)?;
        let client = settings.admin().create_with_context(Quiet::default()).map_err(rejected)?;
        Ok(Self { client, stable, written, is_plain: settings.is_plain() })
    }

    // ----- topics

    /// The names of all topics but Kafka's own, with their partitions.
    pub fn topic_names(&self) -> Result<Vec<(TopicName, Vec<Partition>)>, AdminError> {
        self.written.topics()
    }

    /// Those of these topics that exist.
    pub fn topics(&self, names: &[TopicName]) -> Result<Vec<Topic>, AdminError> {
        let mut found = Vec::new();
        for name in names {
            found.extend(self.written.find(name)?.map(|partitions| (name, partitions)));
        }
        let configs = self.describe(found.iter().map(|(name, _)| *name))?;
        found
            .into_iter()
            .filter_map(|(name, partitions)| Some((name, partitions, configs.get(name)?)))
            .map(|(name, partitions, config)| {
                let settings = Described::new(name, config).settings()?;
                Ok(Topic { name: name.clone(), partitions, settings })
            })
            .collect()
    }

    /// The id of a topic that is there.
    pub fn topic_id(&self, topic: &TopicName) -> Result<TopicId, AdminError> {
        self.written.topic_id(topic)
    }

    /// Creates topics and waits until they can be written to. A topic that is there already is
    /// fine if it has the partitions and settings that are wanted.
    pub fn create_topics(&self, wanted: &[NewTopic]) -> Result<(), AdminError> {
        let mut existing = Vec::new();
        for (topic, result) in wanted.iter().zip(self.request_creation(wanted)?) {
            match result {
                Ok(_) => {}
                Err((_, Code::TopicAlreadyExists)) => existing.push(topic),
                Err((_, code)) => return Err(self.refused("creating", &topic.name, code)),
            }
            // One that exists may have been made by somebody else this moment.
            self.await_topic(&topic.name, "created", Option::is_some)?;
        }
        self.check_fit(&existing)
    }

    fn request_creation(&self, wanted: &[NewTopic]) -> Result<Vec<TopicResult>, AdminError> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let topics: Vec<_> = wanted.iter().map(native).collect();
        block_on(self.client.create_topics(&topics, &options()))
            .map_err(|error| self.explain("creating", "topics", error))
    }

    fn check_fit(&self, existing: &[&NewTopic]) -> Result<(), AdminError> {
        let configs = self.describe(existing.iter().map(|topic| &topic.name))?;
        for wanted in existing {
            let partitions = self.written.partitions(&wanted.name)?.len();
            let differences = configs.get(&wanted.name).map_or_else(Vec::new, |config| {
                Described::new(&wanted.name, config).differences(wanted, partitions)
            });
            if !differences.is_empty() {
                return Err(AdminError::Misfit { topic: wanted.name.clone(), differences });
            }
        }
        Ok(())
    }

    /// Deletes topics and waits until they are gone. One that isn't there is fine.
    pub fn delete_topics(&self, names: &[TopicName]) -> Result<(), AdminError> {
        if names.is_empty() {
            return Ok(());
        }
        let topics: Vec<_> = names.iter().map(TopicName::as_str).collect();
        let results = block_on(self.client.delete_topics(&topics, &options()))
            .map_err(|error| self.explain("deleting", "topics", error))?;
        for (name, result) in names.iter().zip(results) {
            match result {
                Ok(_) | Err((_, Code::UnknownTopicOrPartition)) => {
                    self.await_topic(name, "deleted", Option::is_none)?;
                }
                Err((_, code)) => return Err(self.refused("deleting", name, code)),
            }
        }
        Ok(())
    }

    /// Waits until a broker shows what its controller has done.
    fn await_topic(
        &self,
        topic: &TopicName,
        change: &'static str,
        is_done: impl Fn(&Option<Vec<Partition>>) -> bool,
    ) -> Result<(), AdminError> {
        let deadline = Instant::now() + DEADLINE;
        while !is_done(&self.written.find(topic)?) {
            if Instant::now() >= deadline {
                let (topic, servers) = (topic.clone(), self.written.servers().to_owned());
                return Err(AdminError::Invisible { topic, change, servers, waited: DEADLINE });
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    fn describe<'a>(
        &self,
        topics: impl Iterator<Item = &'a TopicName>,
    ) -> Result<BTreeMap<TopicName, ConfigResource>, AdminError> {
        let asked: Vec<_> = topics.map(|it| ResourceSpecifier::Topic(it.as_str())).collect();
        if asked.is_empty() {
            return Ok(BTreeMap::new());
        }
        let answers = block_on(self.client.describe_configs(&asked, &options()))
            .map_err(|error| self.explain("describing", "topics", error))?;
        let mut configs = BTreeMap::new();
        for answer in answers {
            let config = answer
                .map_err(|code| self.explain("describing", "topics", KafkaError::AdminOp(code)))?;
            if let OwnedResourceSpecifier::Topic(name) = &config.specifier {
                configs.insert(TopicName::from(name.as_str()), config);
            }
        }
        Ok(configs)
    }

    // ----- logs

    /// How far the logs of a topic reach.
    pub fn watermarks(&self, topic: &TopicName) -> Result<Vec<Watermarks>, AdminError> {
        let partitions = self.written.partitions(topic)?;
        let starts = self.written.offsets(topic, &partitions, At::Start)?;
        // In this order, so that no end lies before the one it bounds.
        let stable = self.stable.offsets(topic, &partitions, At::End)?;
        let high = self.written.offsets(topic, &partitions, At::End)?;
        let ends = stable.into_iter().zip(high);
        let all = starts.into_iter().zip(ends);
        Ok(all
            .map(|((partition, log_start), ((_, last_stable), (_, high)))| Watermarks {
                partition,
                log_start,
                last_stable,
                high,
            })
            .collect())
    }

    /// The first offset of each partition whose record is of this time or later; the end of what
    /// committed readers get where there is none.
    pub fn offsets_at(
        &self,
        topic: &TopicName,
        time: Timestamp,
    ) -> Result<Vec<(Partition, Offset)>, AdminError> {
        let partitions = self.stable.partitions(topic)?;
        self.stable.offsets(topic, &partitions, At::Time(time))
    }

    /// The transactions that are open in a partition, by those who hold them. Only on clusters
    /// without TLS and SASL.
    pub fn open_transactions(
        &self,
        topic: &TopicName,
        partition: Partition,
    ) -> Result<Vec<OpenTransaction>, AdminError> {
        let failed =
            |reason: String| AdminError::NoProducers { topic: topic.clone(), partition, reason };
        if !self.is_plain {
            let reason = "the cluster wants TLS or SASL, which only the client speaks";
            return Err(failed(reason.to_owned()));
        }
        let (host, port) = self.written.leader(topic, partition)?;
        open_transactions((&host, port), topic, partition)
            .map_err(|error| failed(format!("{host}:{port}: {error}")))
    }

    /// Deletes the records before these offsets.
    pub fn delete_records(
        &self,
        topic: &TopicName,
        before: &[(Partition, Offset)],
    ) -> Result<(), AdminError> {
        let failed = |error| self.explain("deleting records", topic.as_str(), error);
        let places =
            before.iter().map(|&(it, Offset(offset))| (it, rdkafka::Offset::Offset(offset)));
        let list = listed(topic, places).map_err(failed)?;
        let answer = block_on(self.client.delete_records(&list, &options())).map_err(failed)?;
        answer.elements().iter().try_for_each(|it| it.error()).map_err(failed)
    }

    // ----- groups

    /// Every consumer group.
    pub fn groups(&self) -> Result<Vec<Group>, AdminError> {
        self.stable.groups()
    }

    /// A consumer group; none if there is no such group.
    pub fn group(&self, name: &str) -> Result<Option<Group>, AdminError> {
        self.stable.group(name)
    }

    /// Deletes a group and its progress. One that isn't there is fine; one with members isn't.
    pub fn delete_group(&self, name: &str) -> Result<(), AdminError> {
        let failed = |error| self.explain("deleting group", name, error);
        let results = block_on(self.client.delete_groups(&[name], &options())).map_err(failed)?;
        match results.into_iter().next() {
            None | Some(Ok(_) | Err((_, Code::GroupIdNotFound))) => Ok(()),
            Some(Err((_, Code::NonEmptyGroup))) => {
                let members = self.group(name)?.map_or_else(Vec::new, |group| group.members);
                Err(AdminError::GroupLive { group: name.to_owned(), members })
            }
            Some(Err((_, code))) => Err(failed(KafkaError::AdminOp(code))),
        }
    }

    fn explain(&self, call: &'static str, object: &str, error: KafkaError) -> AdminError {
        self.written.explain(call, object, DEADLINE, error)
    }

    fn refused(&self, call: &'static str, topic: &TopicName, code: RDKafkaErrorCode) -> AdminError {
        self.explain(call, topic.as_str(), KafkaError::AdminOp(code))
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(DEADLINE)).operation_timeout(Some(DEADLINE))
}

fn native(topic: &NewTopic) -> rdkafka::admin::NewTopic<'_> {
    // -1 is the broker's own default (KIP-464).
    let replication = TopicReplication::Fixed(topic.replication.unwrap_or(-1));
    let new = rdkafka::admin::NewTopic::new(topic.name.as_str(), topic.partitions, replication);
    topic.settings.iter().fold(new, |new, (name, value)| new.set(name, value))
}
