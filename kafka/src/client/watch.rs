//! Watches that every partition of the topic has an owner.
//!
//! A cooperative rebalance has two rounds: in the first, members give partitions up; they join
//! again, and that second round hands them on. A static member that dies between the two is
//! replaced in its slot without a rebalance (KIP-345): its successor gets the stored assignment,
//! nobody begins the second round, and what was given up stays without an owner until somebody
//! joins or leaves. So somebody does: a member for a moment, whose coming and going makes two
//! rounds.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use tracing::{debug, info, warn};

use super::consumer::{Event, LaneConsumer};
use super::lookup::Lookup;
use super::side_thread::SideThread;
use crate::admin::Group;
use crate::lane::broker::Polled;
use crate::{Failure, Partition};

/// How often the group is looked at until every partition has an owner.
const LOOK_SOON: Duration = Duration::from_secs(1);
/// How often while every partition has one.
const LOOK_LATER: Duration = Duration::from_secs(30);
/// How long a partition may be without an owner: about as long as members take between the rounds.
const ALONE_MAX: Duration = Duration::from_secs(5);
/// The pause after a nudge; twice as long after each that didn't help.
const NUDGE_PAUSE: Duration = Duration::from_secs(30);
const NUDGE_PAUSE_MAX: Duration = Duration::from_secs(600);
/// How long a nudge waits for the other members to join again.
const NUDGE_MAX: Duration = Duration::from_secs(60);
/// Between two looks at whether the lane has gone.
const PIECE: Duration = Duration::from_millis(100);

/// Watches from a thread of its own, until it is dropped.
pub(super) struct Watch {
    /// Dropped before the thread, which ends by that.
    _lane: Sender<()>,
    _thread: SideThread,
}

impl Watch {
    /// Watches the topic of a lookup in this group. `member` configures the member for a moment:
    /// one without a slot.
    pub(super) fn start(
        lookup: Arc<Lookup>,
        group: String,
        member: ClientConfig,
    ) -> Result<Self, Failure> {
        let (lane, gone) = mpsc::channel();
        let watched = Watched { lookup, group, member, gone };
        let thread = SideThread::start("kafka-watch", move || watched.watch())?;
        Ok(Self { _lane: lane, _thread: thread })
    }
}

/// The thread's side.
struct Watched {
    lookup: Arc<Lookup>,
    group: String,
    member: ClientConfig,
    /// Disconnected when the lane has gone.
    gone: Receiver<()>,
}

impl Watched {
    fn watch(self) {
        let mut findings = Findings::default();
        let mut pause = LOOK_SOON;
        while self.gone.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
            let looked = self.alone();
            // The client loses the memory of an answer that came from some of the brokers only
            // (`rd_kafka_list_groups`, `ERR__PARTIAL`): that must not happen every second.
            let failed = looked.is_err();
            let alone = looked.unwrap_or_else(|failure| {
                debug!(%failure, "the group can't be looked at");
                None
            });
            pause = findings.note(alone, Instant::now());
            if failed {
                pause = LOOK_LATER;
            }
            if let Some(alone) = findings.take_due_nudge(Instant::now()) {
                warn!(
                    group = self.group, topic = %self.lookup.topic(), partitions = ?alone,
                    "partitions without an owner: a member died between the rounds of a \
                     rebalance; making the group rebalance"
                );
                match self.nudge() {
                    Ok(()) => info!(group = self.group, "the group has rebalanced"),
                    Err(failure) => warn!(%failure, "the group could not be made to rebalance"),
                }
            }
        }
    }

    /// The partitions without an owner; none while it can't be said.
    fn alone(&self) -> Result<Option<BTreeSet<Partition>>, Failure> {
        let Some(group) = self.lookup.group(&self.group)?.filter(is_settled) else {
            return Ok(None);
        };
        let mut alone: BTreeSet<_> = (0..self.lookup.partition_count()?).map(Partition).collect();
        for (topic, partition) in group.members.iter().flat_map(|member| &member.assigned) {
            if topic == self.lookup.topic() {
                alone.remove(partition);
            }
        }
        Ok(Some(alone))
    }

    /// Joins until the group has rebalanced, and leaves.
    fn nudge(&self) -> Result<(), Failure> {
        let mut member = LaneConsumer::subscribe(&self.member, self.lookup.topic().clone())?;
        let deadline = Instant::now() + NUDGE_MAX;
        while Instant::now() < deadline && self.gone.try_recv() == Err(TryRecvError::Empty) {
            if let Some(Event::Polled(Polled::Assigned(_))) = member.poll(PIECE)? {
                break;
            }
        }
        drop(member.close());
        Ok(())
    }
}

