//! Records come in, items go out to the component, outcomes come back.

use std::time::Duration;

use super::{
    Lane, POLL_WAIT_BUSY, POLL_WAIT_IDLE, Producing, QUIET_WAIT_MAX, RECORDS_PER_TURN, REST,
};
use crate::lane::broker::{Broker, Polled};
use crate::lane::core::Reception;
use crate::lane::error::LaneError;
use crate::lane::partition::Phase;
use crate::lane::step::Step;
use crate::{Offset, Partition, Record};

impl<B: Broker, S: Step> Lane<B, S> {
    /// Takes what the consumer has, at most a turn's worth, and no more than there is room for.
    /// False: it had nothing.
    pub(super) fn read(&mut self) -> Result<bool, LaneError> {
        if self.core.is_full() {
            self.broker.rest(REST);
            return Ok(true);
        }
        let mut came = false;
        let mut wait = self.poll_wait();
        for _ in 0..RECORDS_PER_TURN {
            match self.broker.poll(wait) {
                Ok(Some(polled)) => self.take_in(polled)?,
                Ok(None) => break,
                Err(failure) => {
                    self.unless_stop(Err(failure))?;
                    break;
                }
            }
            came = true;
            if self.core.held_bytes() >= self.config.limits.held_bytes_max {
                break;
            }
            wait = Duration::ZERO;
        }
        self.meter.tell_consumed();
        Ok(came)
    }

    /// How long a turn waits for the first record.
    fn poll_wait(&self) -> Duration {
        match self.producing {
            // It waits for deliveries instead.
            Producing::Delivering(_) => Duration::ZERO,
            _ if self.core.in_flight() > 0 => POLL_WAIT_BUSY,
            _ => POLL_WAIT_IDLE,
        }
    }

    fn take_in(&mut self, polled: Polled) -> Result<(), LaneError> {
        match polled {
            Polled::Record(record) => self.receive(record),
            Polled::EndOfPartition { partition, position } => self.reach(partition, position),
            Polled::Assigned(partitions) => return self.assigned(partitions),
            Polled::Revoked { partitions, lost } => return self.revoked(partitions, lost),
            Polled::Located(located) => return self.located(located),
            Polled::OutOfRange => self.check_bounds(),
        }
        Ok(())
    }

    fn receive(&mut self, record: Record) {
        self.end_replay(record.partition, record.offset);
        match self.core.receive(record) {
            Reception::Replay(record) => self.step.replay(record),
            Reception::Queued => self.meter.consumed(),
            Reception::Passed => {}
        }
    }

    fn reach(&mut self, partition: Partition, position: Offset) {
        self.end_replay(partition, position);
        self.core.reach(partition, position, self.broker.now());
    }

    fn end_replay(&mut self, partition: Partition, offset: Offset) {
        if self.core.ends_replay(partition, offset) {
            self.step.replayed(partition);
        }
    }

    /// Begins to read the partitions for which the component has become ready.
    pub(super) fn start_prepared(&mut self) -> Result<(), LaneError> {
        if !self.core.preparing() {
            return Ok(());
        }
        let prepared = self.step.prepared().map_err(|reason| self.step_failed(reason))?;
        for ready in prepared {
            let Some(phase) = self.core.prepared(ready.partition, ready.epoch, ready.from) else {
                continue;
            };
            let started = self.broker.start(ready.partition, ready.from);
            self.unless_stop(started)?;
            if phase == Phase::Running {
                self.step.replayed(ready.partition);
            }
        }
        Ok(())
    }

    /// Takes the outcomes that have become ready.
    pub(super) fn collect(&mut self) -> Result<(), LaneError> {
        let mut outcomes = Vec::new();
        self.step.collect(&mut outcomes).map_err(|reason| self.step_failed(reason))?;
        let now = self.broker.now();
        for finished in outcomes {
            self.core.finish(finished, now);
        }
        Ok(())
    }

    /// Hands over every item that may begin.
    pub(super) fn dispatch(&mut self) -> Result<(), LaneError> {
        self.take_turns();
        let may_begin = self.sibling.may_begin();
        while may_begin && let Some(item) = self.core.next_item() {
            match self.core.condemned(&item) {
                Some(deaths) => self.step.give_up(item, deaths),
                None => self.step.take(item),
            }
        }
        self.step.flush().map_err(|reason| self.step_failed(reason))
    }

    /// A suspect is tried when nothing else of the process is at work, or what is doesn't end.
    fn take_turns(&mut self) {
        let suspect = self.core.suspect();
        let its_turn = suspect.is_some_and(|suspect| self.has_its_turn(suspect));
        self.core.try_suspect(suspect, its_turn);
        if suspect.is_none() {
            self.sibling.needs_no_quiet();
            self.quiet_asked = None;
        }
        self.sibling.is_at_work(!self.core.rests());
    }

    fn has_its_turn(&mut self, suspect: Partition) -> bool {
        let Some(others_rest) = self.sibling.asks_for_quiet() else {
            return false;
        };
        let now = self.broker.now();
        let asked = *self.quiet_asked.get_or_insert(now);
        (others_rest && self.core.rests_beside(suspect)) || now >= asked + QUIET_WAIT_MAX
    }

    /// Pauses and resumes partitions, so that what is held stays within its bounds.
    pub(super) fn regulate(&mut self) -> Result<(), LaneError> {
        let (pause, resume) = self.core.flow(self.broker.now());
        if !pause.is_empty() {
            let paused = self.broker.pause(&pause);
            self.unless_stop(paused)?;
        }
        if !resume.is_empty() {
            let resumed = self.broker.resume(&resume);
            self.unless_stop(resumed)?;
        }
        Ok(())
    }

    fn step_failed(&self, reason: crate::lane::step::StepError) -> LaneError {
        LaneError::Step {
            topic: self.config.topic.clone(),
            group: self.config.group.clone(),
            reason,
        }
    }
}
