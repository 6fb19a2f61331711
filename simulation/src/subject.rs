//! What the lanes of a history do, and what must come of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::time::Duration;

use anyhow::Result;
use longshore_kafka::lane::config::{LaneConfig, Limits, Ordering};
use longshore_kafka::lane::start::StartPolicy;
use longshore_kafka::lane::step::Step;
use longshore_kafka::model::Cluster;
use longshore_kafka::{Offset, Partition};
use longshore_schemas::TopicName;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio::runtime::Handle;

use crate::fleet::GROUP;
use crate::history::History;

/// A component under simulation.
pub(crate) trait Simulated {
    /// The component.
    type Step: Step;

    /// Tasks that wait for the items of each partition, as long as it is owned.
    const TASKS_OF_A_PARTITION: usize;

    /// Its topics are made.
    fn new(history: &History, cluster: &Cluster) -> Self;

    /// The topic that is read.
    fn input(&self) -> TopicName;

    /// The topics that are written.
    fn outputs(&self) -> Vec<TopicName>;

    /// A component for a process.
    fn step(&mut self, process: Process) -> Self::Step;

    /// What its lane is told.
    fn lane(&self, owner: String) -> LaneConfig;

    /// Writes so many records to the input.
    fn publish(&mut self, count: usize);

    /// The same, in a transaction that is aborted.
    fn publish_aborted(&mut self, count: usize);

    /// Answers what components asked for, as far as it can be answered by now.
    fn serve(&mut self);

    /// Below this offset nobody needs the input any more.
    fn done_with(&mut self, partition: Partition) -> Option<Offset>;

    /// What must hold whenever something was committed; `finished` tells what progress says.
    fn check(&mut self, finished: &dyn Fn(Partition, Offset) -> bool) -> Result<()>;

    /// What must hold when the last action was taken; from then on time passes in long steps.
    fn check_actions(&mut self) -> Result<()>;

    /// How often what only some histories come to has happened: a killer was given up, a group was
    /// carried.
    fn rare(&self) -> u64;

    /// How many groups were gathered from payloads that had been spilled.
    fn spilled(&self) -> u64;

    /// Whether all that was published has come to its end.
    fn is_done(&mut self) -> Result<bool>;

    /// What must hold then.
    fn check_end(&mut self) -> Result<()>;
}

/// The surroundings of a component.
pub(crate) struct Process {
    pub(crate) cluster: Cluster,
    pub(crate) runtime: Handle,
    /// How far its clock is off, in milliseconds.
    pub(crate) clock: Arc<AtomicI64>,
    /// Set by a handler that kills it.
    pub(crate) killed: Arc<AtomicBool>,
}

/// How often an item may kill its process while it is alone.
const DEATHS_MAX: u32 = 2;

/// Whether there are handlers that kill their process. Where there are none, nobody must ever be
/// given up for it, however often processes die.
pub(crate) fn has_killers(seed: u64) -> bool {
    seed % 16 == 5
}

/// Whether a join has little memory for what waits in it, and a file to spill to.
pub(crate) fn spills(seed: u64) -> bool {
    seed % 8 == 6
}

/// A source of chance for one purpose: what is drawn elsewhere doesn't change it.
pub(crate) fn chance(seed: u64, number: usize) -> SmallRng {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    SmallRng::seed_from_u64(seed ^ (number as u64 + 1).wrapping_mul(ODD))
}

/// Where lanes keep what they have begun.
pub(crate) fn marks() -> TopicName {
    "begun".into()
}

/// The settings of a lane that the subjects share: small bounds, so that they are met.
pub(crate) fn lane(seed: u64, topic: TopicName, owner: String, ordering: Ordering) -> LaneConfig {
    LaneConfig {
        topic,
        group: GROUP.to_owned(),
        ordering,
        start: Some(StartPolicy::Earliest),
        marks: Some(marks()),
        owner,
        commit_interval: Duration::from_millis(20),
        revoke_budget: Duration::from_secs(1),
        drain_timeout: Duration::from_secs(1),
        transaction_timeout: Duration::from_secs(10),
        fenced_after: Duration::from_secs(10),
        deaths_max: Some(if has_killers(seed) { DEATHS_MAX } else { u32::MAX }),
        siblings: Default::default(),
        limits: Limits {
            in_flight_max: 12,
            in_flight_most: 12,
            waiting_max: 8,
            held_bytes_max: 1 << 20,
            batch_items_max: 5,
            batch_bytes_max: 1 << 20,
        },
    }
}
