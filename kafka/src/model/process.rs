//! The process that a client runs in: faults happen to it.

use super::cluster::Cluster;
use super::code::Code;
use super::fault::{Call, Fault};
use super::group::MemberId;
use super::state::State;
use crate::Failure;

/// One client's process.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) cluster: Cluster,
    pub(super) transactional_id: String,
    member: Option<MemberId>,
    life: Life,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Alive,
    Dead,
}

impl Process {
    pub(super) fn new(
        cluster: Cluster,
        transactional_id: String,
        member: Option<MemberId>,
    ) -> Self {
        Self { cluster, transactional_id, member, life: Life::Alive }
    }

    /// Has happen what is planned for this call. What only the call itself can do is returned.
    pub(super) fn interpose(&mut self, call: Call) -> Result<Option<Fault>, Failure> {
        if self.life == Life::Dead {
            return Err(Code::Crashed.failure(call.name()));
        }
        match self.planned(call) {
            Some(Fault::Slow(by)) => {
                self.cluster.advance(by);
                Ok(None)
            }
            Some(Fault::Fails(remedy)) => Err(Code::Injected.failure_with(call.name(), remedy)),
            Some(Fault::Crash) => {
                self.die();
                Err(Code::Crashed.failure(call.name()))
            }
            Some(Fault::SessionLost) => {
                self.member.iter().for_each(|&member| self.cluster.expel(member));
                Ok(None)
            }
            rest => Ok(rest),
        }
    }

    /// The process dies, and its group doesn't know.
    pub(super) fn die(&mut self) {
        self.life = Life::Dead;
        let Some(member) = self.member else { return };
        if let Some(group) = self.cluster.lock().group_of(member) {
            group.die(member);
        }
    }

    pub(super) fn is_alive(&self) -> bool {
        self.life == Life::Alive
    }

    fn planned(&self, call: Call) -> Option<Fault> {
        let mut state = self.cluster.lock();
        state.take_time();
        let State { plan, rng, seen, .. } = &mut *state;
        let fault = plan.next(&self.transactional_id, call, rng)?;
        seen.faults += 1;
        Some(fault)
    }
}
