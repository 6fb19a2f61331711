//! Publishing exactly once without a consumer group: a source writes its items and its cursor in
//! one transaction, and goes on from the cursor.
//!
//! ```text
//! open -> read the cursor -> publish(items + cursor record) -> All       -> the next batch
//!              ^                                            -> Refused   -> again without these
//!              +------------------------------------------- -> Unsettled
//! ```

use std::time::Duration;

use crate::transaction::{Commit, Spoiled, Transaction};
use crate::{Failure, Outgoing, Refusal, Remedy, Transactions};

/// Records in one batch at most, so that a batch fits its transaction's timeout.
pub const BATCH_RECORDS_MAX: usize = 10_000;
/// Bytes of keys, values and headers in one batch at most.
pub const BATCH_BYTES_MAX: usize = 16 << 20;

/// One call waits this long at most.
const CALL_WAIT: Duration = Duration::from_secs(1);
/// A batch whose transaction was aborted this often in a row isn't tried again.
const ABORTS_MAX: u32 = 5;
/// A caller that was sent to its cursor this often without a commit isn't sent again: two processes
/// with one transactional id would fence each other for ever.
const UNSETTLED_MAX: u32 = 5;

/// Publishes batches under one transactional id, strictly one after another.
#[derive(Debug)]
pub struct Publisher<T> {
    transactions: T,
    /// How long one transaction, or one wait for its predecessor, may take.
    timeout: Duration,
    /// How many records are under way before their delivery is awaited. Shrinks when a broker
    /// refuses batches none of whose records it refuses alone: the topic's limit is smaller than
    /// the client's batches.
    pace: usize,
    /// Why the producer was built anew since the caller last looked at its cursor, if it was.
    renewed: Option<Failure>,
    /// How often the caller was sent to its cursor since the last commit.
    unsettled: u32,
}

/// What became of a batch.
#[derive(Clone, Debug)]
#[must_use = "only `All` means that the batch was written"]
pub enum Published {
    /// All of it is written, once, and visible.
    All,
    /// Nothing is written: no topic will ever take these records, by their index in the batch.
    /// Publish dead letters in their place; there may be more, which the next try shows.
    Refused(Vec<(usize, Refusal)>),
    /// The producer had to be built anew, and only the cursor tells how far the source is
    /// published: by this batch, perhaps, or by another process of this id. No transaction of the
    /// id is open any more, so what a committed reader finds now is final: read the cursor and go
    /// on behind it; with the same batch, if it stands where the batch begins.
    Unsettled(Failure),
}

