//! What the transaction coordinator keeps of one transactional id.

use std::collections::BTreeSet;
use std::time::Duration;

use super::code::Code;
use super::fault::Held;
use super::log::Fate;
use super::offsets::TopicPartition;

/// Stays with a transactional id for ever.
pub(super) type ProducerId = u64;

/// A producer as it was initialised: every later initialisation has a higher epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) producer: ProducerId,
    pub(super) epoch: u32,
}

/// Who writes under the id, and how its transaction stands.
#[derive(Debug)]
pub(super) struct TransactionalId {
    pub(super) session: Session,
    pub(super) state: State,
}

/// How the id's transaction stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    /// There was none yet.
    Empty,
    /// It is open.
    Ongoing { since: Duration, parts: Parts },
    /// Its outcome is decided, its markers are being written.
    Prepared { ending: Ending, parts: Parts },
    /// It is over.
    Complete(Ending),
}

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Commit,
    Abort,
}

impl Ending {
    /// What becomes of its records.
    pub(super) fn fate(self) -> Fate {
        match self {
            Self::Commit => Fate::Committed,
            Self::Abort => Fate::Aborted,
        }
    }
}

/// Where the markers must go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) partitions: BTreeSet<TopicPartition>,
    pub(super) groups: BTreeSet<String>,
}

impl TransactionalId {
    pub(super) fn new(producer: ProducerId) -> Self {
        Self { session: Session { producer, epoch: 0 }, state: State::Empty }
    }

    /// Refuses producers of the past.
    pub(super) fn check(&self, session: Session) -> Result<(), Code> {
        if session == self.session { Ok(()) } else { Err(Code::Fenced) }
    }

    /// The parts of the open transaction, which begins now if none is open. That a late request can
    /// begin one so is the old protocol's weakness, not ours.
    pub(super) fn enlist(&mut self, session: Session, now: Duration) -> Result<&mut Parts, Code> {
        self.check(session)?;
        match self.state {
            State::Prepared { .. } => return Err(Code::ConcurrentTransactions),
            State::Ongoing { .. } => {}
            State::Empty | State::Complete(_) => {
                self.state = State::Ongoing { since: now, parts: Parts::default() };
            }
        }
        self.parts(session)
    }

    /// The parts of the open transaction; there must be one.
    pub(super) fn parts(&mut self, session: Session) -> Result<&mut Parts, Code> {
        self.check(session)?;
        match &mut self.state {
            State::Ongoing { parts, .. } => Ok(parts),
            _ => Err(Code::InvalidTxnState),
        }
    }

    /// The parts of a transaction that isn't over: it is open, or its markers aren't written yet.
    pub(super) fn parts_until_over(&mut self, session: Session) -> Result<&mut Parts, Code> {
        self.check(session)?;
        match &mut self.state {
            State::Ongoing { parts, .. } | State::Prepared { parts, .. } => Ok(parts),
            State::Empty | State::Complete(_) => Err(Code::InvalidTxnState),
        }
    }

    /// Decides the outcome. True if markers must be written now; false if that has been done: the
    /// request is a repeated one.
    pub(super) fn end(&mut self, session: Session, ending: Ending) -> Result<bool, Code> {
        self.check(session)?;
        match &self.state {
            State::Ongoing { .. } => {
                self.prepare(ending);
                Ok(true)
            }
            State::Prepared { ending: other, .. } if *other == ending => {
                Err(Code::ConcurrentTransactions)
            }
            State::Complete(other) if *other == ending => Ok(false),
            _ => Err(Code::InvalidTxnState),
        }
    }

    /// Raises the epoch: whoever wrote under the id can't any more. True if a transaction was open;
    /// it is aborted now.
    pub(super) fn fence(&mut self) -> bool {
        self.session.epoch += 1;
        let open = matches!(self.state, State::Ongoing { .. });
        if open {
            self.prepare(Ending::Abort);
        }
        open
    }

    fn prepare(&mut self, ending: Ending) {
        if let State::Ongoing { parts, .. } = &mut self.state {
            self.state = State::Prepared { ending, parts: std::mem::take(parts) };
        }
    }

    /// The markers that can be written by now: what they say, and where. With the last one it is
    /// over.
    pub(super) fn take_markers(&mut self, held: Option<Held>) -> Option<(Ending, Parts)> {
        let State::Prepared { ending, parts } = &mut self.state else {
            return None;
        };
        let (ending, mut due) = (*ending, Parts::default());
        if matches!(held, None | Some(Held::OfProgress)) {
            due.partitions = std::mem::take(&mut parts.partitions);
        }
        if matches!(held, None | Some(Held::OfRecords)) {
            due.groups = std::mem::take(&mut parts.groups);
        }
        if *parts == Parts::default() {
            self.state = State::Complete(ending);
        }
        Some((ending, due))
    }

    /// Whether its markers are still being written.
    pub(super) fn is_ending(&self) -> bool {
        matches!(self.state, State::Prepared { .. })
    }

    /// Whether it is decided that its transaction counts, and its markers are still being written.
    pub(super) fn is_committing(&self) -> bool {
        matches!(self.state, State::Prepared { ending: Ending::Commit, .. })
    }

    /// Whether its transaction is older than this.
    pub(super) fn is_older(&self, now: Duration, timeout: Duration) -> bool {
        matches!(self.state, State::Ongoing { since, .. } if now.saturating_sub(since) > timeout)
    }
}
