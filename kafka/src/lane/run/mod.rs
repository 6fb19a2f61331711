//! The loop of a lane: it reads like the protocol.

mod ages;
mod commit;
mod delivering;
mod group;
mod items;
mod meter;
mod settle;

use std::time::Duration;

use super::broker::Broker;
use super::config::LaneConfig;
use super::control::{Control, Status};
use super::core::{Batch, Core};
use super::error::LaneError;
use super::siblings::Sibling;
use super::step::Step;
use crate::transaction::{Suspended, Written};
use crate::{Failure, Partition, Remedy};

use group::Group;
use meter::Meter;

/// How long a turn waits for the first record while nothing is being worked on.
const POLL_WAIT_IDLE: Duration = Duration::from_millis(5);
/// And while outcomes are expected, which can't end the wait.
const POLL_WAIT_BUSY: Duration = Duration::from_millis(1);
/// How long a turn waits for room.
const REST: Duration = Duration::from_micros(200);
/// Records taken in one turn, so that outcomes and deadlines get their turn too.
const RECORDS_PER_TURN: usize = 1_000;
/// How long a turn waits for a producer that is being initialised.
const READY_WAIT: Duration = Duration::from_millis(100);
/// How long a lane that stops with an error tries to say so to the next owner.
const LEAVE_MAX: Duration = Duration::from_secs(1);
/// How long a suspect waits for items beside it to end, while none begins. Then it is tried beside
/// them.
const QUIET_WAIT_MAX: Duration = Duration::from_secs(60);
/// The pause after a transaction that failed, doubled with each one in a row.
const BACKOFF_FIRST: Duration = Duration::from_millis(20);
/// A transaction this much younger than the broker's timeout may have been fenced by it all the
/// same: the broker began to count before the lane did.
const FENCE_MARGIN: Duration = Duration::from_secs(1);
/// The longest such pause.
const BACKOFF_MAX: Duration = Duration::from_secs(2);

/// Runs a lane on this thread until it is asked to drain, or can't go on. `observe` hears of every
/// turn. In the end the broker is dropped, which leaves the group.
pub fn run<B: Broker, S: Step>(
    broker: B,
    step: S,
    config: LaneConfig,
    control: &Control,
    mut observe: impl FnMut(Status),
) -> Result<(), LaneError> {
    let mut lane = Lane::new(broker, step, config);
    while !lane.is_drained() {
        if control.is_draining() {
            lane.begin_drain();
        }
        lane.turn()?;
        observe(lane.status());
    }
    Ok(())
}

/// A lane at work. [`run`] turns it until it is drained; a simulation turns it by itself.
pub struct Lane<B: Broker, S: Step> {
    broker: B,
    step: S,
    config: LaneConfig,
    core: Core,
    sibling: Sibling,
    /// Since when the other lanes have been asked to begin nothing.
    quiet_asked: Option<Duration>,
    group: Group,
    producing: Producing,
    meter: Meter,
    failures: u32,
    /// The end of the pause after a failure.
    not_before: Duration,
    young_fences: u32,
    /// Whether a transaction was begun of which it isn't known that it was committed.
    left_open: bool,
    /// When everything is given back in any case, once it is draining.
    drain_deadline: Option<Duration>,
}

/// What the producer is at.
#[derive(Debug)]
enum Producing {
    /// It is being initialised; a dead owner's transaction may have to time out first.
    Starting,
    /// It can begin a transaction.
    Ready,
    /// Records of a transaction are on their way.
    Delivering(Delivering),
    /// A commit's outcome is unknown.
    Settling(Settling),
}

/// A transaction that is committed once its records are delivered.
#[derive(Debug)]
struct Delivering {
    batch: Batch,
    transaction: Suspended,
    began: Duration,
}

/// A commit whose outcome is unknown.
#[derive(Debug)]
struct Settling {
    batch: Batch,
    written: Written,
    failure: Failure,
    /// The question about committed progress, once the new producer stands.
    asked: Option<u64>,
}

impl Settling {
    /// Those that contributed and are still ours.
    fn partitions(&self) -> impl Iterator<Item = Partition> {
        self.batch.progress.iter().map(|(_, sent)| sent.partition)
    }
}

