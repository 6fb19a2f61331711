//! The client's side of transactions, as librdkafka plays it.

use std::time::Duration;

use longshore_schemas::TopicName;
use rand::Rng;

use super::code::Code;
use super::fault::{Call, Fault};
use super::offsets::TopicPartition;
use super::outbox::{Outbox, ProgressOf};
use super::process::Process;
use super::requests::Write;
use super::state::{Progress, Request};
use super::transactional_id::{Ending, Session};
use crate::partitioner::partition_for;
use crate::{Deliveries, Failure, Offset, Outgoing, Partition, ProduceError, Remedy, Transactions};

/// How many records a batch of the client has, on average.
const BATCH_RECORDS: u32 = 8;
/// The longest that a broker takes to answer for a batch.
const ANSWER_MAX: Duration = Duration::from_millis(30);

/// A transactional producer, or what comes before and after it.
#[derive(Debug)]
pub struct Producer {
    pub(super) process: Process,
    session: Option<Session>,
    phase: Phase,
    calls: Calls,
    outbox: Outbox,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    Open,
    /// Only an abort is allowed.
    MustAbort(Failure),
    /// EndTxn is under way: only the same call is allowed.
    Ending(Ending),
    /// Fatal: nothing is allowed.
    Spent(Failure),
}

/// What the calls of a producer have come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Calls {
    /// Each was Ok at once: no copy of a request is under way.
    Clean,
    /// One wasn't, or a broker failed.
    Faltered,
}

impl Producer {
    pub(super) fn new(process: Process) -> Self {
        Self {
            process,
            session: None,
            phase: Phase::Idle,
            calls: Calls::Clean,
            outbox: Outbox::default(),
        }
    }

    /// Adds progress to the open transaction.
    pub(super) fn send_progress(
        &mut self,
        of: &ProgressOf<'_>,
        wait: Duration,
    ) -> Result<(), Failure> {
        const CALL: Call = Call::SendProgress;
        self.must_be_open(CALL)?;
        let progress = Progress {
            id: self.process.transactional_id.clone(),
            session: self.session(CALL)?,
            group: of.group.to_owned(),
            topic: of.topic.clone(),
            membership: of.membership,
            sent: of.sent.to_vec(),
        };
        let enlisted = self.process.cluster.lock().enlist_group(&progress);
        enlisted.map_err(|code| self.failed_in(code.failure(CALL.name()), wait))?;
        self.outbox.groups.insert(progress.group.clone());
        self.ask(CALL, &Request::Progress(progress), wait)
    }

    /// The fault of this call, as far as it isn't the same for all calls.
    pub(super) fn fault_of(&mut self, call: Call) -> Result<Option<Fault>, Failure> {
        let fault = self.process.interpose(call)?;
        if fault == Some(Fault::BrokerError) {
            self.calls = Calls::Faltered;
        }
        Ok(fault.filter(|it| *it != Fault::BrokerError))
    }

    fn session(&self, call: Call) -> Result<Session, Failure> {
        self.session.ok_or_else(|| Code::State.failure(call.name()))
    }

    fn must_be_open(&self, call: Call) -> Result<(), Failure> {
        match &self.phase {
            Phase::Open => Ok(()),
            Phase::MustAbort(failure) | Phase::Spent(failure) => Err(failure.clone()),
            Phase::Ending(_) => Err(Code::Conflict.failure(call.name())),
            Phase::Idle => Err(Code::State.failure(call.name())),
        }
    }

    /// Sends a request of the transaction, and has it go wrong where that is planned.
    fn ask(&mut self, call: Call, request: &Request, wait: Duration) -> Result<(), Failure> {
        let twist = self.fault_of(call).map_err(|failure| self.failed_in(failure, wait))?;
        let answer = match twist {
            None => self.serve(request).map_err(|code| code.failure(call.name())),
            Some(Fault::AnswerLost(remedy)) => {
                // Whatever the answer was, nobody hears it.
                let _lost = self.serve(request);
                Err(Code::Injected.failure_with(call.name(), remedy))
            }
            Some(Fault::Late(after)) => {
                self.process.cluster.lock().send_late(after, request.clone());
                Err(Code::TimedOut.failure(call.name()))
            }
            Some(other) => unreachable!("{other:?} is no fault of {call:?}"),
        };
        answer.map_err(|failure| self.failed_in(failure, wait))
    }

    fn serve(&self, request: &Request) -> Result<(), Code> {
        self.process.cluster.lock().serve(request)
    }

