//! The work on one item: its attempts, and what is written for it in the end.

use std::num::NonZeroUsize;
use std::sync::Arc;

use longshore_handler::{Context, HandlerError, Outcome, Stack, class};
use longshore_kafka::lane::step::{Finished, Item, Verdict};
use longshore_kafka::{Outgoing, Record, Refusal};
use longshore_schemas::Timestamp;
use longshore_telemetry::TraceContext;
use metrics::counter;
use tokio::sync::Semaphore;

use crate::envelope::{self, Envelope};
use crate::error::Stuck;
use crate::outputs::{self, Ending, GivenUp, Hop};
use crate::{Retry, Wiring};

/// All that the items of a stage are worked on with.
pub(crate) struct Workshop {
    stack: Stack,
    wiring: Wiring,
    retry: Retry,
    /// Held during attempts only, so that an item between two attempts takes no one's place.
    attempts: Semaphore,
    lane: String,
}

/// An item that was handled.
struct Handled {
    outcome: Outcome,
    attempts: u32,
    /// The span of the attempt.
    trace: TraceContext,
}

impl Workshop {
    /// For the items that the lane of this name hands out.
    pub(crate) fn new(
        stack: Stack,
        wiring: Wiring,
        retry: Retry,
        concurrency: NonZeroUsize,
        lane: String,
    ) -> Self {
        Self { stack, wiring, retry, attempts: Semaphore::new(concurrency.get()), lane }
    }

    /// The name of the lane.
    pub(crate) fn lane(&self) -> &str {
        &self.lane
    }

    /// Works on an item until its outcome is certain.
    pub(crate) async fn work(&self, item: Arc<Item>) -> Result<Finished, Stuck> {
        let ending = self.end(&item.record).await?;
        Ok(finished(item, ending))
    }

    async fn end(&self, record: &Record) -> Result<Ending, Stuck> {
        let envelope = match Envelope::open(record, self.wiring.trust) {
            Ok(envelope) => envelope,
            Err(error) => {
                let error = HandlerError::permanent(class::UNREADABLE_HEADERS, error.to_string());
                return self.give_up(record, None, &error, 0);
            }
        };
        let handled = match self.handle(&envelope).await {
            Ok(handled) => handled,
            Err((error, attempts)) => {
                return self.give_up(record, Some(&envelope), &error, attempts);
            }
        };
        let hop = Hop { envelope: &envelope, trace: &handled.trace };
        outputs::of(&self.wiring, hop, handled.outcome, Timestamp::now())
            .or_else(|error| self.give_up(record, Some(&envelope), &error, handled.attempts))
    }

    /// Tries until the item is handled, or is to be given up: then says after how many attempts.
    async fn handle(&self, envelope: &Envelope) -> Result<Handled, (HandlerError, u32)> {
        let attempts_max = self.retry.attempts_max.get();
        let mut cx = envelope.context(&self.wiring.stage, attempts_max);
        loop {
            let trace = envelope.trace.child();
            cx.traceparent = trace.traceparent();
            let error = match self.attempt(envelope, &cx).await {
                Ok(outcome) => {
                    let attempts = cx.attempt;
                    return Ok(Handled { outcome, attempts, trace });
                }
                Err(error) => error,
            };
            if !error.may_heal() || cx.is_last_attempt() {
                return Err((error, cx.attempt));
            }
            self.pause(&cx, &error).await;
            cx.attempt += 1;
        }
    }

    async fn attempt(&self, envelope: &Envelope, cx: &Context) -> Result<Outcome, HandlerError> {
        let permit = self.attempts.acquire().await;
        let _held = permit.expect("the semaphore lives and is never closed");
        self.stack.attempt(envelope.raw(), cx).await
    }

    async fn pause(&self, cx: &Context, error: &HandlerError) {
        counter!(
            "longshore_retries_total",
            "lane" => self.lane.clone(),
            "class" => error.class(),
        )
        .increment(1);
        let pause = self.retry.pause(cx.attempt, &mut rand::rng());
        tracing::debug!(id = cx.id, attempt = cx.attempt, ?pause, %error, "trying again");
        tokio::time::sleep(pause).await;
    }

    fn give_up(
        &self,
        record: &Record,
        envelope: Option<&Envelope>,
        error: &HandlerError,
        attempts: u32,
    ) -> Result<Ending, Stuck> {
        let origin = envelope::origin(record);
        let (stage, class, message) = (&self.wiring.stage, error.class(), error.message());
        tracing::warn!(%stage, %origin, class, attempts, error = message, "item given up");
        let given_up = GivenUp { error, attempts, at: Timestamp::now() };
        let outputs = outputs::given_up(&self.wiring, record, envelope, &given_up)
            .map_err(|error| Stuck::Unwritable { origin, error })?;
        Ok(Ending { outputs, verdict: Verdict::Failed })
    }

    /// Gives up an item that killed so many processes.
    pub(crate) fn kills(&self, item: Arc<Item>, deaths: u32) -> Result<Finished, Stuck> {
        let message = format!(
            "{deaths} processes in a row died while they worked on it, the last ones on nothing \
             else of its partition"
        );
        let error = HandlerError::permanent(class::CRASH, message);
        let envelope = Envelope::open(&item.record, self.wiring.trust).ok();
        let ending = self.give_up(&item.record, envelope.as_ref(), &error, deaths)?;
        Ok(finished(item, ending))
    }

    /// What is written for an item one of whose outputs is refused. None: not even its failure.
    pub(crate) fn refused(&self, finished: &Finished, refusal: &Refusal) -> Option<Vec<Outgoing>> {
        let item = finished.item.as_ref()?;
        if finished.verdict == Verdict::Failed {
            return None;
        }
        let message = format!(
            "an output was refused by topic {}: {} ({})",
            refusal.topic, refusal.message, refusal.code
        );
        let error = HandlerError::permanent(class::REFUSED, message);
        let envelope = Envelope::open(&item.record, self.wiring.trust).ok();
        // How many attempts its outcome took is forgotten by now; the last one succeeded.
        let ending = self.give_up(&item.record, envelope.as_ref(), &error, 1);
        ending.ok().map(|ending| ending.outputs)
    }
}

fn finished(item: Arc<Item>, ending: Ending) -> Finished {
    Finished {
        partition: item.record.partition,
        epoch: item.epoch,
        outputs: ending.outputs,
        verdict: ending.verdict,
        item: Some(item),
    }
}
