//! A transaction as a value: finishing consumes it, and forgetting it aborts.

use std::time::Duration;

use longshore_schemas::TopicName;

use crate::lane::broker::{Broker, Sent};
use crate::{
    Deliveries, Failure, Offset, Outgoing, Partition, ProduceError, Refusal, Remedy, Transactions,
};

/// One call waits this long at most; the caller's loop decides whether to go on.
const CALL_WAIT: Duration = Duration::from_secs(1);

/// The highest offset that a transaction wrote to each partition.
pub type Written = Vec<(TopicName, Partition, Offset)>;

/// An open transaction.
#[derive(Debug)]
pub struct Transaction<'a, T: Transactions> {
    producer: &'a mut T,
    deadline: Duration,
    state: State,
}

/// An open transaction whose producer does something else meanwhile. It goes on by
/// [`Transaction::resume`]; who forgets it leaves it to the broker's timeout.
#[derive(Debug)]
#[must_use]
pub struct Suspended {
    deadline: Duration,
}

/// Whether forgetting the transaction must abort it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Ended,
}

/// Why a transaction can't be committed. It was aborted, and nothing of it is ever seen.
#[derive(Clone, Debug)]
pub enum Spoiled {
    /// Records that no topic will ever take, by their tags; the broker refuses whole batches, so
    /// innocent ones may be among them, unless there is only one.
    Refused(Vec<(usize, Refusal)>),
    /// A call failed.
    Failed(Failure),
}

/// How a commit ended.
#[derive(Clone, Debug)]
pub enum Commit {
    /// It is visible to every reader.
    Committed,
    /// Nobody knows: committed progress tells, once a new producer of the same id has been
    /// initialised.
    Unknown(Failure),
}

impl<'a, T: Transactions> Transaction<'a, T> {
    /// Begins a transaction whose calls are repeated for `timeout` in all.
    pub fn begin(producer: &'a mut T, timeout: Duration) -> Result<Self, Failure> {
        let deadline = producer.now() + timeout;
        let mut transaction = Self { producer, deadline, state: State::Ended };
        match transaction.repeat(|producer, _| producer.begin()) {
            Ok(()) => {
                transaction.state = State::Open;
                Ok(transaction)
            }
            Err(failure) => {
                transaction.producer.discard_producer();
                Err(failure)
            }
        }
    }

    /// Writes a record. While the client's queue is full it waits for deliveries.
    pub fn produce(&mut self, output: &Outgoing, tag: usize) -> Result<(), Spoiled> {
        loop {
            match self.producer.produce(output, tag) {
                Ok(()) => return Ok(()),
                Err(ProduceError::Refused(refusal)) => {
                    return Err(Spoiled::Refused(vec![(tag, refusal)]));
                }
                Err(ProduceError::Failed(failure)) => return Err(self.spoiled_by(failure)),
                Err(ProduceError::Full) if self.is_late() => {
                    return Err(Spoiled::Failed(late("produce", "the client's queue stayed full")));
                }
                Err(ProduceError::Full) => drop(self.producer.deliveries(Duration::from_millis(5))),
            }
        }
    }

    /// Once a broker has refused a record, the client answers the next one with a failure of its
    /// own, which says nothing of the reason.
    fn spoiled_by(&mut self, failure: Failure) -> Spoiled {
        let refused = self.producer.deliveries(Duration::ZERO).refused;
        if refused.is_empty() { Spoiled::Failed(failure) } else { Spoiled::Refused(refused) }
    }

    /// Lets go of the producer. The transaction stays open.
    pub fn suspend(mut self) -> Suspended {
        self.state = State::Ended;
        Suspended { deadline: self.deadline }
    }

    /// Takes it up again, with the producer by which it was begun.
    pub fn resume(producer: &'a mut T, suspended: Suspended) -> Self {
        Self { producer, deadline: suspended.deadline, state: State::Open }
    }

