//! What became of the records of a transaction, gathered as the broker answers for them.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use longshore_schemas::TopicName;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{BorrowedMessage, DeliveryResult, Message};
use rdkafka::producer::ProducerContext;

use super::remedy_of::{ClientError, Undelivered, undelivered};
use super::reports::Reports;
use crate::{Deliveries, Offset, Partition};

/// The producer's context: the producer's own thread calls it for every record.
pub(super) struct DeliveryContext {
    pub(super) reports: Reports,
    pending: AtomicUsize,
    failures: AtomicU64,
    gathered: Mutex<Gathered>,
    all_answered: Condvar,
}

#[derive(Default)]
struct Gathered {
    deliveries: Deliveries,
    /// Where in `written` the last record went: the next one mostly goes there too.
    last: usize,
}

impl DeliveryContext {
    pub(super) fn new() -> Self {
        Self {
            reports: Reports::new("producer"),
            pending: AtomicUsize::new(0),
            failures: AtomicU64::new(0),
            gathered: Mutex::default(),
            all_answered: Condvar::new(),
        }
    }

    /// Whether a record failed that had been sent: the sequence of its partition has a hole then,
    /// and the next transaction that writes there fails with `OUT_OF_ORDER_SEQUENCE_NUMBER`.
    pub(super) fn has_failures(&self) -> bool {
        self.failures.load(Ordering::Acquire) > 0
    }

    /// Forgets the previous transaction, of which everything was answered.
    pub(super) fn begin(&self) {
        debug_assert_eq!(self.pending.load(Ordering::Acquire), 0);
        *self.gathered() = Gathered::default();
    }

    /// A record is about to be handed to the client.
    pub(super) fn sending(&self) {
        self.pending.fetch_add(1, Ordering::AcqRel);
    }

    /// The client didn't take it, or the broker has answered for it.
    pub(super) fn answered(&self) {
        if self.pending.fetch_sub(1, Ordering::AcqRel) == 1 {
            // Under the lock, so that it can't fall between another's look and its wait.
            let _gathered = self.gathered();
            self.all_answered.notify_all();
        }
    }

    /// What is known, once everything is, or after `wait`.
    pub(super) fn wait(&self, wait: Duration) -> Deliveries {
        let deadline = Instant::now() + wait;
        let mut gathered = self.gathered();
        while self.pending.load(Ordering::Acquire) > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.all_answered.wait_timeout(gathered, left);
            gathered = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let pending = self.pending.load(Ordering::Acquire);
        Deliveries { pending, ..gathered.deliveries.clone() }
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gathered {
    fn delivered(&mut self, message: &BorrowedMessage<'_>) {
        let (topic, partition) = (message.topic(), Partition(message.partition()));
        let offset = Offset(message.offset());
        let is_same =
            |at: &(TopicName, Partition, Offset)| at.1 == partition && at.0.as_str() == topic;
        let written = &mut self.deliveries.written;
        if !written.get(self.last).is_some_and(is_same) {
            self.last = written.iter().position(is_same).unwrap_or_else(|| {
                written.push((topic.into(), partition, offset));
                written.len() - 1
            });
        }
        let highest = &mut written[self.last].2;
        *highest = offset.max(*highest);
    }

    fn failed(&mut self, topic: &TopicName, tag: usize, error: KafkaError) {
        match undelivered(topic, ClientError::from(error)) {
            Undelivered::Refused(refusal) => self.deliveries.refused.push((tag, refusal)),
            Undelivered::Failed(failure) => {
                self.deliveries.failed.get_or_insert(failure);
            }
        }
    }
}

impl ClientContext for DeliveryContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.reports.log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.reports.error(&error, reason);
    }
}

impl ProducerContext for DeliveryContext {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, tag: usize) {
        match result {
            Ok(message) => self.gathered().delivered(message),
            Err((error, message)) => {
                // What an abort takes out of the queue was never sent.
                if error.rdkafka_error_code() != Some(Code::PurgeQueue) {
                    self.failures.fetch_add(1, Ordering::AcqRel);
                }
                let topic = message.topic().into();
                self.gathered().failed(&topic, tag, error.clone());
            }
        }
        self.answered();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;
    use crate::Remedy;

    #[test]
    fn waiting_ends_with_the_last_answer() {
        let context = Arc::new(DeliveryContext::new());
        context.sending();
        let answering = Arc::clone(&context);
        let answer = thread::spawn(move || answering.answered());
        assert_eq!(context.wait(Duration::from_secs(10)).pending, 0);
        answer.join().expect("it doesn't panic");
    }

    #[test]
    fn waiting_ends_with_its_time() {
        let context = DeliveryContext::new();
        context.sending();
        assert_eq!(context.wait(Duration::from_millis(1)).pending, 1);
    }

    #[test]
    fn refusals_are_kept_by_tag_and_the_first_failure_stays() {
        let context = DeliveryContext::new();
        let topic = "t".into();
        let error = KafkaError::MessageProduction;
        context.gathered().failed(&topic, 7, error(Code::MessageSizeTooLarge));
        context.gathered().failed(&topic, 8, error(Code::MessageTimedOut));
        context.gathered().failed(&topic, 9, error(Code::Fatal));
        let deliveries = context.wait(Duration::ZERO);
        let [(tag, refusal)] = deliveries.refused.as_slice() else {
            panic!("one refusal: {deliveries:?}");
        };
        assert_eq!((*tag, refusal.code.as_str()), (7, "MSG_SIZE_TOO_LARGE"));
        assert_eq!(deliveries.failed.map(|it| it.remedy), Some(Remedy::Abort));
    }

    #[test]
    fn a_new_transaction_starts_empty() {
        let context = DeliveryContext::new();
        let timed_out = KafkaError::MessageProduction(Code::MessageTimedOut);
        context.gathered().failed(&"t".into(), 8, timed_out);
        context.begin();
        assert!(context.wait(Duration::ZERO).failed.is_none());
    }
}