/// Why nothing more can be published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The caller's batch is out of bounds.
    #[error(
        "a batch of {records} records and {bytes} bytes is too large: at most {BATCH_RECORDS_MAX} \
         records and {BATCH_BYTES_MAX} bytes fit one transaction"
    )]
    BatchTooLarge {
        /// Its records.
        records: usize,
        /// Their keys, values and headers.
        bytes: usize,
    },
    /// The predecessor's transaction didn't end in time.
    #[error(
        "the producer was not ready within {waited:?}: an earlier transaction of its id is still \
         open, or the broker can't be reached; it ends by itself after its transaction.timeout.ms"
    )]
    NotReady {
        /// How long was waited.
        waited: Duration,
    },
    /// The producer was spent again and again.
    #[error(
        "{failure}, {UNSETTLED_MAX} times without a commit: another process probably publishes \
         under the same transactional id; stop one of the two"
    )]
    Fenced {
        /// The last failure.
        failure: Failure,
    },
    /// A call failed for good.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl<T: Transactions> Publisher<T> {
    /// Makes the producer ready; each transaction may take `timeout`. From now on what a committed
    /// reader finds of this id's earlier transactions is final: time to read the cursor.
    pub fn open(transactions: T, timeout: Duration) -> Result<Self, PublishError> {
        let (pace, renewed, unsettled) = (BATCH_RECORDS_MAX, None, 0);
        let mut publisher = Self { transactions, timeout, pace, renewed, unsettled };
        publisher.await_ready()?;
        Ok(publisher)
    }

    /// Writes all of `batch`, in its order, or nothing. The cursor belongs into it.
    pub fn publish(&mut self, batch: &[Outgoing]) -> Result<Published, PublishError> {
        check_bounds(batch)?;
        let mut aborts = 0;
        // Bounded: aborts are counted, and whatever changes the pace halves it.
        loop {
            self.renew_if_tainted()?;
            if let Some(failure) = self.renewed.take() {
                return self.send_to_cursor(failure);
            }
            match self.attempt(batch) {
                Ok(Attempt::Ended(published)) => return Ok(published),
                Ok(Attempt::Slower(pace)) => self.pace = pace,
                Err(PublishError::Failed(failure)) => match failure.remedy {
                    Remedy::Rebuild => self.renew(failure)?,
                    Remedy::Abort | Remedy::Retry if aborts < ABORTS_MAX => aborts += 1,
                    _ => return Err(failure.into()),
                },
                Err(error) => return Err(error),
            }
        }
    }

    /// One transaction, and what it takes to judge its refusals.
    fn attempt(&mut self, batch: &[Outgoing]) -> Result<Attempt, PublishError> {
        match self.write(batch.iter().enumerate()).map(Transaction::commit) {
            Ok(Commit::Committed) => {
                self.unsettled = 0;
                Ok(Attempt::Ended(Published::All))
            }
            Ok(Commit::Unknown(failure)) => {
                Err(Failure { remedy: Remedy::Rebuild, ..failure }.into())
            }
            Err(Spoiled::Failed(failure)) => Err(failure.into()),
            // It was the only one under way.
            Err(Spoiled::Refused(guilty)) if self.pace == 1 => {
                Ok(Attempt::Ended(Published::Refused(guilty)))
            }
            Err(Spoiled::Refused(suspects)) => {
                let slower = (suspects.len().min(self.pace) / 2).max(1);
                let guilty = self.single_out(batch, suspects)?;
                Ok(match guilty.is_empty() {
                    true => Attempt::Slower(slower),
                    false => Attempt::Ended(Published::Refused(guilty)),
                })
            }
        }
    }

    /// Begins a transaction and delivers records in it, `pace` at a time.
    fn write<'b>(
        &mut self,
        records: impl Iterator<Item = (usize, &'b Outgoing)>,
    ) -> Result<Transaction<'_, T>, Spoiled> {
        let (pace, timeout) = (self.pace, self.timeout);
        let mut transaction = Transaction::begin(&mut self.transactions, timeout)
            .map_err(|failure| Spoiled::Failed(without_producer(failure)))?;
        for (count, (tag, record)) in (1..).zip(records) {
            if let Err(spoiled) = transaction.produce(record, tag) {
                // A transaction takes no more once a record was refused: that is the reason, then.
                return Err(transaction.deliver().err().unwrap_or(spoiled));
            }
            if count % pace == 0 {
                transaction.deliver()?;
            }
        }
        transaction.deliver()?;
        Ok(transaction)
    }

    /// Those of the suspects that are refused alone. A broker refuses a whole batch for one record
    /// of it, so the suspects are halved until one stands alone, each time in a transaction that is
    /// aborted.
    fn single_out(
        &mut self,
        batch: &[Outgoing],
        suspects: Vec<(usize, Refusal)>,
    ) -> Result<Vec<(usize, Refusal)>, PublishError> {
        let mut guilty = Vec::new();
        let mut open = halves(suspects);
        // Bounded: what is probed is always smaller than what it came from.
        while let Some(suspects) = open.pop() {
            let mut refused = self.probe(batch, &suspects)?;
            match suspects.len() {
                1 => guilty.append(&mut refused),
                _ => open.extend(halves(refused)),
            }
        }
        guilty.sort_by_key(|(tag, _)| *tag);
        Ok(guilty)
    }

    /// Which of these records are refused when only they are written. Writes nothing.
    fn probe(
        &mut self,
        batch: &[Outgoing],
        suspects: &[(usize, Refusal)],
    ) -> Result<Vec<(usize, Refusal)>, PublishError> {
        let mut aborts = 0;
        loop {
            // What a probe leaves behind can be fenced off at once: it publishes nothing.
            self.renew_if_tainted()?;
            // Dropping the transaction aborts it.
            match self.write(suspects.iter().map(|&(tag, _)| (tag, &batch[tag]))).map(drop) {
                Ok(()) => return Ok(Vec::new()),
                Err(Spoiled::Refused(refused)) => return Ok(refused),
                // The client counts a refused batch as sent, and the broker doesn't: the next one
                // that the broker would take has a sequence number too high and fails once, after
                // which the client has a new epoch and counts anew.
                Err(Spoiled::Failed(failure))
                    if failure.remedy == Remedy::Abort && aborts < ABORTS_MAX =>
                {
                    aborts += 1;
                }
                Err(Spoiled::Failed(failure)) => return Err(failure.into()),
            }
        }
    }

    /// A new producer of the same id.
    fn renew(&mut self, failure: Failure) -> Result<(), PublishError> {
        self.transactions.discard_producer();
        self.renewed = Some(failure);
        self.await_ready()
    }

    /// A tainted producer must not begin another transaction.
    fn renew_if_tainted(&mut self) -> Result<(), PublishError> {
        if self.transactions.tainted() { self.renew(tainted()) } else { Ok(()) }
    }

    /// Nothing may be published with a new producer before the caller has looked at its cursor:
    /// another process of this id may have published in between.
    fn send_to_cursor(&mut self, failure: Failure) -> Result<Published, PublishError> {
        if self.unsettled == UNSETTLED_MAX {
            return Err(PublishError::Fenced { failure });
        }
        self.unsettled += 1;
        Ok(Published::Unsettled(failure))
    }

    fn await_ready(&mut self) -> Result<(), PublishError> {
        let deadline = self.transactions.now() + self.timeout;
        loop {
            match self.transactions.ready(CALL_WAIT) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(failure) => match failure.remedy {
                    Remedy::Retry => {}
                    Remedy::Abort | Remedy::Rebuild => self.transactions.discard_producer(),
                    Remedy::Leave | Remedy::Stop => return Err(failure.into()),
                },
            }
            if self.transactions.now() >= deadline {
                return Err(PublishError::NotReady { waited: self.timeout });
            }
        }
    }
}

