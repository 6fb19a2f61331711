//! Faults: what a test or a seed can make happen at a call.

use std::collections::VecDeque;
use std::time::Duration;

use rand::Rng;
use rand::rngs::SmallRng;

use super::code::Code;
use super::transactional_id::Ending;
use crate::Remedy;

/// A call that a fault can happen at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "they are the calls of the traits of the same names")]
pub enum Call {
    Poll,
    Locate,
    Ready,
    Begin,
    Produce,
    Deliveries,
    SendProgress,
    Commit,
    Abort,
}

impl Call {
    /// Its name in a [`crate::Failure`].
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::Locate => "locate",
            Self::Ready => "init_transactions",
            Self::Begin => "begin_transaction",
            Self::Produce => "produce",
            Self::Deliveries => "flush",
            Self::SendProgress => "send_offsets_to_transaction",
            Self::Commit => "commit_transaction",
            Self::Abort => "abort_transaction",
        }
    }
}

/// What happens at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails before it has any effect. A commit that fails with [`Remedy::Rebuild`] has not
    /// landed, and the caller can't know.
    Fails(Remedy),
    /// It has its effect, and fails for the caller. A commit that fails with [`Remedy::Rebuild`]
    /// has landed, and the caller can't know. Only for ready, progress, commit and abort.
    AnswerLost(Remedy),
    /// Its first copy is held up for so long on its way, and the caller hears
    /// [`Remedy::Retry`]; the copy takes effect then, if the same producer epoch is still in use
    /// (KAFKA-17754). Only for progress, commit and abort.
    Late(Duration),
    /// It takes so long before it reaches anybody.
    Slow(Duration),
    /// The client's queue is full. Only for produce.
    QueueFull,
    /// The broker will refuse this record for good. Only for produce.
    Refused,
    /// The group loses the member just before the call; the member hears of it at its next poll.
    SessionLost,
    /// The client reports a broker error: the producer is tainted. The call itself goes well.
    BrokerError,
    /// The process dies just before the call: every later call stops, its transaction stays open,
    /// its session runs out.
    Crash,
}

impl Fault {
    /// Whether it can happen at this call.
    pub(super) fn fits(self, call: Call) -> bool {
        let transactional = matches!(call, Call::SendProgress | Call::Commit | Call::Abort);
        match self {
            Self::AnswerLost(_) => transactional || call == Call::Ready,
            Self::Late(_) => transactional,
            Self::QueueFull | Self::Refused => call == Call::Produce,
            _ => true,
        }
    }
}

/// Whose markers aren't written. Those of a transaction go to many logs, each in its own time: its
/// progress may be seen before its records are, and the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// All.
    All,
    /// Those of topics, while progress counts at once.
    OfRecords,
    /// Those of groups, while records are read at once.
    OfProgress,
}

/// How often what happened: a test in which nothing happened proves nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Transactions committed, whether or not their markers are written.
    pub committed: u64,
    /// Transactions aborted, for whatever reason, whether or not their markers are written.
    pub aborted: u64,
    /// Of these, by the broker, because they were too old.
    pub timed_out: u64,
    /// Of these, because another producer took the id.
    pub taken_over: u64,
    /// Requests refused because their producer is an old one.
    pub fenced: u64,
    /// Commits that their callers have given up without knowing their outcome.
    pub unknown: u64,
    /// Offset commits refused because their member isn't one any more.
    pub stale_members: u64,
    /// Members that have lost their slot, and heard of it.
    pub slots_lost: u64,
    /// Faults that happened.
    pub faults: u64,
    /// Late requests that had an effect.
    pub late: u64,
}

impl Seen {
    pub(super) fn count(&mut self, ending: Ending) {
        match ending {
            Ending::Commit => self.committed += 1,
            Ending::Abort => self.aborted += 1,
        }
    }

    pub(super) fn count_fenced<T>(&mut self, answer: Result<T, Code>) -> Result<T, Code> {
        self.fenced += u64::from(answer.as_ref().err() == Some(&Code::Fenced));
        answer
    }
}

/// Which faults happen when.
#[derive(Debug, Default)]
pub(super) struct Plan {
    ordered: VecDeque<Ordered>,
    random: Option<Random>,
}

#[derive(Debug)]
struct Ordered {
    transactional_id: Option<String>,
    call: Call,
    fault: Fault,
}

#[derive(Debug)]
struct Random {
    one_in: u32,
    faults: Vec<(Call, Fault)>,
}

impl Plan {
    /// The next such call fails so.
    pub(super) fn order(&mut self, transactional_id: Option<&str>, call: Call, fault: Fault) {
        assert!(fault.fits(call), "{fault:?} is no fault of {call:?}");
        let transactional_id = transactional_id.map(str::to_owned);
        self.ordered.push_back(Ordered { transactional_id, call, fault });
    }

    /// From now on one call in so many has one of the faults that fit it; none with an empty list.
    pub(super) fn at_random(&mut self, one_in: u32, faults: Vec<(Call, Fault)>) {
        for (call, fault) in &faults {
            assert!(fault.fits(*call), "{fault:?} is no fault of {call:?}");
        }
        self.random = (!faults.is_empty()).then_some(Random { one_in, faults });
    }

    /// The fault that happens at this call.
    pub(super) fn next(&mut self, id: &str, call: Call, rng: &mut SmallRng) -> Option<Fault> {
        let fits = |it: &Ordered| {
            it.call == call && it.transactional_id.as_deref().is_none_or(|wanted| wanted == id)
        };
        match self.ordered.iter().position(fits) {
            Some(index) => self.ordered.remove(index).map(|it| it.fault),
            None => self.random.as_ref()?.draw(call, rng),
        }
    }
}

impl Random {
    fn draw(&self, call: Call, rng: &mut SmallRng) -> Option<Fault> {
        if !rng.random_ratio(1, self.one_in) {
            return None;
        }
        let fitting: Vec<_> = self.faults.iter().filter(|(of, _)| *of == call).collect();
        let index = (!fitting.is_empty()).then(|| rng.random_range(0..fitting.len()))?;
        Some(fitting[index].1)
    }
}
