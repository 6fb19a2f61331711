//! One partition during one assignment.

use std::sync::Arc;
use std::time::Duration;

use super::broker::{Committed, Sent};
use super::config::Ordering;
use super::guard::Guard;
use super::progress::{Metadata, Window};
use super::queues::Queues;
use super::start::Start;
use super::step::{Epoch, Item};
use crate::{Offset, Partition, TopicId};

/// How long a partition that is given back waits for the commit that says so.
const TELL_MAX: Duration = Duration::from_secs(1);

/// What is done with a partition now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The component prepares for it; nothing is read.
    Preparing,
    /// Records below the position are read again.
    Replaying,
    /// Records are worked on.
    Running,
    /// It is to be given back by then: what was begun may end, nothing new begins.
    Releasing {
        /// When it is given back in any case.
        deadline: Duration,
        /// Until then it waits for the commit that says so, if nothing else holds it.
        told_until: Duration,
        /// From then on that is said although items are at work: nobody has died of them.
        told_from: Duration,
    },
}

/// All that the lane knows of a partition that it owns.
#[derive(Debug)]
pub struct Owned {
    /// Which.
    pub partition: Partition,
    /// This assignment.
    pub epoch: Epoch,
    /// What is done with it.
    pub phase: Phase,
    /// Its progress.
    pub window: Window,
    /// Its items that wait.
    pub queues: Queues,
    /// How far its items may begin.
    pub guard: Guard,
    /// Items that the component works on.
    pub in_flight: usize,
    /// Bytes of its items and outcomes, from their receipt to their commit.
    pub held_bytes: usize,
    /// The next offset that the client reads, also below the position while replaying.
    pub next_read: Offset,
    /// Whether the client was told to stop reading.
    pub paused: bool,
    /// Since when there is no room for more of its records, while it is read.
    pub full_since: Option<Duration>,
    /// Since when progress waits to be committed without any outcome: a first position, or the
    /// markers passed at the end of the partition.
    pub moved: Option<Duration>,
    topic_id: TopicId,
    start_position: Offset,
    /// Items of this assignment that are committed, or in the transaction that is being built.
    ended: usize,
    committed: Option<Offset>,
    /// Whether this assignment has committed anything, and with it the mark that it was begun.
    is_marked: bool,
    commits: u64,
}

impl Owned {
    /// Takes a partition over.
    pub fn new(partition: Partition, epoch: Epoch, start: &Start, ordering: Ordering) -> Self {
        Self {
            partition,
            epoch,
            phase: Phase::Preparing,
            window: Window::new(start.position, start.finished.clone()),
            queues: Queues::new(ordering),
            guard: start.guard.clone(),
            in_flight: 0,
            held_bytes: 0,
            next_read: start.position,
            paused: false,
            full_since: None,
            moved: None,
            topic_id: start.topic_id,
            start_position: start.position,
            ended: 0,
            committed: start.resumed.then_some(start.position),
            is_marked: false,
            commits: 0,
        }
    }

    /// Where the replay ends.
    pub fn start_position(&self) -> Offset {
        self.start_position
    }

    /// Whether new items may begin.
    pub fn runs(&self) -> bool {
        matches!(self.phase, Phase::Replaying | Phase::Running)
    }

    /// Takes the next item that may begin, if its finished map would still fit.
    pub fn next(&mut self) -> Option<Arc<Item>> {
        if !self.runs() {
            return None;
        }
        let (offset, queued_up_to) = self.queues.peek()?;
        let begun = self.window.unfinished() - self.queues.len();
        if !self.guard.admits(offset) || !self.window.admits(offset, begun + queued_up_to) {
            return None;
        }
        self.in_flight += 1;
        self.queues.pop()
    }

    /// Whether there is room for more records.
    pub fn wants_records(&self, waiting_max: usize) -> bool {
        // Half empty before reading on: every pause throws fetched records away.
        let bound = if self.paused { waiting_max / 2 } else { waiting_max };
        self.queues.len() < bound.max(1)
    }

    /// Takes note that everything before `position` was received.
    pub fn reached(&mut self, position: Offset, now: Duration) {
        self.window.reached(position);
        self.note_move(now);
    }

    /// Notes that progress could be committed although no outcome carries it.
    pub fn note_move(&mut self, now: Duration) {
        if self.committed != Some(self.window.position()) {
            self.moved.get_or_insert(now);
        }
    }

