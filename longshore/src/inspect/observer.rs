//! A look at the cluster: where consumers stand, and readers of topics.

use std::collections::BTreeMap;
use std::time::Duration;

use longshore_kafka::admin::{Admin, GroupProgress, Isolation, Stability};
use longshore_kafka::reader::Reader;
use longshore_kafka::{Partition, Settings};
use longshore_schemas::TopicName;

use super::consumer::Consumer;
use super::error::InspectError;
use super::standing::{Progress, Standing};

/// Nothing coming for this long ends a reading. An open transaction is waited for as long: its
/// producer's timeout is shorter.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Looks at a cluster. It joins no group.
pub struct Observer {
    settings: Settings,
    admin: Admin,
}

impl Observer {
    /// Connects, and waits until the cluster answers (at most 10 s).
    pub fn connect(settings: &Settings) -> Result<Self, InspectError> {
        let admin = Admin::connect(settings)?;
        let settings = settings.clone();
        Ok(Self { settings, admin })
    }

    /// The cluster's logs, topics and groups.
    pub fn admin(&self) -> &Admin {
        &self.admin
    }

    /// How the cluster is reached.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The committed progress of a group, to be asked or changed.
    pub fn progress(&self, group: &str) -> Result<GroupProgress, InspectError> {
        Ok(GroupProgress::open(&self.settings, group)?)
    }

    /// A reader of a topic.
    pub fn reader(&self, topic: &TopicName, isolation: Isolation) -> Result<Reader, InspectError> {
        Ok(Reader::open(&self.settings, topic, isolation)?)
    }

    /// Where a consumer stands in each partition of its topic.
    pub fn standings(
        &self,
        consumer: &Consumer,
        stability: Stability,
    ) -> Result<Vec<Standing>, InspectError> {
        let progress = self.progress(&consumer.group)?;
        // Progress first: what it says then lies within the log's bounds, unless something is
        // wrong.
        let found = progress.read(&consumer.topic, stability)?;
        let mut progress: BTreeMap<Partition, _> = found.into_iter().collect();
        let topic_id = self.admin.topic_id(&consumer.topic)?;
        let logs = self.admin.watermarks(&consumer.topic)?;
        let standing = |log: longshore_kafka::admin::Watermarks| Standing {
            partition: log.partition,
            log,
            progress: Progress::in_topic(progress.remove(&log.partition).flatten(), topic_id),
        };
        Ok(logs.into_iter().map(standing).collect())
    }
}
