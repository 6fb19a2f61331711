//! What the loop must do about an error: the only thing it asks of one.

use std::fmt;

/// What the loop must do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// Repeat the same call until its deadline: nothing was lost.
    Retry,
    /// Abort the transaction; the outcomes of partitions still owned are kept for the next one.
    Abort,
    /// The producer is spent: build a new one with the same id; committed progress decides.
    Rebuild,
    /// The partitions are no longer ours: forget them, rejoin.
    Leave,
    /// Nothing here can mend it: stop with this error.
    Stop,
}

/// A call on Kafka that failed: what to do, and what to tell a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What the loop must do.
    pub remedy: Remedy,
    /// The call that failed.
    pub call: &'static str,
    /// The client's code by name, such as `INVALID_TXN_STATE`.
    pub code: String,
    /// What the client says.
    pub message: String,
}

impl Failure {
    /// Whether a newer producer of the same transactional id took over, or the broker timed the
    /// transaction out: the client doesn't tell them apart.
    pub fn is_fence(&self) -> bool {
        matches!(self.code.as_str(), "_FENCED" | "PRODUCER_FENCED" | "INVALID_PRODUCER_EPOCH")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed: {} ({})", self.call, self.message, self.code)
    }
}

impl std::error::Error for Failure {}
