//! Publishing, batch by batch: each is a stretch of the source and its cursor in one transaction.
//!
//! ```text
//! read the cursor -> resume the source -> gather -> publish -> All        -> gather ...
//!                                                           -> Refused    -> dead letters instead
//!                                                           -> Unsettled  -> the cursor decides
//! ```

use std::thread;
use std::time::{Duration, Instant};

use longshore_kafka::publisher::{Published, Publisher};
use longshore_kafka::{Outgoing, Refusal, Transactions};
use longshore_schemas::headers::ERROR_CLASS;
use longshore_schemas::records::Cursor;
use longshore_telemetry::names;
use metrics::{counter, histogram};
use tokio_util::sync::CancellationToken;

use crate::batch::{Batch, Form, Stuck};
use crate::cursors::{Cursors, cursor_record};
use crate::pace::Pace;
use crate::recipe::Recipe;
use crate::source::{Place, Polled, Source};
use crate::{Ending, ProducerError, Progress, Summary};

/// How long nothing is looked at but the source, or the clock.
const TURN: Duration = Duration::from_millis(50);

/// How much goes into one transaction.
pub(crate) struct Limits {
    /// Items at most.
    pub(crate) items_max: usize,
    /// How long an entry waits at most for its commit to begin.
    pub(crate) interval: Duration,
}

/// A source on its way to its topic.
pub(crate) struct Publishing<T> {
    pub(crate) publisher: Publisher<T>,
    pub(crate) cursors: Box<dyn Cursors>,
    pub(crate) source: Box<dyn Source>,
    pub(crate) recipe: Recipe,
    pub(crate) limits: Limits,
    pub(crate) pace: Pace,
    /// The name of this in metrics.
    pub(crate) lane: String,
}

impl<T: Transactions> Publishing<T> {
    /// Publishes until the source ends or `draining` is cancelled, and says how far it is at every
    /// turn.
    pub(crate) fn run(
        mut self,
        draining: &CancellationToken,
        observe: &mut dyn FnMut(&Progress),
    ) -> Result<Summary, ProducerError> {
        let began = Instant::now();
        let before = self.cursor()?;
        let resumed_at = before.as_ref().map(Place::from).unwrap_or_default();
        self.source.resume(resumed_at)?;
        let mut progress = Progress { place: resumed_at, ..Progress::default() };
        tracing::info!(source = self.recipe.name, id = %self.recipe.id, line = resumed_at.line,
            "publishing begins");
        let ending = loop {
            let mut batch = self.gather(progress.place, draining)?;
            if batch.ended && before.as_ref().is_some_and(|it| is_behind(it, &batch)) {
                break Ending::AlreadyPublished;
            }
            if !batch.is_empty() || batch.ended {
                self.publish(&mut batch)?;
                self.count(&batch, &mut progress);
            }
            progress.elapsed = began.elapsed();
            observe(&progress);
            if batch.ended {
                break Ending::Finished;
            }
            if draining.is_cancelled() {
                break Ending::Drained;
            }
        };
        Ok(Summary { ending, resumed_at, published: progress })
    }

    /// What comes next, until it is enough for a transaction, or nothing comes for a turn.
    fn gather(
        &mut self,
        begin: Place,
        draining: &CancellationToken,
    ) -> Result<Batch, ProducerError> {
        let mut batch = Batch::new(begin);
        while !batch.is_full(self.limits.items_max) && !draining.is_cancelled() {
            let left = batch.time_left(self.limits.interval, Instant::now());
            if left.is_some_and(|left| left.is_zero()) {
                break;
            }
            match self.poll(left.unwrap_or(TURN).min(TURN))? {
                Polled::Entry(entry) => batch.add(entry, &self.recipe, Instant::now()),
                Polled::Nothing if batch.is_empty() => break,
                Polled::Nothing => {}
                Polled::End(place) => {
                    batch.end_at(place);
                    break;
                }
            }
        }
        Ok(batch)
    }

