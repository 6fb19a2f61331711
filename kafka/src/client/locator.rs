//! Looks up committed progress and the bounds of logs on a thread of its own: a stable answer may
//! wait for a dead owner's transaction, and the lane must go on polling meanwhile.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender, TryRecvError, TrySendError};
use std::thread;
use std::time::{Duration, Instant};

use longshore_schemas::TopicName;
use tracing::debug;

use super::lookup::Lookup;
use super::side_thread::SideThread;
use crate::lane::broker::{Locate, Located, PartitionFacts};
use crate::{Failure, Partition, Remedy};

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
        let work = move || {
            let facts = |question: &Locate| lookup.facts(question);
            serve(facts, &asked, |located| answer.send(located).is_ok(), PATIENCE);
        };
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
    id: u64,
    time: Option<i64>,
    marks: Option<TopicName>,
    /// What is left of it, each piece asked for at once.
    pieces: VecDeque<Vec<Partition>>,
    deadline: Instant,
}

impl Open {
    fn new(question: Locate, patience: Duration) -> Self {
        let Locate { id, partitions, time, marks } = question;
        Self { id, time, marks, pieces: [partitions].into(), deadline: Instant::now() + patience }
    }

    /// The piece whose turn it is.
    fn next(&mut self) -> Locate {
        let partitions = self.pieces.pop_front().unwrap_or_default();
        Locate { id: self.id, partitions, time: self.time, marks: self.marks.clone() }
    }

    /// A piece that found no answer is cut in two: a partition that can't be looked up is alone
    /// soon, and holds up no other.
    fn cut(&mut self, mut piece: Vec<Partition>) {
        let half = piece.split_off(piece.len().div_ceil(2));
        self.pieces.extend([piece, half].into_iter().filter(|it| !it.is_empty()));
    }
}

/// Serves questions, a piece of each in turn, until nobody asks any more.
fn serve(
    facts: impl Fn(&Locate) -> Result<Vec<PartitionFacts>, Failure>,
    asked: &Receiver<Locate>,
    answer: impl Fn(Located) -> bool,
    patience: Duration,
) {
    let mut open = VecDeque::new();
    while let Some(mut question) = next_question(asked, &mut open, patience) {
        let started = Instant::now();
        let piece = question.next();
        match facts(&piece) {
            Err(failure) if failure.remedy == Remedy::Retry && started < question.deadline => {
                debug!(%failure, partitions = ?piece.partitions, "lookup not answered yet");
                thread::sleep(PAUSE.saturating_sub(started.elapsed()));
                question.cut(piece.partitions);
            }
            partitions => {
                if partitions.is_err() {
                    question.pieces.clear();
                }
                if !answer(Located { id: question.id, partitions }) {
                    return;
                }
            }
        }
        if !question.pieces.is_empty() {
            open.push_back(question);
        }
    }
}

/// The question whose turn it is. None when nobody asks any more.
fn next_question(
    asked: &Receiver<Locate>,
    open: &mut VecDeque<Open>,
    patience: Duration,
) -> Option<Open> {
    while open.len() < QUESTIONS_MAX {
        match asked.try_recv() {
            Ok(question) => open.push_back(Open::new(question, patience)),
            Err(TryRecvError::Empty) => break,
            Err(TryRecvError::Disconnected) => return None,
        }
    }
    open.pop_front().or_else(|| Some(Open::new(asked.recv().ok()?, patience)))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeSet;

    use super::*;
    use crate::{Offset, TopicId};

    const BAD: Partition = Partition(37);

    fn facts_of(partition: Partition) -> PartitionFacts {
        PartitionFacts {
            partition,
            topic_id: TopicId::new(1),
            committed: None,
            siblings_committed: false,
            begun: false,
            log_start: Offset(0),
            log_end: Offset(0),
            time_offset: None,
        }
    }

    /// A cluster of which one partition has no leader.
    fn lookup(question: &Locate) -> Result<Vec<PartitionFacts>, Failure> {
        if question.partitions.contains(&BAD) {
            let (code, message) = ("LEADER_NOT_AVAILABLE".to_owned(), String::new());
            return Err(Failure { remedy: Remedy::Retry, call: "list_offsets", code, message });
        }
        Ok(question.partitions.iter().copied().map(facts_of).collect())
    }

    /// The answers to a question, until so many partitions are told of or there is no more.
    fn answers(partitions: Vec<Partition>, count: usize, patience: Duration) -> Vec<Located> {
        let (ask, asked) = mpsc::sync_channel(1);
        let (answer, answers) = mpsc::channel();
        ask.send(Locate::progress(7, partitions)).expect("there is room");
        let left = Cell::new(count);
        let tell = |located: Located| {
            let told = located.partitions.as_ref().map_or(left.get(), Vec::len);
            left.set(left.get() - told);
            answer.send(located).is_ok() && left.get() > 0
        };
        serve(lookup, &asked, tell, patience);
        answers.try_iter().collect()
    }

    #[test]
    fn a_partition_that_cannot_be_looked_up_holds_up_no_other() {
        let partitions: Vec<Partition> = (0..100).map(Partition).collect();
        let answers = answers(partitions.clone(), 99, PATIENCE);
        assert!(answers.iter().all(|it| it.id == 7) && answers.len() < 10, "{answers:?}");
        let told: Vec<Partition> = answers
            .iter()
            .flat_map(|it| it.partitions.iter().flatten())
            .map(|facts| facts.partition)
            .collect();
        assert_eq!(told.len(), 99, "each once");
        let others: BTreeSet<_> = partitions.into_iter().filter(|it| *it != BAD).collect();
        assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), others);
    }

    #[test]
    fn a_question_whose_time_is_over_ends_with_all_that_is_left_of_it() {
        let partitions = vec![BAD, Partition(1), Partition(2)];
        let answers = answers(partitions, 3, Duration::ZERO);
        assert!(answers.len() == 1 && answers[0].partitions.is_err(), "{answers:?}");
    }
}
