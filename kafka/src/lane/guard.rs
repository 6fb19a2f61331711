//! The guard against crash loops: an item that kills its process is found, tried alone and given
//! up, and the rest of its partition goes on.
//!
//! An owner commits that it is at work before it begins, and that it has let go when it has. The
//! next one that finds an owner at work which isn't any more counts a death, and from then on
//! begins less ahead of the position: 4,096 offsets after one death, 64 after two, 8 after three, a
//! single one after four. How far it has gone is committed before it goes, so whoever killed it is
//! below. One death costs a healthy fleet nothing, and a killer is alone after four. Alone and
//! deadly as often as an item is tried, it isn't tried again.
//!
//! Partitions of one process die together, so after four deaths a partition waits for its turn, and
//! says so, until nothing else of the process is at work: only what kills then is blamed.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use crate::Offset;

/// Deaths after which items are begun one by one.
const ALONE_AFTER: u32 = 4;

/// What stands in the metadata when an owner has let go, or never began.
const RELEASED: &str = "-";

/// What the guard knows of a partition during one assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    deaths: u32,
    /// Whoever has killed lies below.
    through: Offset,
    /// How far items may begin, as it is committed.
    lease: Lease,
    /// Whether it is its turn: nothing else of the process is at work.
    on_trial: bool,
    /// Whether deaths are counted at all.
    is_on: bool,
}

/// How far an owner may begin items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lease {
    /// Nothing may begin: it isn't committed yet that there is an owner.
    None,
    /// Nothing may begin: the owner has said that it waits for its turn.
    Waiting,
    /// Those below.
    Below(Offset),
    /// Every one.
    All,
}

/// What an owner has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// It is at work, `r<deaths>`, on what lies below an offset if it keeps to any:
    /// `r<deaths>.<offset>`.
    AtWork { deaths: u32, below: Option<Offset> },
    /// It waits for its turn: `w<deaths>.<offset>`. Whoever has killed lies below that.
    Waiting { deaths: u32, through: Offset },
}

impl Guard {
    /// What follows from what the last owner left, `text`, for a partition that is taken up at
    /// `position` and has been written up to `log_end`. None: the text is none of a guard's.
    pub fn found(text: &str, position: Offset, log_end: Offset) -> Option<Self> {
        let clean = Self::fresh(position);
        if text == RELEASED {
            return Some(clean);
        }
        let (deaths, through) = match text.parse().ok()? {
            Said::AtWork { deaths, below } => (deaths.saturating_add(1), below.unwrap_or(log_end)),
            Said::Waiting { deaths, through } => (deaths, through),
        };
        // An owner without work doesn't die of it.
        Some(if position < through { Self { deaths, through, ..clean } } else { clean })
    }

    /// A partition that nobody has worked on.
    pub fn fresh(position: Offset) -> Self {
        Self { deaths: 0, through: position, lease: Lease::None, on_trial: false, is_on: true }
    }

    /// Deaths aren't counted: every item may begin, and nothing is said.
    pub fn off(position: Offset) -> Self {
        Self { lease: Lease::All, is_on: false, ..Self::fresh(position) }
    }

    /// Whether its items are begun one by one, when nothing else of the process is at work.
    pub fn needs_trial(&self) -> bool {
        self.deaths >= ALONE_AFTER
    }

    /// Whether it is its turn.
    pub fn set_on_trial(&mut self, on_trial: bool) {
        self.on_trial = on_trial;
    }

    /// How many owners have died in a row.
    pub fn deaths(&self) -> u32 {
        self.deaths
    }

    /// Whoever killed them lies below.
    pub fn through(&self) -> Offset {
        self.through
    }

    /// Whether an item may begin.
    pub fn admits(&self, offset: Offset) -> bool {
        match self.lease {
            Lease::None | Lease::Waiting => false,
            Lease::Below(end) => offset < end,
            Lease::All => true,
        }
    }

    /// Whether a commit at `position` would let more begin than now, or would say for the first
    /// time that there is an owner.
    pub fn would_grow(&self, position: Offset) -> bool {
        match (self.lease, self.lease_at(position)) {
            (Lease::None, _) => true,
            (Lease::Waiting | Lease::Below(_), Lease::All) => true,
            (Lease::Waiting, Lease::Below(_)) => true,
            (Lease::Below(now), Lease::Below(then)) => now < then,
            (Lease::All, _) | (Lease::Waiting | Lease::Below(_), Lease::None | Lease::Waiting) => {
                false
            }
        }
    }

    /// Whether it is committed that there is an owner.
    pub fn is_at_work(&self) -> bool {
        self.is_on && self.lease != Lease::None
    }

    /// Whether this item has killed so many owners in a row while it was alone.
    pub fn condemns(&self, offset: Offset, deaths_max: u32) -> bool {
        offset < self.through && self.deaths >= ALONE_AFTER.saturating_add(deaths_max)
    }

    /// What a commit at `position` says of an owner that goes on.
    pub fn text_at(&self, position: Offset) -> String {
        if !self.is_on {
            return RELEASED.to_owned();
        }
        let (deaths, through) = (self.deaths_at(position), self.through);
        let said = match self.lease_at(position) {
            Lease::Below(end) => Said::AtWork { deaths, below: Some(end) },
            Lease::All => Said::AtWork { deaths, below: None },
            Lease::None | Lease::Waiting => Said::Waiting { deaths, through },
        };
        said.to_string()
    }

    /// What the last commit of an owner says that lets go: a suspicion stands, and nobody died.
    pub fn last_text_at(&self, position: Offset) -> String {
        match self.deaths_at(position) {
            0 => RELEASED.to_owned(),
            deaths => Said::Waiting { deaths, through: self.through }.to_string(),
        }
    }