/// How one attempt at a batch ended.
enum Attempt {
    /// The caller is told.
    Ended(Published),
    /// Every record was taken alone, but not together: again, this many at a time.
    Slower(usize),
}

fn halves(mut suspects: Vec<(usize, Refusal)>) -> Vec<Vec<(usize, Refusal)>> {
    let second = suspects.split_off(suspects.len() / 2);
    [suspects, second].into_iter().filter(|half| !half.is_empty()).collect()
}

fn check_bounds(batch: &[Outgoing]) -> Result<(), PublishError> {
    let (records, bytes) = (batch.len(), batch.iter().map(Outgoing::bytes).sum());
    // An item that is too large by itself, with its cursor, is left to its topic's judgement.
    if records > BATCH_RECORDS_MAX || (bytes > BATCH_BYTES_MAX && records > 2) {
        return Err(PublishError::BatchTooLarge { records, bytes });
    }
    Ok(())
}

/// A producer that can't begin has been given up.
fn without_producer(failure: Failure) -> Failure {
    match failure.remedy {
        Remedy::Stop => failure,
        _ => Failure { remedy: Remedy::Rebuild, ..failure },
    }
}

fn tainted() -> Failure {
    Failure {
        remedy: Remedy::Rebuild,
        call: "publish",
        code: "TAINTED".to_owned(),
        message: "a request of an earlier transaction may still be under way".to_owned(),
    }
}

#[cfg(test)]
mod tests;
