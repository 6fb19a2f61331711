//! Every default and limit of a pipeline, each with its reason.

use std::time::Duration;

use longshore_coordinator::gather::{OnFailed, OnLate, OnTimeout, When};
use longshore_kafka::lane::config::Ordering;

/// Partitions of a topic. Eight let a small fleet of processes share a stage, and cost a broker
/// next to nothing.
pub(super) const PARTITIONS: u32 = 8;

/// Attempts at an item before it is dead-lettered. With the backoff below they span about two
/// seconds: longer than a restart of a dependency behind a load balancer, shorter than a user's
/// patience with a poison item.
pub(super) const ATTEMPTS: u32 = 5;

/// The time one attempt may take: the usual upper limit of an HTTP gateway, so that a handler which
/// calls one fails by its own error first.
pub(super) const ITEM_TIMEOUT: Duration = Duration::from_secs(30);

/// The wait before the second attempt at an item or a gather; it doubles with each further one.
pub(super) const BACKOFF_INITIAL: Duration = Duration::from_millis(100);

/// The longest wait between two attempts: neither a key nor a group must stand still for long once
/// its dependency is back.
pub(super) const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// What users expect of a partitioned log: items of a key one after another, others side by side.
pub(super) const ORDERING: Ordering = Ordering::Key;

/// Handlers at work at once in a lane. Handlers mostly wait for others, so this is far above the
/// number of partitions.
pub(super) const CONCURRENCY: u32 = 256;

/// The age at which a transaction is committed. Measured: at 100 ms a lane carries 502,000 records
/// a second, three quarters of what it carries at 250 ms, and nobody waits long for an output.
pub(super) const COMMIT_INTERVAL: Duration = Duration::from_millis(100);

/// A third of the transaction timeout (15 s), so that a slow commit still ends in time.
pub(super) const COMMIT_INTERVAL_MAX: Duration = Duration::from_secs(5);

/// A group closes when each of its parts has an outcome of any kind: nothing is decided for the
/// user, the result tells all.
pub(super) const WHEN: When = When::AllEnded;

/// Failed parts are handed to the gather, which alone knows what they mean.
pub(super) const ON_FAILED: OnFailed = OnFailed::Include;

/// A deadline gives what is there, marked as partial, rather than nothing.
pub(super) const ON_TIMEOUT: OnTimeout = OnTimeout::Partial;

/// Late parts are kept where they can be looked at.
pub(super) const LATE: OnLate = OnLate::Topic;

/// How long a part may wait for an opening that its own splitter always writes before it. Only
/// foreign writers need any of it.
pub(super) const ORPHAN_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a closed group is remembered, to name the status of its late parts. The journal of this
/// span is read at take-over, so it is short.
pub(super) const CLOSED_RETENTION: Duration = Duration::from_secs(60 * 60);

/// Parts of one group. They are produced in one transaction and gathered in memory, where this many
/// of a kilobyte each take 10 MB.
pub(super) const PARTS_MAX: u32 = 10_000;

/// Closed groups of a partition that are remembered. They only name the status of a late part, and
/// a hundred bytes each is what that is worth.
pub(super) const CLOSED_MARKS_MAX: usize = 1_000_000;

/// What a join's open groups may take in memory, in one partition: half of what a small container
/// has. Beyond it payloads go to a temporary file.
pub(super) const OPEN_BYTES_MAX: usize = 256 << 20;

/// The least that open groups can be given: about one record of the largest size that a topic takes
/// by default. Less is a slip of the unit.
pub(super) const OPEN_BYTES_LEAST: usize = 1 << 20;

/// What they may take in that file: four times as much, which a small container's disk still has.
/// Beyond it the join stops with an error rather than be killed without one.
pub(super) const SPILL_BYTES_MAX: usize = 1 << 30;

/// The inbox records of a partition that a restart should have to replay. Reading and accumulating
/// that many takes a few seconds.
pub(super) const REPLAY_MAX: u32 = 1_000_000;

/// Attempts at a gather before its result is FAILED: the group waits for it and holds back replay.
pub(super) const GATHER_ATTEMPTS: u32 = 5;

/// The time one attempt at a gather may take: it computes from what it is given, and one that takes
/// longer than this hangs.
pub(super) const GATHER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long items, parts and journals are kept at least: Kafka's own default, and as long as it
/// keeps the offsets of a group that went silent.
pub(super) const RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long a join may look back: as long as a group may be open and then be remembered, and as
/// much again, so that a coordinator that was away that long still finds all of it.
pub(super) fn lifetime(timeout: Duration, closed_retention: Duration) -> Duration {
    timeout.saturating_add(closed_retention).saturating_mul(2)
}

/// How long dead letters, conflicts, orphans and late parts are kept: somebody must come back from
/// a holiday and still find them.
pub(super) const SET_ASIDE_RETENTION: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Room for the headers that say why a dead letter is one, and in a journal for the opening of the
/// group that a part is carried with.
pub(super) const DEAD_LETTER_HEADROOM: u64 = 64 * 1024;

/// Kafka's `max.message.bytes` where a topic doesn't say otherwise.
pub(super) const MESSAGE_BYTES_MAX: u64 = 1_048_588;

/// The longest name that Kafka gives a topic.
pub(super) const TOPIC_NAME_LENGTH_MAX: usize = 249;

/// The largest pipeline file read; a thousand stages take a tenth of it.
pub(super) const FILE_BYTES_MAX: u64 = 1024 * 1024;