    /// That commit has landed.
    pub fn committed(&mut self, position: Offset) {
        self.lease = self.lease_at(position);
        self.deaths = self.deaths_at(position);
    }

    /// It is committed that the owner has let go.
    pub fn released(&mut self) {
        if self.is_on {
            self.lease = Lease::None;
        }
    }

    fn deaths_at(&self, position: Offset) -> u32 {
        if position < self.through { self.deaths } else { 0 }
    }

    fn lease_at(&self, position: Offset) -> Lease {
        let ahead = match self.deaths_at(position) {
            0 => return Lease::All,
            1 => 4_096,
            2 => 64,
            3 => 8,
            _ if self.on_trial => 1,
            _ => return Lease::Waiting,
        };
        Lease::Below(Offset(position.0.saturating_add(ahead)))
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtWork { deaths, below: None } => write!(f, "r{deaths}"),
            Self::AtWork { deaths, below: Some(below) } => write!(f, "r{deaths}.{below}"),
            Self::Waiting { deaths, through } => write!(f, "w{deaths}.{through}"),
        }
    }
}

impl FromStr for Said {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        let (at_work, waiting) = (text.strip_prefix('r'), text.strip_prefix('w'));
        let (deaths, offset) = match at_work.or(waiting).unwrap_or_default().split_once('.') {
            Some((deaths, offset)) => (deaths.parse()?, Some(Offset(offset.parse()?))),
            None => (at_work.unwrap_or_default().parse()?, None),
        };
        Ok(match (waiting, offset) {
            (Some(_), Some(through)) => Self::Waiting { deaths, through },
            (_, below) => Self::AtWork { deaths, below },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSITION: Offset = Offset(100);
    const LOG_END: Offset = Offset(1_000_000);

    fn found(text: &str) -> Guard {
        Guard::found(text, POSITION, LOG_END).expect("a guard's text")
    }

    /// An owner that takes the partition up at `position` and dies: what the next one finds.
    fn dies(text: &str, position: Offset) -> String {
        let mut guard = Guard::found(text, position, LOG_END).expect("a guard's text");
        guard.set_on_trial(guard.needs_trial());
        guard.text_at(position)
    }

    #[test]
    fn nothing_begins_before_it_is_committed_that_an_owner_is_at_work() {
        let mut guard = Guard::fresh(POSITION);
        assert!(!guard.admits(POSITION) && guard.would_grow(POSITION));
        assert_eq!(guard.text_at(POSITION), "r0");
        guard.committed(POSITION);
        assert!(guard.admits(LOG_END) && !guard.would_grow(LOG_END) && guard.is_at_work());
        guard.released();
        assert!(!guard.admits(POSITION) && !guard.is_at_work());
    }

    #[test]
    fn each_death_leaves_less_room_and_a_killer_is_alone_after_four() {
        let mut text = RELEASED.to_owned();
        let mut said = Vec::new();
        for _ in 0..7 {
            text = dies(&text, POSITION);
            said.push(text.clone());
        }
        assert_eq!(said, ["r0", "r1.4196", "r2.164", "r3.108", "r4.101", "r5.101", "r6.101"]);
    }

    #[test]
    fn nobody_is_blamed_while_it_waits_for_its_turn() {
        let mut guard = found("r3.108");
        assert!(guard.needs_trial());
        assert_eq!(guard.text_at(POSITION), "w4.108");
        guard.committed(POSITION);
        assert!(!guard.admits(POSITION) && !guard.would_grow(POSITION) && guard.is_at_work());
        assert_eq!(found("w4.108").deaths(), 4);
        assert_eq!(guard.last_text_at(POSITION), "w4.108");
        assert_eq!(guard.last_text_at(Offset(108)), RELEASED);
        guard.set_on_trial(true);
        assert!(guard.would_grow(POSITION));
        assert_eq!(guard.text_at(POSITION), "r4.101");
        guard.committed(POSITION);
        assert!(guard.admits(POSITION) && !guard.admits(Offset(101)));
        assert_eq!(found("r4.101").deaths(), 5);
    }

    #[test]
    fn room_moves_with_the_position_and_is_whole_again_behind_the_suspects() {
        let mut guard = found("r1.4196");
        assert_eq!((guard.deaths(), guard.through()), (2, Offset(4_196)));
        guard.committed(POSITION);
        assert!(guard.admits(Offset(163)) && !guard.admits(Offset(164)));
        assert!(!guard.would_grow(POSITION) && guard.would_grow(Offset(101)));
        guard.committed(Offset(150));
        assert!(guard.admits(Offset(213)) && !guard.admits(Offset(214)));
        assert_eq!(guard.text_at(Offset(4_196)), "r0");
        guard.committed(Offset(4_196));
        assert!(guard.admits(LOG_END));
        assert_eq!(guard.deaths(), 0);
    }

    #[test]
    fn an_owner_without_work_does_not_die_of_it() {
        assert_eq!(Guard::found("r0", LOG_END, LOG_END), Some(Guard::fresh(LOG_END)));
        assert_eq!(Guard::found("r3.100", POSITION, LOG_END), Some(Guard::fresh(POSITION)));
    }

    #[test]
    fn a_killer_is_condemned_when_it_was_deadly_alone_as_often_as_it_may_be_tried() {
        assert!(!found("r5.101").condemns(POSITION, 3), "alone twice");
        let guard = found("r6.101");
        assert!(guard.condemns(POSITION, 3));
        assert!(!guard.condemns(Offset(101), 3), "the next one is innocent");
    }

    #[test]
    fn text_of_others_is_refused() {
        for text in ["", "r", "x1", "r1.", "r1.x", "r-1", "r1.2.3", "w1", "w", "running"] {
            assert_eq!(Guard::found(text, POSITION, LOG_END), None, "{text}");
        }
    }
}
