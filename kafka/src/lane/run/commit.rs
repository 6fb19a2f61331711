//! The transaction: outputs, dead letters and progress become visible together, or not at all.

use std::time::Duration;

use super::{
    BACKOFF_FIRST, BACKOFF_MAX, Delivering, FENCE_MARGIN, LEAVE_MAX, Lane, POLL_WAIT_BUSY,
    Producing, READY_WAIT, Settling,
};
use crate::lane::broker::{Broker, Sent, TOPIC_MADE_ANEW};
use crate::lane::core::Batch;
use crate::lane::error::LaneError;
use crate::lane::start::StartError;
use crate::lane::step::Step;
use crate::transaction::{Commit, Spoiled, Suspended, Transaction, Written};
use crate::{Failure, Refusal, Remedy};

/// How an attempt at a transaction ended.
pub(super) enum Attempt {
    Committed(Written),
    Spoiled(Spoiled),
    Unknown(Failure, Written),
}

impl<B: Broker, S: Step> Lane<B, S> {
    /// Does what the producer is at: brings it up, settles, or commits what is due. While records
    /// are on their way it waits for them, for a moment, if the lane is idle.
    pub(super) fn transact(&mut self, is_idle: bool) -> Result<(), LaneError> {
        match &self.producing {
            Producing::Starting => {
                if self.producer_ready()? {
                    self.producing = Producing::Ready;
                }
            }
            Producing::Settling(Settling { asked: None, .. }) => {
                if self.producer_ready()? {
                    self.ask_to_settle();
                }
            }
            Producing::Settling(_) => {}
            Producing::Delivering(_) => {
                self.look_at_deliveries(if is_idle { POLL_WAIT_BUSY } else { Duration::ZERO })?;
            }
            // Looked at here and not right after a transaction: a broker error may be told later
            // than the transaction that it belongs to.
            Producing::Ready if self.broker.tainted() => self.renew_producer("tainted"),
            Producing::Ready => {
                let now = self.broker.now();
                if now >= self.not_before && self.core.is_due(now) {
                    self.commit_due()?;
                }
            }
        }
        Ok(())
    }

    /// What the old producer left open is ended by the initialisation of the new one.
    fn renew_producer(&mut self, reason: &'static str) {
        self.meter.rebuilt(reason);
        self.broker.discard_producer();
        self.producing = Producing::Starting;
    }

    fn producer_ready(&mut self) -> Result<bool, LaneError> {
        match self.broker.ready(READY_WAIT) {
            Ok(ready) => Ok(ready),
            Err(failure) if failure.remedy == Remedy::Stop => Err(self.stop(failure)),
            Err(failure) => {
                tracing::warn!(topic = %self.config.topic, %failure, "builds a new producer");
                self.meter.rebuilt("not_initialized");
                self.broker.discard_producer();
                Ok(false)
            }
        }
    }

    fn take_batch(&mut self) -> Option<Batch> {
        let (step, now) = (&mut self.step, self.broker.now());
        self.core.take_batch(now, |partition, position, outcomes| {
            step.state(partition, position, outcomes)
        })
    }

    fn commit_due(&mut self) -> Result<(), LaneError> {
        let Some(batch) = self.take_batch() else { return Ok(()) };
        self.left_open = true;
        let began = self.broker.now();
        match self.send(&batch) {
            Ok(transaction) => {
                self.producing = Producing::Delivering(Delivering { batch, transaction, began });
                Ok(())
            }
            Err(spoiled) => self.ended(batch, Attempt::Spoiled(spoiled), began),
        }
    }

    /// An attempt has come to its end, for better or worse.
    pub(super) fn ended(
        &mut self,
        batch: Batch,
        attempt: Attempt,
        began: Duration,
    ) -> Result<(), LaneError> {
        let took = self.broker.now().saturating_sub(began);
        self.adapt(&attempt, &batch, took);
        match attempt {
            Attempt::Committed(written) => {
                self.left_open = false;
                self.meter.transaction("committed", took);
                self.landed(batch, &written);
                Ok(())
            }
            Attempt::Spoiled(spoiled) => {
                self.meter.transaction("aborted", took);
                self.spoiled(batch, spoiled, took)
            }
            Attempt::Unknown(failure, written) => {
                self.meter.transaction("unknown", took);
                self.meter.rebuilt("unknown_commit");
                tracing::warn!(topic = %self.config.topic, %failure, "a commit of unknown outcome");
                self.note_fence(&failure, took)?;
                self.producing =
                    Producing::Settling(Settling { batch, written, failure, asked: None });
                Ok(())
            }
        }
    }