    /// Whether items wait that only a commit lets begin.
    pub fn is_held_by_guard(&self) -> bool {
        let held = |(offset, _)| !self.guard.admits(offset);
        self.runs() && self.queues.peek().is_some_and(held)
    }

    /// Whether a commit of what is finished by now would let them.
    pub fn wants_room(&self) -> bool {
        self.is_held_by_guard() && self.guard.would_grow(&self.window, self.ended)
    }

    /// The id of its topic, if it isn't marked as begun in this assignment: whoever wrote the
    /// progress that was found may not have done so.
    pub fn unmarked(&self) -> Option<TopicId> {
        (!self.is_marked).then_some(self.topic_id)
    }

    /// Whether the next owner would take this one for dead, or wouldn't know where it began: once
    /// the group has progress elsewhere, a partition without any is taken for a new one.
    pub fn is_untold(&self, now: Duration) -> bool {
        let Phase::Releasing { told_until, told_from, .. } = self.phase else {
            return false;
        };
        let ended = self.in_flight == 0 && now < told_until;
        self.says_anything() && (ended || now >= told_from)
    }

    /// Whether a last word of this assignment would say anything.
    pub fn says_anything(&self) -> bool {
        self.committed.is_none() || self.guard.is_at_work()
    }

    /// No transaction could be begun before now: what counts of the time to tell the next owner
    /// begins now.
    pub fn may_tell_from(&mut self, now: Duration) {
        if let Phase::Releasing { deadline, told_until, .. } = &mut self.phase {
            *told_until = (now + TELL_MAX).min(*deadline).max(*told_until);
        }
    }

    /// Whether a commit is the last one of this assignment, as far as anybody knows; `left`: some
    /// of its items are not in it.
    pub fn lets_go(&self, left: bool, now: Duration) -> bool {
        match self.phase {
            Phase::Releasing { told_from, .. } => !left || now >= told_from,
            _ => false,
        }
    }

    /// Nothing new begins; it is given back by `deadline`, or by an earlier one that it has. Gives
    /// how many bytes are held no longer.
    pub fn begin_release(&mut self, deadline: Duration, now: Duration) -> usize {
        let deadline = match self.phase {
            Phase::Releasing { deadline: before, .. } => before.min(deadline),
            _ => deadline,
        };
        let told_until = deadline.min(now + TELL_MAX);
        let told_from = deadline.saturating_sub(TELL_MAX).max(now);
        self.phase = Phase::Releasing { deadline, told_until, told_from };
        let freed = self.queues.clear();
        self.held_bytes -= freed;
        if self.guard.is_at_work() {
            self.moved.get_or_insert(now);
        }
        freed
    }

    /// An item is in the transaction that is being built.
    pub fn carry(&mut self, offset: Offset) {
        self.window.carry(offset);
        self.ended += 1;
    }

    /// That transaction came to nothing.
    pub fn put_back(&mut self, offset: Offset) {
        self.window.put_back(offset);
        self.ended -= 1;
    }

    /// Progress as the transaction that is being built would commit it. It lets go if nothing comes
    /// behind it in this assignment.
    pub fn progress(&mut self, owner: &str, order: &str, state: String, lets_go: bool) -> Sent {
        let base = self.window.carried_position();
        let metadata = Metadata {
            base,
            owner: format!("{owner}-{}", self.epoch.0),
            seq: self.commits,
            order: order.to_owned(),
            topic: Some(self.topic_id),
            guard: self.guard.say(&self.window, self.ended, lets_go),
            state,
            finished: self.window.carried_map(),
        };
        let committed = Committed { offset: base, metadata: metadata.to_string() };
        Sent { partition: self.partition, committed }
    }

    /// That transaction was committed.
    pub fn committed(&mut self, sent: &Sent, offsets: impl Iterator<Item = Offset>, now: Duration) {
        self.window.commit(offsets);
        let at = sent.committed.offset;
        self.guard.committed();
        assert!(self.committed.is_none_or(|before| before <= at), "progress goes back, EO-5: {at}");
        self.committed = Some(at);
        self.is_marked = true;
        self.moved = None;
        // The end may have been reached while the records of the last items were on their way.
        if self.window.unfinished() == 0 {
            self.note_move(now);
        }
    }

    /// The next commit is another one, whatever becomes of this one.
    pub fn attempted(&mut self) {
        self.commits += 1;
    }
}
