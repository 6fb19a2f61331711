//! Looks up committed progress and the bounds of logs on a thread of its own: a stable answer may
//! wait for a dead owner's transaction, and the lane must go on polling meanwhile.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender, TryRecvError, TrySendError};
use std::thread;
use std::time::{Duration, Instant};

use tracing::debug;

use super::lookup::Lookup;
use super::side_thread::SideThread;
use crate::lane::broker::{Locate, Located};
use crate::{Failure, Remedy};

/// Questions that may wait for the thread, and as many that it may be at work on.
const QUESTIONS_MAX: usize = 64;
/// How long one question is tried. Above the longest transaction timeout that is reasonable, after
/// which the broker itself ends a dead owner's transaction.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two tries of questions that failed at once.
const PAUSE: Duration = Duration::from_millis(50);

/// The lane's end of the thread.
pub(super) struct Locator {
    /// Dropped before the thread, which ends by that.
    questions: SyncSender<Locate>,
    answers: Receiver<Located>,
    /// Questions that found no place, answered without having been asked.
    turned_away: VecDeque<Located>,
    _thread: SideThread,
}

impl Locator {
    pub(super) fn start(lookup: Arc<Lookup>) -> Result<Self, Failure> {
        let (questions, asked) = mpsc::sync_channel(QUESTIONS_MAX);
        let (answer, answers) = mpsc::channel();
        let work = move || serve(&lookup, &asked, |located| answer.send(located).is_ok());
        let thread = SideThread::start("kafka-locator", work)?;
        Ok(Self { questions, answers, turned_away: VecDeque::new(), _thread: thread })
    }

    /// Asks. Never blocks.
    pub(super) fn ask(&mut self, question: Locate) {
        let (id, remedy, reason) = match self.questions.try_send(question) {
            Ok(()) => return,
            Err(TrySendError::Full(question)) => {
                (question.id, Remedy::Retry, "too many lookups are waiting")
            }
            // Nobody would ever answer again.
            Err(TrySendError::Disconnected(question)) => {
                (question.id, Remedy::Stop, "the lookup thread is gone; start the process again")
            }
        };
        let (code, message) = ("_QUEUE_FULL".to_owned(), reason.to_owned());
        let partitions = Err(Failure { remedy, call: "locate", code, message });
        self.turned_away.push_back(Located { id, partitions });
    }

    /// The next answer that is there.
    pub(super) fn answer(&mut self) -> Option<Located> {
        self.turned_away.pop_front().or_else(|| self.answers.try_recv().ok())
    }
}

/// A question that the thread is at work on.
struct Open {
    question: Locate,
    deadline: Instant,
}

/// Serves questions, a piece of each in turn, until nobody asks any more.
fn serve(lookup: &Lookup, asked: &Receiver<Locate>, answer: impl Fn(Located) -> bool) {
    let mut open = VecDeque::new();
    while let Some(next) = next_question(asked, &mut open) {
        let started = Instant::now();
        match lookup.facts(&next.question) {
            Err(failure) if failure.remedy == Remedy::Retry && Instant::now() < next.deadline => {
                debug!(%failure, "lookup not answered yet");
                thread::sleep(PAUSE.saturating_sub(started.elapsed()));
                open.push_back(next);
            }
            partitions => {
                if !answer(Located { id: next.question.id, partitions }) {
                    return;
                }
            }
        }
    }
}

/// The question whose turn it is. None when nobody asks any more.
fn next_question(asked: &Receiver<Locate>, open: &mut VecDeque<Open>) -> Option<Open> {
    let opened = |question| Open { question, deadline: Instant::now() + PATIENCE };
    while open.len() < QUESTIONS_MAX {
        match asked.try_recv() {
            Ok(question) => open.push_back(opened(question)),
            Err(TryRecvError::Empty) => break,
            Err(TryRecvError::Disconnected) => return None,
        }
    }
    open.pop_front().or_else(|| asked.recv().ok().map(opened))
}
