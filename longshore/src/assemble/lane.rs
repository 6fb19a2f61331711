//! What every lane of a process is told alike.

use std::time::Duration;

use longshore_kafka::client::{BrokerOptions, KafkaBroker};
use longshore_kafka::lane::Siblings;
use longshore_kafka::lane::config::{LaneConfig, Limits, Ordering};
use longshore_kafka::lane::start::StartPolicy;
use longshore_kafka::{Failure, Settings as KafkaSettings};
use longshore_schemas::TopicName;

use crate::settings::Settings;

use super::topics::Topics;

/// How long a revoked partition may finish what it has begun: well below the 120 s after which the
/// group would evict the whole lane.
const REVOKE_BUDGET: Duration = Duration::from_secs(10);
/// How much longer than its timeout a transaction's calls are repeated: the broker has decided by
/// then, and the answer has had time to come.
const DECIDED_AFTER: Duration = Duration::from_secs(5);
/// Items at work at once, for each handler that may be at work. Beside those whose attempts run
/// they are those that wait for their next attempt.
const IN_FLIGHT_PER_HANDLER: usize = 4;
/// Items at work at once where they take no time: what half a million items a second come to while
/// a transaction takes 30 ms.
const IN_FLIGHT_MOST: usize = 16_384;
/// Items of a partition that wait for their key; also what is looked through for one that is free.
const WAITING_MAX: usize = 4_000;
/// Outcomes in one transaction: what half a million items a second come to in 100 ms.
const BATCH_ITEMS_MAX: usize = 50_000;
/// Bytes of output in one transaction.
const BATCH_BYTES_MAX: usize = 16 << 20;

/// What the lanes of a process have in common.
pub(super) struct Common<'a> {
    pub(super) settings: &'a Settings,
    /// How to reach Kafka, with the buffers of one lane.
    kafka: KafkaSettings,
    pub(super) topics: &'a Topics,
    held_bytes_max: usize,
    siblings: Siblings,
}

/// What is read, by whom, and how.
pub(super) struct Reads {
    pub(super) topic: TopicName,
    pub(super) group: String,
    pub(super) ordering: Ordering,
    pub(super) start: Option<StartPolicy>,
    /// Where it is kept what was begun.
    pub(super) marks: TopicName,
    pub(super) commit_interval: Duration,
    /// Handlers at work at once.
    pub(super) concurrency: usize,
    /// How often an item may kill its process. None: deaths aren't counted.
    pub(super) crashes_max: Option<u32>,
}

impl<'a> Common<'a> {
    /// For so many lanes: each has its share of the process's memory, half of it for the buffers of
    /// its Kafka clients, half for what it holds itself.
    pub(super) fn of(
        settings: &'a Settings,
        mut kafka: KafkaSettings,
        topics: &'a Topics,
        lanes: usize,
    ) -> Self {
        let half = settings.buffers / lanes.max(1) / 2;
        kafka.buffers = half;
        Self { settings, kafka, topics, held_bytes_max: half, siblings: Siblings::default() }
    }

    pub(super) fn lane(&self, reads: Reads) -> LaneConfig {
        LaneConfig {
            topic: reads.topic,
            group: reads.group,
            ordering: reads.ordering,
            start: reads.start,
            marks: Some(reads.marks),
            owner: format!("{:08x}", rand::random::<u32>()),
            commit_interval: reads.commit_interval,
            revoke_budget: REVOKE_BUDGET,
            drain_timeout: self.settings.drain_timeout,
            transaction_timeout: self.kafka.transaction_timeout + DECIDED_AFTER,
            fenced_after: self.kafka.transaction_timeout,
            deaths_max: reads.crashes_max,
            siblings: self.siblings.clone(),
            limits: Limits {
                in_flight_max: reads.concurrency * IN_FLIGHT_PER_HANDLER,
                in_flight_most: IN_FLIGHT_MOST,
                waiting_max: WAITING_MAX,
                held_bytes_max: self.held_bytes_max,
                batch_items_max: BATCH_ITEMS_MAX,
                batch_bytes_max: BATCH_BYTES_MAX,
            },
        }
    }

    /// How to reach Kafka.
    pub(super) fn kafka(&self) -> KafkaSettings {
        self.kafka.clone()
    }

    /// Connects a lane, on its own thread.
    pub(super) fn connect(
        &self,
        lane: &LaneConfig,
    ) -> impl FnOnce() -> Result<KafkaBroker, Failure> + Send + use<> {
        let slot = self.settings.slot.clone();
        let own = slot.clone().unwrap_or_else(|| lane.owner.clone());
        let options = BrokerOptions {
            settings: self.kafka.clone(),
            topic: lane.topic.clone(),
            group: lane.group.clone(),
            slot,
            transactional_id: format!("{}-{own}-0", lane.group),
        };
        let limits = self.topics.size_limits();
        move || {
            let mut broker = KafkaBroker::connect(options)?;
            broker.set_size_limits(limits);
            Ok(broker)
        }
    }
}