    /// Waits until every record is delivered.
    pub fn deliver(&mut self) -> Result<Written, Spoiled> {
        loop {
            if let Some(delivered) = self.delivered(CALL_WAIT) {
                return delivered;
            }
        }
    }

    /// The same, and lets go of the producer.
    pub fn into_delivered(mut self) -> Result<(Suspended, Written), Spoiled> {
        let written = self.deliver()?;
        Ok((self.suspend(), written))
    }

    /// Whether every record is delivered, after `wait` at most; none if some are still on their way
    /// and it isn't too late for them.
    pub fn delivered(&mut self, wait: Duration) -> Option<Result<Written, Spoiled>> {
        let deliveries = self.producer.deliveries(wait);
        if deliveries.pending == 0 {
            return Some(judge(deliveries));
        }
        if deliveries.failed.is_some() {
            // One broker's refusal fails what is under way to the others; its own word may come
            // last.
            return Some(judge(self.producer.deliveries(CALL_WAIT)));
        }
        let message = "records were not delivered in time";
        self.is_late().then(|| Err(Spoiled::Failed(late("produce", message))))
    }

    /// Commits. While the broker asks for patience the same call is repeated; any other answer, and
    /// the deadline, leave the outcome unknown.
    pub fn commit(mut self) -> Commit {
        self.state = State::Ended;
        match self.repeat(|producer, wait| producer.commit(wait)) {
            Ok(()) => Commit::Committed,
            Err(failure) => {
                self.producer.discard_producer();
                Commit::Unknown(failure)
            }
        }
    }

    /// Repeats a call that answers Retry, until the deadline.
    fn repeat(
        &mut self,
        mut call: impl FnMut(&mut T, Duration) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        loop {
            match call(self.producer, CALL_WAIT) {
                Err(failure) if failure.remedy == Remedy::Retry && !self.is_late() => {}
                Err(failure) if failure.remedy == Remedy::Retry => {
                    return Err(Failure { remedy: Remedy::Abort, ..failure });
                }
                answer => return answer,
            }
        }
    }

    /// The producer's time.
    pub fn now(&self) -> Duration {
        self.producer.now()
    }

    fn is_late(&self) -> bool {
        self.now() >= self.deadline
    }
}

impl<B: Broker> Transaction<'_, B> {
    /// Adds the progress of a lane's partitions, which becomes effective with the commit.
    pub fn send_progress(&mut self, progress: &[Sent]) -> Result<(), Spoiled> {
        self.repeat(|broker, wait| broker.send_progress(progress, wait)).map_err(Spoiled::Failed)
    }
}

impl<T: Transactions> Drop for Transaction<'_, T> {
    /// Aborts. A producer that can't abort at once is given up: the next one's initialisation ends
    /// the transaction.
    fn drop(&mut self) {
        if self.state == State::Open && self.producer.abort(CALL_WAIT).is_err() {
            self.producer.discard_producer();
        }
    }
}

fn judge(deliveries: Deliveries) -> Result<Written, Spoiled> {
    match (deliveries.refused.is_empty(), deliveries.failed) {
        (false, _) => Err(Spoiled::Refused(deliveries.refused)),
        (true, Some(failure)) => Err(Spoiled::Failed(failure)),
        (true, None) => Ok(deliveries.written),
    }
}

