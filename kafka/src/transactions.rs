//! All that is asked of a transactional producer, in the order in which it is asked.

use std::time::Duration;

use longshore_schemas::TopicName;

use crate::{Failure, Offset, Outgoing, Partition};

/// One transactional id. The real producer and the model implement it.
///
/// Every call returns within its `wait` (or at once, where there is none). A call that answers
/// [`crate::Remedy::Retry`] is repeated by the caller, the same call, until the caller's deadline:
/// librdkafka resumes it. Such an answer has taken time, so that repeating it doesn't spin.
pub trait Transactions {
    /// Time since some fixed moment, counted also while the machine sleeps: the age of a
    /// transaction is judged by it.
    fn now(&self) -> Duration;

    /// Makes a producer ready to begin: builds one if there is none, and waits until no transaction
    /// of its id is open. False: not yet, ask again.
    fn ready(&mut self, wait: Duration) -> Result<bool, Failure>;

    /// Begins a transaction.
    fn begin(&mut self) -> Result<(), Failure>;

    /// Writes one record into the transaction. `tag` names it in [`Deliveries::refused`].
    fn produce(&mut self, output: &Outgoing, tag: usize) -> Result<(), ProduceError>;

    /// How far the records of this transaction were delivered; waits until all are, or `wait`.
    fn deliveries(&mut self, wait: Duration) -> Deliveries;

    /// Commits. Any answer but Ok leaves the outcome unknown (unless it is Retry: ask again).
    fn commit(&mut self, wait: Duration) -> Result<(), Failure>;

    /// Aborts.
    fn abort(&mut self, wait: Duration) -> Result<(), Failure>;

    /// Whether this producer must not begin another transaction: a request may still be under way
    /// somewhere (a call that wasn't Ok at its first try, a connection that failed, a broker error
    /// since `begin`), and a late copy of it could hit a later transaction of the same producer
    /// epoch (KAFKA-17754). Nor after a failed delivery, which leaves a hole in the sequence of its
    /// partition. Nor if there is no producer, because it was given up: the initialisation of the
    /// next one ends what it left open.
    fn tainted(&self) -> bool;

    /// Gives the producer up. The next [`Transactions::ready`] builds a new one with the same id,
    /// whose initialisation fences the old one and ends its transaction.
    fn discard_producer(&mut self);
}

/// Why a record was not taken.
#[derive(Clone, Debug)]
pub enum ProduceError {
    /// The client's queue is full: serve it and try again.
    Full,
    /// This record can never be written.
    Refused(Refusal),
    /// The call failed.
    Failed(Failure),
}

/// A record that a topic won't take, whatever the weather: too large, or invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The topic.
    pub topic: TopicName,
    /// The code by name, such as `MSG_SIZE_TOO_LARGE`.
    pub code: String,
    /// What happened, with sizes where they matter.
    pub message: String,
}

/// How far the records of a transaction were delivered: all of it since `begin`, at every call.
#[derive(Clone, Debug, Default)]
pub struct Deliveries {
    /// Not yet answered for.
    pub pending: usize,
    /// Refused for good, by the tag they were produced with. The broker refuses whole batches, so
    /// innocent records may be among them.
    pub refused: Vec<(usize, Refusal)>,
    /// Failed otherwise, the first of them.
    pub failed: Option<Failure>,
    /// The highest offset written, for each topic partition, that was delivered since `begin`.
    pub written: Vec<(TopicName, Partition, Offset)>,
}