impl<B: Broker, S: Step> Lane<B, S> {
    /// A lane that hasn't joined its group yet: it does at its first turn.
    pub fn new(broker: B, step: S, config: LaneConfig) -> Self {
        Self {
            broker,
            step,
            core: Core::new(config.clone()),
            sibling: config.siblings.join(),
            quiet_asked: None,
            meter: Meter::new(&config),
            config,
            group: Group::default(),
            producing: Producing::Starting,
            failures: 0,
            not_before: Duration::ZERO,
            young_fences: 0,
            left_open: false,
            drain_deadline: None,
        }
    }

    /// One turn: read, work, commit, give back.
    ///
    /// # Errors
    /// Why the lane can't go on. It isn't turned again then.
    pub fn turn(&mut self) -> Result<(), LaneError> {
        let turned = self.turn_once();
        if let Err(why) = &turned {
            self.give_up_delivery();
            self.take_leave(why);
        }
        turned
    }

    fn turn_once(&mut self) -> Result<(), LaneError> {
        let is_idle = !self.read()?;
        self.start_prepared()?;
        self.collect()?;
        self.dispatch()?;
        self.regulate()?;
        self.transact(is_idle)?;
        self.give_back()?;
        self.meter.observe(&self.core, self.broker.now());
        Ok(())
    }

    /// Nothing new begins from now on; every partition is given back by the drain timeout.
    pub fn begin_drain(&mut self) {
        if self.is_draining() {
            return;
        }
        self.group.stop_locating();
        let owned: Vec<Partition> = self.core.partitions().map(|owned| owned.partition).collect();
        let now = self.broker.now();
        let deadline = now + self.config.drain_timeout;
        self.drain_deadline = Some(deadline);
        self.core.begin_release(&owned, deadline, now);
        tracing::info!(topic = %self.config.topic, group = %self.config.group, "draining");
    }

    /// Whether everything that was begun is committed and no transaction is left open, or it was
    /// given up at the drain timeout.
    pub fn is_drained(&self) -> bool {
        let gave_back = self.core.partitions().next().is_none();
        self.drain_deadline.is_some_and(|deadline| {
            gave_back && (self.left_nothing_open() || self.broker.now() >= deadline)
        })
    }

    /// What a producer left open that was given up is ended when the next one is ready.
    fn left_nothing_open(&self) -> bool {
        !self.left_open || (matches!(self.producing, Producing::Ready) && !self.broker.tainted())
    }

    fn is_draining(&self) -> bool {
        self.drain_deadline.is_some()
    }

    /// The lane's side of Kafka.
    pub fn broker(&self) -> &B {
        &self.broker
    }

    /// The same, for a simulation to do something to it.
    pub fn broker_mut(&mut self) -> &mut B {
        &mut self.broker
    }

    /// What it is at.
    pub fn status(&self) -> Status {
        Status {
            connected: !matches!(self.producing, Producing::Starting),
            joined: self.group.joined(),
            partitions: self.core.partitions().count(),
            in_flight: self.core.in_flight(),
            committed: self.meter.committed(),
        }
    }

    /// An error that no repetition mends, with its place.
    fn stop(&self, failure: Failure) -> LaneError {
        LaneError::Kafka {
            topic: self.config.topic.clone(),
            group: self.config.group.clone(),
            failure,
        }
    }

    /// Goes on after a failure outside a transaction, unless it says to stop.
    fn unless_stop(&mut self, result: Result<(), Failure>) -> Result<(), LaneError> {
        match result {
            Err(failure) if failure.remedy == Remedy::Stop => Err(self.stop(failure)),
            Err(failure) if failure.remedy == Remedy::Leave => {
                tracing::warn!(topic = %self.config.topic, %failure, "lost the assignment");
                self.lose_all()
            }
            Err(failure) => {
                tracing::debug!(topic = %self.config.topic, %failure, "goes on");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}

impl<B: Broker, S: Step> Drop for Lane<B, S> {
    fn drop(&mut self) {
        self.abort_delivery();
    }
}

#[cfg(test)]
mod tests;
