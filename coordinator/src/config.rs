//! What a join is told.

use std::sync::Arc;
use std::time::Duration;

use longshore_handler::Service;
use longshore_schemas::{StageName, TopicName};

use crate::gather::Rules;

/// The settings of one join.
#[derive(Clone)]
pub struct JoinConfig {
    /// Its name in the pipeline.
    pub join: StageName,
    /// Its consumer group.
    pub group: String,
    /// The topics that it reads and writes.
    pub topics: JoinTopics,
    /// What completes a group, and what becomes of parts that don't fit.
    pub rules: Rules,
    /// The gather handler, with its layers.
    pub gather: Arc<dyn Service>,
    /// Attempts at a gather before the result is FAILED, at least 1.
    pub attempts_max: u32,
    /// The wait before the second attempt; it doubles with each further one.
    pub backoff_initial: Duration,
    /// The longest wait between attempts.
    pub backoff_max: Duration,
    /// Gathers at work at once.
    pub concurrency: usize,
}

/// The topics of a join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinTopics {
    /// Openings and outcomes.
    pub inbox: TopicName,
    /// What the inbox alone doesn't say; partitioned like the inbox.
    pub journal: TopicName,
    /// Records that contradict what stands before them.
    pub conflicts: TopicName,
    /// Parts whose group nobody opened.
    pub orphans: TopicName,
    /// Parts that came after their group had closed.
    pub late: TopicName,
    /// Groups whose other parts are no longer wanted.
    pub cancels: TopicName,
    /// The results.
    pub results: TopicName,
}
