//! What comes of one record: effects, and what is only counted.

use longshore_schemas::records::{InboxRecord, PartOutcome};

use super::effect::{Action, Conflict, ConflictCause, Effect, Late, LateCause};
use super::rules::OnLate;

/// Outcomes and seals that changed nothing and went nowhere, counted since the resume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Came again with the same content.
    pub duplicate: u64,
    /// Failed attempts that another attempt took the place of.
    pub repaired: u64,
    /// Came after their group had closed without waiting for them.
    pub surplus: u64,
    /// Came late, under `late: drop`.
    pub late: u64,
}

/// Collects what one record causes. A replay throws it away.
#[derive(Debug)]
pub(super) struct Outbox {
    at: Option<i64>,
    on_late: OnLate,
    pub(super) effects: Vec<Effect>,
    pub(super) dropped: Dropped,
}

impl Outbox {
    pub(super) fn new(at: Option<i64>, on_late: OnLate) -> Self {
        Self { at, on_late, effects: Vec::new(), dropped: Dropped::default() }
    }

    pub(super) fn push(&mut self, action: Action) {
        self.effects.push(Effect { at: self.at, action });
    }

    pub(super) fn late(&mut self, cause: LateCause, offset: i64, outcome: PartOutcome) {
        match self.on_late {
            OnLate::Topic => {
                self.push(Action::Late(Late { cause, offset, outcome: Box::new(outcome) }));
            }
            OnLate::Drop => self.dropped.late += 1,
        }
    }

    pub(super) fn conflict(&mut self, cause: ConflictCause, offset: i64, record: InboxRecord) {
        self.push(Action::Conflict(Box::new(Conflict { cause, offset, record, spilled: None })));
    }
}

impl Dropped {
    pub(super) fn add(&mut self, other: Self) {
        self.duplicate += other.duplicate;
        self.repaired += other.repaired;
        self.surplus += other.surplus;
        self.late += other.late;
    }
}
