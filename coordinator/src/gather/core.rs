//! One inbox partition's open groups, and what can be asked of them.

use std::collections::{BTreeSet, HashMap};

use longshore_schemas::records::{Counts, ExpectedPart};
use longshore_schemas::{GroupId, Revision, Timestamp};

use super::closed::ClosedMarks;
use super::deadlines::Deadlines;
use super::group::Group;
use super::holds::{Hold, Holds};
use super::outbox::{Dropped, Outbox};
use super::rules::Rules;
use super::spilling::Movable;
use super::stages::Stages;
use super::tail::Tail;
use super::waiting::Waiting;

/// One inbox partition's open groups. Pure: no clock, no I/O, no tokio, no randomness.
///
/// Driven in this order: [`Gather::recall`] for each record of the journal, [`Gather::replay`] for
/// each inbox record from `low` to below the committed position, [`Gather::resume`] once, then
/// [`Gather::absorb`] for each record from the position on, and [`Gather::settled`] for each hold
/// that a committed transaction released. Between records [`Gather::carry`] keeps the replay short
/// and [`Gather::next_to_spill`] the memory small.
#[derive(Debug)]
pub struct Gather {
    pub(super) rules: Rules,
    pub(super) stages: Stages,
    /// The greatest append time absorbed so far: the only time there is.
    pub(super) watermark: Timestamp,
    /// All records below this offset are absorbed.
    pub(super) next: i64,
    pub(super) open: HashMap<GroupId, Group>,
    pub(super) waiting: Waiting,
    pub(super) closed: ClosedMarks,
    pub(super) deadlines: Deadlines,
    pub(super) holds: Holds,
    /// Offsets of parts that the journal calls orphaned; needed by the replay only.
    pub(super) orphaned: BTreeSet<i64>,
    pub(super) open_bytes: usize,
    /// What the journal holds of the groups that are open.
    pub(super) carried_bytes: usize,
    pub(super) tail: Tail,
    /// Nothing is carried before the tail is longer than this.
    pub(super) carry_above: i64,
    /// Or before `low` is another than this.
    pub(super) carry_waits: Option<i64>,
    /// What may be moved out of memory.
    pub(super) movable: Movable,
    pub(super) dropped: Dropped,
}

/// An open group, as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenGroup {
    /// The group.
    pub group_id: GroupId,
    /// Which opening of it.
    pub revision: Revision,
    /// When the splitter opened it.
    pub opened_at: Timestamp,
    /// The inbox offset of its opening.
    pub opened_offset: i64,
    /// When it closes by itself, by the broker's clock.
    pub deadline: Timestamp,
    /// Whether all parts are known that it will ever wait for.
    pub sealed: bool,
    /// Its parts, counted; before the seal it expects those it has.
    pub counts: Counts,
}

impl Gather {
    /// An empty partition under `rules`, which have passed [`Rules::check`].
    pub fn new(rules: Rules) -> Self {
        Self {
            stages: Stages::new(&rules.of),
            movable: Movable::new(rules.spill_bytes_max > 0),
            closed: ClosedMarks::new(rules.closed_retention),
            rules,
            watermark: Timestamp(i64::MIN),
            next: 0,
            open: HashMap::new(),
            waiting: Waiting::default(),
            deadlines: Deadlines::default(),
            holds: Holds::default(),
            orphaned: BTreeSet::new(),
            open_bytes: 0,
            carried_bytes: 0,
            tail: Tail::default(),
            carry_above: 0,
            carry_waits: None,
            dropped: Dropped::default(),
        }
    }

    /// When something closes or is given up by itself, by the broker's clock. If nothing else has
    /// arrived by then, the owner writes a Tick, whose append time lets it happen.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.first()
    }

    /// The oldest inbox offset that a replay needs if `position` is committed in a transaction that
    /// releases `leaving`: those that its effects and [`super::Effect::releases`] name. Without
    /// any, `position` itself.
    pub fn low(&self, position: i64, leaving: &BTreeSet<Hold>) -> i64 {
        self.holds.low(position, leaving)
    }

    /// The effect that releases `hold` is in a committed transaction.
    pub fn settled(&mut self, hold: &Hold) {
        self.holds.release(hold);
    }

    /// The greatest append time absorbed so far; none before the first record.
    pub fn watermark(&self) -> Option<Timestamp> {
        (self.watermark > Timestamp(i64::MIN)).then_some(self.watermark)
    }

    /// About how many bytes the open groups and the waiting parts take.
    pub fn open_bytes(&self) -> usize {
        self.open_bytes
    }

    /// How many groups are open.
    pub fn open_count(&self) -> usize {
        self.open.len()
    }

    /// How many parts wait for an opening that should have come before them.
    pub fn waiting_count(&self) -> usize {
        self.waiting.count()
    }

    /// How many closed groups are remembered.
    pub fn closed_count(&self) -> usize {
        self.closed.count()
    }

    /// What was dropped since the resume.
    pub fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// Every open group, in no order.
    pub fn open_groups(&self) -> impl Iterator<Item = OpenGroup> {
        self.open.values().map(Group::view)
    }

    /// One open group.
    pub fn group(&self, group_id: &GroupId) -> Option<OpenGroup> {
        self.open.get(group_id).map(Group::view)
    }

    /// The parts that an open group still waits for, sorted; none known before its seal.
    pub fn missing(&self, group_id: &GroupId) -> Vec<ExpectedPart> {
        self.open.get(group_id).map(|group| group.missing(&self.stages)).unwrap_or_default()
    }

    pub(super) fn outbox(&self, at: Option<i64>) -> Outbox {
        Outbox::new(at, self.rules.late)
    }

    pub(super) fn pass_time(&mut self, appended: Timestamp) {
        self.watermark = self.watermark.max(appended);
    }
}
