//! A process: its lane, and whether it lives.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};
use longshore_kafka::lane::start::StartError;
use longshore_kafka::lane::{Lane, LaneError};
use longshore_kafka::model::{Member, MemberId};

use crate::subject::Simulated;

/// A process.
pub(crate) struct Running<S: Simulated> {
    pub(crate) lane: Lane<Member, S::Step>,
    /// Whether one of its handlers has killed it.
    pub(crate) killed: Arc<AtomicBool>,
}

/// What a turn has come to.
pub(crate) enum Turned {
    On,
    Drained,
    Ended,
}

impl<S: Simulated> Running<S> {
    pub(crate) fn member(&self) -> MemberId {
        self.lane.broker().id()
    }

    pub(crate) fn turn(&mut self) -> Result<Turned> {
        if self.killed.load(Ordering::Relaxed) {
            return Ok(Turned::Ended);
        }
        if let Err(error) = self.lane.turn() {
            may_stop_with(&error)?;
            return Ok(Turned::Ended);
        }
        Ok(if self.lane.is_drained() { Turned::Drained } else { Turned::On })
    }

    /// It is gone, and nobody is told.
    pub(crate) fn crash(mut self) {
        self.lane.broker_mut().crash();
    }
}

/// A crash that was ordered, and what tells a process that another has its place.
fn may_stop_with(error: &LaneError) -> Result<()> {
    match error {
        LaneError::FencedByAnother { .. } => Ok(()),
        LaneError::Start { reason: StartError::GoneOn { .. }, .. } => Ok(()),
        LaneError::Kafka { failure, .. }
            if ["CRASHED", "FENCED_INSTANCE_ID"].contains(&failure.code.as_str()) =>
        {
            Ok(())
        }
        other => bail!("a lane stopped: {other}"),
    }
}
