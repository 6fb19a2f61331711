//! The rules that a lane keeps to. Each can be left out: then something must go wrong.

/// What is made of a commit of unknown outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// It is looked up.
    Settled,
    TakenForCommitted,
    TakenForAborted,
}

/// The rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// No transaction is begun by a producer of which a request may be on its way (KAFKA-17754).
    pub rebuilds: bool,
    pub unknown: Unknown,
    /// A partition is given back when nothing of it is in the transaction.
    pub gives_back_in_order: bool,
    /// A partition is taken up when no transaction holds progress of it.
    pub waits_for_stable_progress: bool,
}

impl Rules {
    /// All of them.
    pub const KEPT: Self = Self {
        rebuilds: true,
        unknown: Unknown::Settled,
        gives_back_in_order: true,
        waits_for_stable_progress: true,
    };
}