    /// What was too much for the broker's timeout is too much again. After that, twice as much goes
    /// into a transaction only if there is time for it.
    fn adapt(&mut self, attempt: &Attempt, batch: &Batch, took: Duration) {
        let committed = matches!(attempt, Attempt::Committed(_));
        if committed && !self.is_out_of_time(took * 2) {
            self.core.grow();
        } else if !committed && self.is_out_of_time(took) {
            self.core.shrink(batch.outcomes.len());
        }
    }

    /// Whether a transaction of this age may have been ended by the broker. The client gives up its
    /// records at that age too: librdkafka sets `message.timeout.ms` to the transaction's.
    fn is_out_of_time(&self, age: Duration) -> bool {
        age + FENCE_MARGIN >= self.config.fenced_after
    }

    /// Begins a transaction and gives the client all records of the batch.
    fn send(&mut self, batch: &Batch) -> Result<Suspended, Spoiled> {
        let timeout = self.config.transaction_timeout;
        let begun = Transaction::begin(&mut self.broker, timeout);
        let mut transaction = begun.map_err(Spoiled::Failed)?;
        let outputs = batch.outcomes.iter().flat_map(|finished| &finished.outputs);
        for (tag, output) in outputs.chain(&batch.marks).enumerate() {
            transaction.produce(output, tag)?;
        }
        Ok(transaction.suspend())
    }

    /// All records are delivered: their items' progress, and the commit.
    pub(super) fn commit(
        &mut self,
        batch: &Batch,
        transaction: Suspended,
        written: Written,
    ) -> Attempt {
        let mut transaction = Transaction::resume(&mut self.broker, transaction);
        let progress: Vec<Sent> = batch.progress.iter().map(|(_, sent)| sent.clone()).collect();
        if let Err(spoiled) = transaction.send_progress(&progress) {
            return Attempt::Spoiled(spoiled);
        }
        self.meter.sent(batch);
        let asked = transaction.now();
        let commit = transaction.commit();
        let took = self.broker.now().saturating_sub(asked);
        match commit {
            Commit::Committed => {
                self.meter.commit(took, None);
                Attempt::Committed(written)
            }
            Commit::Unknown(failure) => {
                self.meter.commit(took, Some(&failure.code));
                Attempt::Unknown(failure, written)
            }
        }
    }

    /// The transaction is visible: its items are finished.
    pub(super) fn landed(&mut self, batch: Batch, written: &Written) {
        self.failures = 0;
        self.young_fences = 0;
        let outcomes = self.core.committed(batch, self.broker.now());
        self.meter.finished(&outcomes);
        self.step.committed(outcomes, written);
    }

    /// The transaction came to nothing. Its outcomes are kept.
    fn spoiled(&mut self, batch: Batch, spoiled: Spoiled, took: Duration) -> Result<(), LaneError> {
        match spoiled {
            Spoiled::Refused(refused) => self.refused(batch, refused),
            Spoiled::Failed(failure) => {
                tracing::warn!(topic = %self.config.topic, %failure, "aborted a transaction");
                self.core.aborted(batch, &[], self.broker.now());
                self.after_failure(failure, took)
            }
        }
    }

    /// Records were refused for good. Alone in its transaction an item is at fault; among others it
    /// is only suspect, because the broker refuses whole batches.
    fn refused(
        &mut self,
        mut batch: Batch,
        refused: Vec<(usize, Refusal)>,
    ) -> Result<(), LaneError> {
        let outputs: usize = batch.outcomes.iter().map(|finished| finished.outputs.len()).sum();
        if let Some((_, refusal)) = refused.iter().find(|(tag, _)| *tag >= outputs) {
            let refused = self.mark_refused(refusal);
            self.core.aborted(batch, &[], self.broker.now());
            return Err(refused);
        }
        let mut suspects: Vec<usize> =
            refused.iter().map(|(tag, _)| outcome_of(&batch, *tag)).collect();
        suspects.dedup();
        if batch.outcomes.len() == 1 {
            suspects.clear();
            if let Some((_, refusal)) = refused.into_iter().next() {
                let failed = self.fail(&mut batch, 0, refusal);
                self.core.aborted(batch, &suspects, self.broker.now());
                return failed;
            }
        }
        self.core.aborted(batch, &suspects, self.broker.now());
        Ok(())
    }