    /// What the source has next, as soon as the pace allows.
    fn poll(&mut self, wait: Duration) -> Result<Polled, ProducerError> {
        let pause = self.pace.wait(Instant::now());
        if !pause.is_zero() {
            thread::sleep(pause.min(wait));
            return Ok(Polled::Nothing);
        }
        let polled = self.source.poll(wait)?;
        if let Polled::Entry(_) = polled {
            self.pace.took(Instant::now());
        }
        Ok(polled)
    }

    /// Publishes a batch, once.
    fn publish(&mut self, batch: &mut Batch) -> Result<(), ProducerError> {
        let began = Instant::now();
        batch.seal(cursor_record(&self.recipe.topics.cursors, &self.recipe.id, batch)?);
        // Bounded: a record is replaced twice at most, and the publisher counts the rest.
        loop {
            match self.publisher.publish(batch.records())? {
                Published::All => break,
                Published::Refused(refused) => self.replace(batch, refused)?,
                Published::Unsettled(failure) => {
                    tracing::warn!(%failure, "the producer was built anew; the cursor decides");
                    if self.has_landed(batch)? {
                        break;
                    }
                }
            }
        }
        self.count_committed(began.elapsed());
        Ok(())
    }

    fn replace(
        &self,
        batch: &mut Batch,
        refused: Vec<(usize, Refusal)>,
    ) -> Result<(), ProducerError> {
        for (index, refusal) in refused {
            batch.replace(index, refusal, &self.recipe).map_err(|stuck| self.stuck(stuck))?;
        }
        Ok(())
    }

    fn stuck(&self, Stuck { line, refusal }: Stuck) -> ProducerError {
        match line {
            None => ProducerError::CursorRefused(refusal),
            Some(line) => {
                let name = self.recipe.name.clone();
                ProducerError::DeadLetterRefused { name, line, refusal }
            }
        }
    }

    /// Whether a batch whose commit nobody saw is published. If it is neither that nor next,
    /// another process is at the same source.
    fn has_landed(&mut self, batch: &Batch) -> Result<bool, ProducerError> {
        let cursor = self.cursor()?;
        if cursor.as_ref().is_some_and(|it| is_behind(it, batch)) {
            return Ok(true);
        }
        let place = cursor.as_ref().map(Place::from).unwrap_or_default();
        if place == batch.begin {
            return Ok(false);
        }
        let (ours, theirs) = (batch.begin.line, place.line);
        Err(ProducerError::Overtaken { name: self.recipe.name.clone(), ours, theirs })
    }

    fn cursor(&mut self) -> Result<Option<Cursor>, ProducerError> {
        Ok(self.cursors.read()?.remove(self.recipe.id.as_str()))
    }

    fn count(&self, batch: &Batch, progress: &mut Progress) {
        for (form, record) in batch.entries() {
            progress.bytes += record.bytes() as u64;
            self.count_sent(record);
            match form {
                Form::Item => progress.items += 1,
                Form::DeadLetter => {
                    progress.dead_letters += 1;
                    self.count_dead_letter(record);
                }
            }
        }
        progress.place = batch.end;
    }

    fn count_committed(&self, took: Duration) {
        let (lane, outcome) = (self.lane.clone(), "committed");
        counter!(names::TRANSACTIONS, "lane" => lane.clone(), "outcome" => outcome).increment(1);
        histogram!(names::TRANSACTION_DURATION, "lane" => lane, "outcome" => outcome).record(took);
    }

    fn count_sent(&self, record: &Outgoing) {
        counter!(
            names::CLIENT_SENT_MESSAGES,
            "messaging_system_name" => "kafka",
            "messaging_operation_name" => "send",
            "messaging_destination_name" => record.topic.to_string(),
        )
        .increment(1);
    }

    fn count_dead_letter(&self, record: &Outgoing) {
        let class = record.headers.text(ERROR_CLASS).unwrap_or_default().to_owned();
        counter!(names::DEAD_LETTERS, "lane" => self.lane.clone(), "class" => class).increment(1);
    }
}

/// Whether a cursor stands where this batch ends.
fn is_behind(cursor: &Cursor, batch: &Batch) -> bool {
    (cursor.line, cursor.ended) == (batch.end.line, batch.ended)
}

#[cfg(test)]
mod tests;