    /// What a failure makes of the producer.
    fn failed(&mut self, failure: Failure) -> Failure {
        self.calls = Calls::Faltered;
        match failure.remedy {
            Remedy::Abort => self.phase = Phase::MustAbort(failure.clone()),
            Remedy::Rebuild => self.phase = Phase::Spent(failure.clone()),
            Remedy::Retry | Remedy::Leave | Remedy::Stop => {}
        }
        failure
    }

    /// The same, for a call that has waited before it said that it may be repeated.
    fn failed_in(&mut self, failure: Failure, wait: Duration) -> Failure {
        if failure.remedy == Remedy::Retry {
            self.process.cluster.advance(wait);
        }
        self.failed(failure)
    }

    /// Writes what is queued, as far as the coordinator lets it.
    fn deliver(&mut self) {
        let Some(session) = self.session else { return };
        while let Some((tag, write)) = self.outbox.queue.pop_front() {
            let enlisted = self.outbox.enlisted.contains(&write.to);
            let mut state = self.process.cluster.lock();
            if self.phase == Phase::Open && state.record_time > Duration::ZERO {
                let record_time = state.record_time;
                state.advance(record_time);
            }
            let answer = state.write(&self.process.transactional_id, session, enlisted, &write);
            drop(state);
            match answer {
                Err(Code::ConcurrentTransactions) => {
                    self.outbox.queue.push_front((tag, write));
                    return;
                }
                answer => self.delivered(tag, write.to, answer),
            }
        }
    }

    /// The same, once the brokers have answered, if that is within `wait`.
    fn deliver_in(&mut self, wait: Duration) {
        let now = self.now();
        let takes = self.outbox.answered_at.saturating_sub(now);
        if !self.outbox.queue.is_empty() && takes > Duration::ZERO {
            self.process.cluster.advance(takes.min(wait));
            if takes > wait {
                return;
            }
        }
        self.deliver();
        if !self.outbox.queue.is_empty() {
            self.process.cluster.advance(wait);
            self.deliver();
        }
    }

    fn delivered(&mut self, tag: usize, to: TopicPartition, answer: Result<Offset, Code>) {
        match answer {
            Ok(offset) => self.outbox.written(to, offset),
            Err(code @ (Code::MessageTooLarge | Code::UnknownTopicOrPartition)) => {
                self.refuse(tag, to.0, code);
            }
            Err(code) => {
                let failure = self.failed(code.failure(Call::Produce.name()));
                self.outbox.failed.get_or_insert(failure);
            }
        }
    }

    /// A record that isn't delivered spoils its transaction.
    fn refuse(&mut self, tag: usize, topic: TopicName, code: Code) {
        self.outbox.refuse(tag, topic, code);
        self.failed(Code::Inconsistent.failure(Call::Commit.name()));
    }

    /// Whether the client sends what it has queued right now, by the seed: what happens to a record
    /// may be known before the next one is given to it, or only when all are waited for.
    fn is_batch_sent(&self) -> bool {
        self.process.cluster.lock().rng.random_ratio(1, BATCH_RECORDS)
    }

    /// When a batch will be answered for that is begun now, by the seed.
    fn answered_at(&self) -> Duration {
        let mut state = self.process.cluster.lock();
        let is_quick = state.rng.random();
        let takes = if is_quick {
            Duration::ZERO
        } else {
            state.rng.random_range(Duration::ZERO..ANSWER_MAX)
        };
        state.now + takes
    }

    fn address(&self, output: &Outgoing) -> TopicPartition {
        let mut state = self.process.cluster.lock();
        let count = state.partition_count(&output.topic).max(1);
        let partition = output.partition.unwrap_or_else(|| match &output.key {
            Some(key) => partition_for(key, count),
            None => Partition(state.rng.random_range(0..count)),
        });
        (output.topic.clone(), partition)
    }

    fn end(&mut self, call: Call, ending: Ending, wait: Duration) -> Result<(), Failure> {
        self.phase = Phase::Ending(ending);
        if self.outbox.is_empty() {
            // librdkafka sends no EndTxn for a transaction without partitions.
            self.phase = Phase::Idle;
            return Ok(());
        }
        let request = Request::End {
            id: self.process.transactional_id.clone(),
            session: self.session(call)?,
            ending,
        };
        self.ask(call, &request, wait)?;
        self.phase = Phase::Idle;
        Ok(())
    }

    fn try_to_commit(&mut self, wait: Duration) -> Result<(), Failure> {
        if self.phase != Phase::Ending(Ending::Commit) {
            self.must_be_open(Call::Commit)?;
            self.deliver();
            self.must_be_open(Call::Commit)?;
        }
        if !self.outbox.queue.is_empty() {
            self.process.cluster.advance(wait);
            return Err(Code::TimedOut.failure(Call::Commit.name()));
        }
        self.end(Call::Commit, Ending::Commit, wait)
    }