fn late(call: &'static str, message: &str) -> Failure {
    Failure {
        remedy: Remedy::Abort,
        call,
        code: "TIMED_OUT".to_owned(),
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_committed_of_which_a_record_failed_or_was_refused() {
        let all = Deliveries { written: vec![("t".into(), Partition(0), Offset(7))], ..none() };
        assert_eq!(judge(all.clone()).expect("delivered"), all.written);
        let failure = late("produce", "not in time");
        let failed = Deliveries { failed: Some(failure.clone()), ..all.clone() };
        assert!(matches!(judge(failed), Err(Spoiled::Failed(_))));
        let (topic, code) = ("t".into(), "MSG_SIZE_TOO_LARGE".to_owned());
        let refusal = Refusal { topic, code, message: String::new() };
        // The client fails what is under way beside a record that is refused.
        let refused = vec![(3, refusal)];
        let both = Deliveries { refused: refused.clone(), failed: Some(failure), ..all };
        let Err(Spoiled::Refused(found)) = judge(both) else { panic!("it wasn't refused") };
        assert_eq!(found, refused);
    }

    fn none() -> Deliveries {
        Deliveries::default()
    }

    const TIMEOUT: Duration = Duration::from_secs(10);

    /// A producer that gives the same answers for ever, and takes its time for them.
    struct Stubborn {
        now: Duration,
        produces: fn() -> Result<(), ProduceError>,
        deliveries: Deliveries,
    }

    impl Stubborn {
        fn pass(&mut self, time: Duration) {
            self.now += time;
            assert!(self.now < TIMEOUT * 10, "it waits for ever");
        }
    }

    impl Transactions for Stubborn {
        fn now(&self) -> Duration {
            self.now
        }

        fn ready(&mut self, _: Duration) -> Result<bool, Failure> {
            Ok(true)
        }

        fn begin(&mut self) -> Result<(), Failure> {
            Ok(())
        }

        fn produce(&mut self, _: &Outgoing, _: usize) -> Result<(), ProduceError> {
            (self.produces)()
        }

        fn deliveries(&mut self, wait: Duration) -> Deliveries {
            self.pass(wait);
            self.deliveries.clone()
        }

        fn commit(&mut self, wait: Duration) -> Result<(), Failure> {
            self.pass(wait);
            Err(Failure { remedy: Remedy::Retry, ..late("commit", "not yet") })
        }

        fn abort(&mut self, _: Duration) -> Result<(), Failure> {
            Ok(())
        }

        fn tainted(&self) -> bool {
            false
        }

        fn discard_producer(&mut self) {}
    }

    fn stubborn(produces: fn() -> Result<(), ProduceError>, deliveries: Deliveries) -> Stubborn {
        Stubborn { now: Duration::ZERO, produces, deliveries }
    }

    fn output() -> Outgoing {
        Outgoing {
            topic: "t".into(),
            partition: None,
            key: None,
            value: None,
            headers: Default::default(),
            timestamp: None,
        }
    }

    #[test]
    fn a_queue_that_stays_full_spoils_the_transaction_in_time() {
        let mut producer = stubborn(|| Err(ProduceError::Full), none());
        let mut transaction = Transaction::begin(&mut producer, TIMEOUT).expect("begins");
        let produced = transaction.produce(&output(), 0);
        assert!(matches!(produced, Err(Spoiled::Failed(_))), "{produced:?}");
        assert!(transaction.now() <= TIMEOUT + CALL_WAIT);
    }

    #[test]
    fn a_refusal_is_found_behind_the_failure_that_it_makes_of_the_next_record() {
        let (topic, code) = ("t".into(), "MSG_SIZE_TOO_LARGE".to_owned());
        let refused = vec![(3, Refusal { topic, code, message: String::new() })];
        let fails = || Err(ProduceError::Failed(late("produce", "no more of this")));
        let mut producer = stubborn(fails, Deliveries { refused: refused.clone(), ..none() });
        let mut transaction = Transaction::begin(&mut producer, TIMEOUT).expect("begins");
        let produced = transaction.produce(&output(), 4);
        let Err(Spoiled::Refused(found)) = produced else { panic!("{produced:?}") };
        assert_eq!(found, refused);
    }

    #[test]
    fn a_commit_that_asks_for_patience_is_given_up_in_time() {
        let mut producer = stubborn(|| Ok(()), none());
        let transaction = Transaction::begin(&mut producer, TIMEOUT).expect("begins");
        let commit = transaction.commit();
        assert!(matches!(commit, Commit::Unknown(_)), "{commit:?}");
        assert!(producer.now() <= TIMEOUT + CALL_WAIT);
    }
}
