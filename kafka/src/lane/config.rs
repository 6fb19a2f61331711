//! What a lane is told. Every value is given by its caller; the reasons stand here.

use std::time::Duration;

use longshore_schemas::TopicName;

use super::siblings::Siblings;
use super::start::StartPolicy;

/// The settings of one lane.
#[derive(Clone, Debug)]
pub struct LaneConfig {
    /// The topic that is read.
    pub topic: TopicName,
    /// The consumer group.
    pub group: String,
    /// Which items wait for one another.
    pub ordering: Ordering,
    /// Where the group starts when it has no progress; without it, it doesn't start.
    pub start: Option<StartPolicy>,
    /// The compacted topic where it is kept which partitions the group has begun: where it has no
    /// progress and this says that it had, the lane stops. None: it can't be known, and the group
    /// begins anew.
    pub marks: Option<TopicName>,
    /// A random name of this lane, part of every commit's metadata.
    pub owner: String,
    /// How long finished outcomes wait for company. Shorter is lower latency, longer more items
    /// for the price of one transaction.
    pub commit_interval: Duration,
    /// How long a revoked partition may finish and commit what it has begun. Well below
    /// `max.poll.interval.ms`, or the whole lane is evicted.
    pub revoke_budget: Duration,
    /// How long a shutdown may do the same.
    pub drain_timeout: Duration,
    /// How long one call of a transaction is repeated before its outcome counts as unknown. Above
    /// the transaction timeout the broker has decided in any case.
    pub transaction_timeout: Duration,
    /// The age at which the broker itself ends a transaction (`transaction.timeout.ms`): a fence by
    /// then is its own.
    pub fenced_after: Duration,
    /// How often an item may kill its process while it is the only one at work in its partition;
    /// then it is given up. None: deaths aren't counted.
    pub deaths_max: Option<u32>,
    /// The lanes of its process.
    pub siblings: Siblings,
    /// The bounds.
    pub limits: Limits,
}

/// How much a lane holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Items that the component works on at once, if they take time.
    pub in_flight_max: usize,
    /// And if they take none: as many as ended within the last moment, and at most so many. They
    /// are what is worked on while the lane is busy with a transaction.
    pub in_flight_most: usize,
    /// Items of one partition that are received and not yet worked on; then nothing is read, and
    /// before long it is paused.
    pub waiting_max: usize,
    /// Bytes of all items and outcomes held; then nothing is read, and before long every partition
    /// is paused.
    pub held_bytes_max: usize,
    /// Outcomes in one transaction.
    pub batch_items_max: usize,
    /// Bytes of output in one transaction.
    pub batch_bytes_max: usize,
}

/// Which items wait for one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ordering {
    /// Items of one key, one after another; items without a key don't wait.
    Key,
    /// All items of a partition, one after another.
    Partition,
    /// None.
    None,
}

impl Ordering {
    /// What stands for it in committed metadata: a finished map holds only under the ordering that
    /// it was made under.
    pub fn hash(self) -> &'static str {
        match self {
            Self::Key => "k",
            Self::Partition => "p",
            Self::None => "n",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// They are committed, so no version may change them.
    #[test]
    fn every_ordering_has_a_name_of_its_own() {
        let names = [Ordering::Key, Ordering::Partition, Ordering::None].map(Ordering::hash);
        assert_eq!(names, ["k", "p", "n"]);
    }
}