    fn initialise(&mut self) -> Result<bool, Failure> {
        let answer = self.process.cluster.lock().initialise(&self.process.transactional_id);
        match answer {
            Ok(session) => {
                self.session = Some(session);
                Ok(true)
            }
            Err(Code::ConcurrentTransactions) => Ok(false),
            Err(code) => Err(code.failure(Call::Ready.name())),
        }
    }
}

impl Transactions for Producer {
    fn now(&self) -> Duration {
        self.process.cluster.now()
    }

    fn ready(&mut self, wait: Duration) -> Result<bool, Failure> {
        let twist = self.fault_of(Call::Ready).map_err(|failure| self.failed_in(failure, wait))?;
        if let Phase::Spent(failure) = &self.phase {
            return Err(failure.clone());
        }
        if self.session.is_some() {
            return Ok(true);
        }
        let ready = self.initialise()?;
        if let Some(Fault::AnswerLost(remedy)) = twist {
            self.session = None;
            return Err(self.failed(Code::Injected.failure_with(Call::Ready.name(), remedy)));
        }
        if !ready {
            self.process.cluster.advance(wait);
        }
        Ok(ready)
    }

    fn begin(&mut self) -> Result<(), Failure> {
        self.fault_of(Call::Begin).map_err(|failure| self.failed(failure))?;
        match &self.phase {
            Phase::Spent(failure) => Err(failure.clone()),
            Phase::Idle if self.session.is_some() => {
                self.phase = Phase::Open;
                self.outbox = Outbox::default();
                Ok(())
            }
            _ => Err(self.failed(Code::State.failure(Call::Begin.name()))),
        }
    }

    fn produce(&mut self, output: &Outgoing, tag: usize) -> Result<(), ProduceError> {
        let twist = self.fault_of(Call::Produce);
        let twist = twist.map_err(|failure| ProduceError::Failed(self.failed(failure)))?;
        self.must_be_open(Call::Produce).map_err(ProduceError::Failed)?;
        let to = self.address(output);
        match twist {
            Some(Fault::QueueFull) => return Err(ProduceError::Full),
            Some(Fault::Refused) => self.refuse(tag, to.0, Code::MessageTooLarge),
            _ => {
                if self.outbox.queue.is_empty() {
                    self.outbox.answered_at = self.answered_at();
                }
                self.outbox.queue.push_back((tag, Write { to, output: output.clone() }));
                if self.is_batch_sent() {
                    self.deliver();
                }
            }
        }
        Ok(())
    }

    fn deliveries(&mut self, wait: Duration) -> Deliveries {
        if let Err(failure) = self.fault_of(Call::Deliveries) {
            if failure.remedy == Remedy::Retry {
                self.process.cluster.advance(wait);
                return Deliveries { pending: 1, ..Deliveries::default() };
            }
            let failure = self.failed(failure);
            self.outbox.failed.get_or_insert(failure);
        }
        self.deliver_in(wait);
        self.outbox.deliveries()
    }

    fn commit(&mut self, wait: Duration) -> Result<(), Failure> {
        let answer = self.try_to_commit(wait).map_err(|failure| match failure.remedy {
            // Whatever the client says, a commit is never followed by an abort.
            Remedy::Abort => Failure { remedy: Remedy::Rebuild, ..failure },
            _ => failure,
        });
        if answer.as_ref().is_err_and(|it| it.remedy == Remedy::Rebuild) {
            self.process.cluster.lock().seen.unknown += 1;
        }
        answer
    }

    fn abort(&mut self, wait: Duration) -> Result<(), Failure> {
        match &self.phase {
            Phase::Open | Phase::MustAbort(_) | Phase::Ending(Ending::Abort) => {}
            Phase::Ending(Ending::Commit) => {
                return Err(self.failed_in(Code::Conflict.failure(Call::Abort.name()), wait));
            }
            Phase::Spent(failure) => return Err(failure.clone()),
            Phase::Idle => return Err(self.failed(Code::State.failure(Call::Abort.name()))),
        }
        self.outbox.queue.clear();
        self.end(Call::Abort, Ending::Abort, wait)
    }

    fn tainted(&self) -> bool {
        self.calls == Calls::Faltered || self.session.is_none()
    }

    fn discard_producer(&mut self) {
        if self.phase == Phase::Ending(Ending::Commit) {
            self.process.cluster.lock().seen.unknown += 1;
        }
        self.session = None;
        self.phase = Phase::Idle;
        self.calls = Calls::Clean;
        self.outbox = Outbox::default();
    }
}