    /// No item is at fault.
    fn mark_refused(&self, refusal: &Refusal) -> LaneError {
        let Refusal { topic, code, message } = refusal;
        self.stop(Failure {
            remedy: Remedy::Stop,
            call: "produce",
            code: code.clone(),
            message: format!(
                "{topic} doesn't take that a partition was begun: {message}; permit writing to it, \
                 and small records, then start again"
            ),
        })
    }

    /// The item fails: its dead letter takes the place of its outputs.
    fn fail(&mut self, batch: &mut Batch, index: usize, refusal: Refusal) -> Result<(), LaneError> {
        let finished = &mut batch.outcomes[index];
        tracing::warn!(
            topic = %self.config.topic,
            partition = %finished.partition,
            offset = finished.offset().map(|offset| offset.0),
            to = %refusal.topic,
            reason = %refusal.message,
            "an output was refused: its item fails"
        );
        let Some(outputs) = self.step.refused(finished, &refusal) else {
            let (topic, partition) = (self.config.topic.clone(), finished.partition);
            return Err(LaneError::DeadLetterRefused { topic, partition, refusal });
        };
        self.core.replace(finished, outputs);
        Ok(())
    }

    fn after_failure(&mut self, failure: Failure, took: Duration) -> Result<(), LaneError> {
        self.failures = self.failures.saturating_add(1);
        match failure.remedy {
            Remedy::Stop => return Err(self.stop(failure)),
            Remedy::Leave => self.lose_all()?,
            Remedy::Rebuild => {
                self.note_fence(&failure, took)?;
                self.renew_producer("failed");
            }
            Remedy::Retry | Remedy::Abort => {}
        }
        let pause = BACKOFF_FIRST.saturating_mul(1 << (self.failures - 1).min(10));
        self.not_before = self.broker.now() + pause.min(BACKOFF_MAX);
        Ok(())
    }

    /// A fence of a transaction older than its timeout is the broker's own doing (KIP-588 isn't
    /// supported by the client). A younger one, twice without a commit between, is another process.
    fn note_fence(&mut self, failure: &Failure, took: Duration) -> Result<(), LaneError> {
        if !failure.is_fence() || self.is_out_of_time(took) {
            return Ok(());
        }
        self.young_fences += 1;
        if self.young_fences < 2 {
            return Ok(());
        }
        Err(LaneError::FencedByAnother {
            topic: self.config.topic.clone(),
            group: self.config.group.clone(),
            failure: failure.clone(),
        })
    }
}

impl<B: Broker, S: Step> Lane<B, S> {
    /// The lane stops of its own accord, and nobody has died of its items: the next owner is told,
    /// or it would take them for killers. Left alone if that takes longer than a moment.
    pub(super) fn take_leave(&mut self, why: &LaneError) {
        let is_sound = match why {
            LaneError::Start { reason: StartError::GoneOn { .. }, .. } => false,
            LaneError::Step { .. } | LaneError::Start { .. } => true,
            LaneError::DeadLetterRefused { .. } => true,
            // Nothing is taken from another process that has our transactional id, and no progress
            // is left in a topic that we haven't read.
            LaneError::Kafka { failure, .. } => {
                !failure.is_fence() && failure.code != TOPIC_MADE_ANEW
            }
            _ => false,
        };
        let now = self.broker.now();
        let settling = matches!(self.producing, Producing::Settling(_));
        if !is_sound || settling || !self.core.leave(now) {
            return;
        }
        if self.broker.tainted() {
            self.broker.discard_producer();
        }
        // Each answer that isn't one has taken its time.
        while let Ok(false) = self.broker.ready(READY_WAIT)
            && self.broker.now() < now + LEAVE_MAX
        {}
        if let Some(batch) = self.take_batch() {
            let told = self.tell(&batch);
            tracing::debug!(topic = %self.config.topic, told, "left its partitions");
        }
    }

    fn tell(&mut self, batch: &Batch) -> bool {
        let Ok(transaction) = self.send(batch) else { return false };
        match Transaction::resume(&mut self.broker, transaction).into_delivered() {
            Ok((transaction, written)) => {
                matches!(self.commit(batch, transaction, written), Attempt::Committed(_))
            }
            Err(_) => false,
        }
    }
}

/// The outcome whose output has this tag: outputs are numbered through the whole batch.
pub(super) fn outcome_of(batch: &Batch, tag: usize) -> usize {
    let mut before = 0;
    for (index, finished) in batch.outcomes.iter().enumerate() {
        before += finished.outputs.len();
        if tag < before {
            return index;
        }
    }
    batch.outcomes.len().saturating_sub(1)
}