/// Whether what its members own can be read: between rebalances, by the assignor that lanes use.
fn is_settled(group: &Group) -> bool {
    group.state == "Stable" && group.strategy == "cooperative-sticky"
}

/// What the looks at the group have found so far.
#[derive(Debug, Default)]
struct Findings {
    /// Partitions without an owner, and since when exactly these.
    alone: Option<(BTreeSet<Partition>, Instant)>,
    /// No nudge before this.
    not_before: Option<Instant>,
    /// Nudges in a row that didn't help.
    nudges: u32,
}

impl Findings {
    /// Takes note of a look. How long the next one may wait.
    fn note(&mut self, found: Option<BTreeSet<Partition>>, now: Instant) -> Duration {
        let Some(found) = found else {
            self.alone = None;
            return LOOK_SOON;
        };
        if found.is_empty() {
            *self = Self::default();
            return LOOK_LATER;
        }
        let same = self.alone.take().filter(|(alone, _)| *alone == found);
        self.alone = Some(same.unwrap_or((found, now)));
        LOOK_SOON
    }

    /// The partitions that the group has to rebalance for, now.
    fn take_due_nudge(&mut self, now: Instant) -> Option<BTreeSet<Partition>> {
        let (alone, since) = self.alone.as_ref()?;
        let is_early = self.not_before.is_some_and(|time| now < time);
        if is_early || now.duration_since(*since) < ALONE_MAX {
            return None;
        }
        let pause = NUDGE_PAUSE.saturating_mul(1 << self.nudges.min(5)).min(NUDGE_PAUSE_MAX);
        self.not_before = Some(now + pause);
        self.nudges += 1;
        Some(alone.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn alone(partitions: &[i32]) -> Option<BTreeSet<Partition>> {
        Some(partitions.iter().copied().map(Partition).collect())
    }

    /// The seconds at which the group is nudged, if each look finds what is given.
    fn nudges(looks: impl Iterator<Item = Option<BTreeSet<Partition>>>) -> Vec<u32> {
        let (mut findings, start) = (Findings::default(), Instant::now());
        let mut nudged = Vec::new();
        for (second, look) in (0..).zip(looks) {
            let now = start + SECOND * second;
            findings.note(look, now);
            nudged.extend(findings.take_due_nudge(now).map(|_| second));
        }
        nudged
    }

    #[test]
    fn a_partition_that_stays_alone_is_nudged_less_and_less_often() {
        let looks = std::iter::repeat_n(alone(&[3]), 1_500);
        assert_eq!(nudges(looks), [5, 35, 95, 215, 455, 935]);
    }

    #[test]
    fn a_group_on_the_move_is_left_alone() {
        let moving = [alone(&[3]), None, alone(&[3]), alone(&[2, 3])];
        assert_eq!(nudges(moving.into_iter().cycle().take(100)), Vec::<u32>::new());
    }

    #[test]
    fn after_partitions_had_owners_it_begins_anew() {
        let looks = [alone(&[1]), alone(&[])].into_iter().flat_map(|it| std::iter::repeat_n(it, 7));
        assert_eq!(nudges(looks.cycle().take(28)), [5, 19]);
    }

    #[test]
    fn the_next_look_is_soon_unless_all_is_well() {
        let (mut findings, now) = (Findings::default(), Instant::now());
        assert_eq!(findings.note(None, now), LOOK_SOON);
        assert_eq!(findings.note(alone(&[0]), now), LOOK_SOON);
        assert_eq!(findings.note(alone(&[]), now), LOOK_LATER);
    }
}
