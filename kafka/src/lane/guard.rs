//! The guard against crash loops: an item that kills its process is found, tried alone and given
//! up, and the rest of its partition goes on.
//!
//! An owner commits that it is at work before it begins, and that it has let go when it has. The
//! next one that finds an owner at work which isn't any more counts a death, if hardly anything was
//! finished meanwhile: a process that is killed from outside has nearly always got something done.
//! If much was finished, but the position hardly moved, it counts an eighth: an item may kill
//! slowly, beside others that end, but nobody gets past it.
//!
//! From then on fewer items are begun at once: 4,096 after one death, 64 after two, 8 after three,
//! and a quarter more of as many as have ended since, so that innocents soon are out of the way and
//! each further death leaves a fifth of what is before the killer. After four it is a single one.
//! How far it has gone is committed before it goes, so whoever killed it is below that, and
//! unfinished. One death costs a healthy fleet nothing. Alone and deadly as often as an item may be
//! tried, a killer isn't tried again.
//!
//! Partitions of one process die together, so after four deaths a partition waits for its turn, and
//! says so, until nothing else of the process is at work: only what kills then is blamed.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use super::progress::Window;
use crate::Offset;

/// Deaths after which items are begun one by one.
const ALONE_AFTER: u32 = 4;
/// Items begun at once after one death and more.
const AT_ONCE: [usize; ALONE_AFTER as usize] = [4_096, 64, 8, 1];
/// What is more than this part of them is much, and this part of what has ended is added to them.
const PART: usize = 4;
/// What a death counts, in eighths.
const DEATH: u32 = 8;

/// What stands in the metadata when an owner has let go, or never began.
const RELEASED: &str = "-";

/// What the guard knows of a partition during one assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Deaths in a row, in eighths.
    eighths: u32,
    /// Whoever has killed lies below.
    through: Offset,
    /// The position at which the partition was taken up.
    taken_up: Offset,
    /// How far items may begin, as it is committed.
    lease: Lease,
    /// What the transaction says that was built last: the deaths, in eighths, and how far items may
    /// begin.
    said: (u32, Lease),
    /// Whether it is its turn: nothing else of the process is at work.
    on_trial: bool,
    /// Whether deaths are counted at all.
    is_on: bool,
}

/// How far an owner may begin items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lease {
    /// Nothing may begin: it isn't committed that there is an owner.
    None,
    /// Nothing may begin: the owner has said that it waits for its turn.
    Waiting,
    /// Those below.
    Below(Offset),
    /// Every one.
    All,
}

/// What an owner has said; deaths in eighths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// It is at work, `r<deaths>`, on what lies below an offset if it keeps to any:
    /// `r<deaths>.<offset>`.
    AtWork { eighths: u32, below: Option<Offset>, done: Done },
    /// It waits for its turn: `w<deaths>.<offset>`. Whoever has killed lies below that.
    Waiting { eighths: u32, through: Offset },
}

/// What was done since the partition was taken up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    /// Hardly anything.
    Nothing,
    /// Much, ahead of a position that hardly moved: `s<deaths>` in the place of `r<deaths>`.
    Ahead,
    /// The position moved: `p<deaths>`.
    Progress,
}

impl Done {
    const ALL: [(char, Self); 3] =
        [('r', Self::Nothing), ('s', Self::Ahead), ('p', Self::Progress)];

    /// What the end of an owner counts that had done this, in eighths of a death.
    fn counts(self) -> u32 {
        match self {
            Self::Nothing => DEATH,
            Self::Ahead => 1,
            Self::Progress => 0,
        }
    }
}

impl Guard {
    /// What follows from what the last owner left, `text`, for a partition that is taken up at
    /// `position` and has been written up to `log_end`. An owner that `lives` has lost the
    /// partition without a chance to say so. None: the text is none of a guard's.
    pub fn found(text: &str, lives: bool, position: Offset, log_end: Offset) -> Option<Self> {
        let clean = Self::fresh(position);
        if text == RELEASED {
            return Some(clean);
        }
        let (eighths, through) = match text.parse().ok()? {
            Said::AtWork { eighths, below, done } => {
                let more = if lives { 0 } else { done.counts() };
                (eighths.saturating_add(more), below.unwrap_or(log_end))
            }
            Said::Waiting { eighths, through } => (eighths, through),
        };
        // An owner without work doesn't die of it.
        let suspects = eighths > 0 && position < through;
        Some(if suspects { Self { eighths, through, ..clean } } else { clean })
    }

    /// A partition that nobody has worked on.
    pub fn fresh(position: Offset) -> Self {
        Self {
            eighths: 0,
            through: position,
            taken_up: position,
            lease: Lease::None,
            said: (0, Lease::None),
            on_trial: false,
            is_on: true,
        }
    }

    /// Deaths aren't counted: every item may begin, and nothing is said.
    pub fn off(position: Offset) -> Self {
        Self { lease: Lease::All, is_on: false, ..Self::fresh(position) }
    }

    /// Whether its items are begun one by one, when nothing else of the process is at work.
    pub fn needs_trial(&self) -> bool {
        self.deaths() >= ALONE_AFTER
    }

    /// Whether it is its turn: the commit that lets it begin may come when that has passed.
    pub fn is_on_trial(&self) -> bool {
        self.on_trial
    }

    /// Whether it is its turn from now on.
    pub fn set_on_trial(&mut self, on_trial: bool) {
        self.on_trial = on_trial;
    }

    /// How many owners have died in a row.
    pub fn deaths(&self) -> u32 {
        self.eighths / DEATH
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

    /// Whether a commit of what is carried, with which so many items have `ended`, would let more
    /// begin than now, or would say for the first time that there is an owner.
    pub fn would_grow(&self, window: &Window, ended: usize) -> bool {
        match (self.lease, self.lease_at(window, ended)) {
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

    /// Whether the next owner takes this one for dead if the process ends now, or once what was
    /// said last is committed.
    pub fn is_blamed(&self) -> bool {
        let blames = |lease| matches!(lease, Lease::Below(_) | Lease::All);
        self.is_on && (blames(self.lease) || blames(self.said.1))
    }

    /// Whether this item has killed so many owners in a row while it was alone.
    pub fn condemns(&self, offset: Offset, deaths_max: u32) -> bool {
        offset < self.through && self.deaths() >= ALONE_AFTER.saturating_add(deaths_max)
    }

    /// What a commit of what is carried says, with which so many items have `ended`, of an owner
    /// that goes on, or else `lets_go`: then nobody died, but a suspicion stands.
    pub fn say(&mut self, window: &Window, ended: usize, lets_go: bool) -> String {
        if !self.is_on {
            return RELEASED.to_owned();
        }
        let position = window.carried_position();
        let (eighths, through) = (self.eighths_at(position), self.through);
        let lease = if lets_go { Lease::None } else { self.lease_at(window, ended) };
        self.said = (eighths, lease);
        let done = self.done_at(position, ended);
        let said = match lease {
            Lease::None if eighths == 0 => return RELEASED.to_owned(),
            Lease::None | Lease::Waiting => Said::Waiting { eighths, through },
            Lease::Below(end) => Said::AtWork { eighths, below: Some(end), done },
            Lease::All => Said::AtWork { eighths, below: None, done },
        };
        said.to_string()
    }

    /// What was said last is committed.
    pub fn committed(&mut self) {
        if self.is_on {
            (self.eighths, self.lease) = self.said;
        }
    }

    fn eighths_at(&self, position: Offset) -> u32 {
        if position < self.through { self.eighths } else { 0 }
    }

    fn done_at(&self, position: Offset, ended: usize) -> Done {
        let much = self.at_once().unwrap_or(0) / PART;
        if position.0 - self.taken_up.0 > much as i64 {
            Done::Progress
        } else if ended > much {
            Done::Ahead
        } else {
            Done::Nothing
        }
    }

    fn lease_at(&self, window: &Window, ended: usize) -> Lease {
        match self.at_once() {
            _ if window.carried_position() >= self.through => Lease::All,
            None => Lease::All,
            Some(_) if self.needs_trial() && !self.on_trial => Lease::Waiting,
            Some(count) if self.needs_trial() => Lease::Below(window.behind_unfinished(count)),
            Some(count) => Lease::Below(window.behind_unfinished(count + ended / PART)),
        }
    }

    /// How many items it begins at once. None: there is no limit.
    fn at_once(&self) -> Option<usize> {
        let index = (self.deaths().min(ALONE_AFTER) as usize).checked_sub(1)?;
        Some(AT_ONCE[index])
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtWork { eighths, below, done } => {
                let kind =
                    Done::ALL.iter().find(|(_, it)| it == done).map_or('r', |(kind, _)| *kind);
                write!(f, "{kind}{eighths}")?;
                below.map_or(Ok(()), |below| write!(f, ".{below}"))
            }
            Self::Waiting { eighths, through } => write!(f, "w{eighths}.{through}"),
        }
    }
}

/// A text that no guard has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Foreign;

impl From<ParseIntError> for Foreign {
    fn from(_: ParseIntError) -> Self {
        Self
    }
}

impl FromStr for Said {
    type Err = Foreign;

    fn from_str(text: &str) -> Result<Self, Foreign> {
        let mut chars = text.chars();
        let kind = chars.next().ok_or(Foreign)?;
        let (eighths, offset) = match chars.as_str().split_once('.') {
            Some((eighths, offset)) => (eighths.parse()?, Some(Offset(offset.parse()?))),
            None => (chars.as_str().parse()?, None),
        };
        if let ('w', Some(through)) = (kind, offset) {
            return Ok(Self::Waiting { eighths, through });
        }
        let (_, done) = *Done::ALL.iter().find(|(it, _)| *it == kind).ok_or(Foreign)?;
        Ok(Self::AtWork { eighths, below: offset, done })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lane::progress::FinishedMap;

    const POSITION: Offset = Offset(100);
    const LOG_END: Offset = Offset(1_000_000);

    fn found(text: &str) -> Guard {
        found_at(text, POSITION)
    }

    fn found_at(text: &str, position: Offset) -> Guard {
        Guard::found(text, false, position, LOG_END).expect("a guard's text")
    }

    /// Nothing is finished ahead of a position.
    fn at(position: Offset) -> Window {
        Window::new(position, FinishedMap::default())
    }

    fn commits(guard: &mut Guard, position: Offset) -> String {
        let ended = (position.0 - guard.taken_up.0) as usize;
        let said = guard.say(&at(position), ended, false);
        guard.committed();
        said
    }

    /// An owner that takes the partition up, comes to `position` with so many items and dies: what
    /// it leaves.
    fn dies_at(text: &str, taken_up: Offset, position: Offset, ended: usize) -> String {
        let mut guard = found_at(text, taken_up);
        guard.set_on_trial(guard.needs_trial());
        commits(&mut guard, taken_up);
        guard.say(&at(position), ended, false)
    }

    /// What each of several owners in a row leaves, the first of which finds nothing.
    fn left_by(mut each: impl FnMut(i64, &str) -> String) -> Vec<String> {
        let mut left = vec![RELEASED.to_owned()];
        for number in 0..6 {
            left.push(each(number, &left[left.len() - 1]));
        }
        left.split_off(1)
    }

    #[test]
    fn nothing_begins_before_it_is_committed_that_an_owner_is_at_work() {
        let mut guard = Guard::fresh(POSITION);
        assert!(!guard.admits(POSITION) && guard.would_grow(&at(POSITION), 0));
        assert_eq!(guard.say(&at(POSITION), 0, false), "r0");
        assert!(!guard.admits(POSITION), "it isn't committed");
        guard.committed();
        assert!(guard.admits(LOG_END) && !guard.would_grow(&at(LOG_END), 0) && guard.is_at_work());
        assert_eq!(guard.say(&at(POSITION), 0, true), RELEASED);
        guard.committed();
        assert!(!guard.admits(POSITION) && !guard.is_at_work());
    }

    #[test]
    fn each_death_leaves_less_room_and_a_killer_is_alone_after_four() {
        let left = left_by(|_, text| dies_at(text, POSITION, POSITION, 0));
        assert_eq!(left, ["r0", "r8.4196", "r16.164", "r24.108", "r32.101", "r40.101"]);
    }

    #[test]
    fn whoever_got_something_done_was_killed_from_outside_or_slowly() {
        let moving = left_by(|number, text| {
            let taken_up = Offset(100 + number);
            dies_at(text, taken_up, taken_up.next(), 1)
        });
        assert_eq!(moving, ["p0"; 6]);
        let standing = left_by(|_, text| dies_at(text, POSITION, POSITION, 1));
        assert_eq!(standing, ["s0", "s1", "s2", "s3", "s4", "s5"]);
        assert_eq!(found("s7").deaths(), 1);
    }

    #[test]
    fn a_little_is_not_much_where_much_may_begin() {
        let dies_after =
            |moved: i64, ended| dies_at("r8.4196", POSITION, Offset(100 + moved), ended);
        assert_eq!(dies_after(16, 16), "r16.184");
        assert_eq!(dies_after(16, 17), "s16.184");
        assert_eq!(dies_after(17, 17), "p16.185");
        let guard = found_at("p16.185", Offset(117));
        assert_eq!((guard.deaths(), guard.through()), (2, Offset(185)), "a suspicion stands");
    }

    #[test]
    fn nobody_is_blamed_while_it_waits_for_its_turn() {
        let mut guard = found("r24.108");
        assert!(guard.needs_trial());
        assert_eq!(commits(&mut guard, POSITION), "w32.108");
        assert!(
            !guard.admits(POSITION) && !guard.would_grow(&at(POSITION), 0) && guard.is_at_work()
        );
        assert_eq!(found("w32.108").deaths(), 4);
        assert_eq!(guard.say(&at(POSITION), 0, true), "w32.108");
        assert_eq!(guard.say(&at(Offset(108)), 8, true), RELEASED);
        guard.set_on_trial(true);
        assert!(guard.would_grow(&at(POSITION), 0));
        assert_eq!(commits(&mut guard, POSITION), "r32.101");
        assert!(guard.admits(POSITION) && !guard.admits(Offset(101)));
        assert_eq!(found("r32.101").deaths(), 5);
    }

    #[test]
    fn what_was_said_holds_although_its_turn_came_before_it_was_committed() {
        let mut guard = found("r24.108");
        assert_eq!(guard.say(&at(POSITION), 0, false), "w32.108");
        guard.set_on_trial(true);
        guard.committed();
        assert!(!guard.admits(POSITION), "nobody would be blamed for what it did");
    }

    #[test]
    fn room_moves_with_the_position_and_is_whole_again_behind_the_suspects() {
        let mut guard = found("r8.4196");
        assert_eq!((guard.deaths(), guard.through()), (2, Offset(4_196)));
        commits(&mut guard, POSITION);
        assert!(guard.admits(Offset(163)) && !guard.admits(Offset(164)));
        assert!(!guard.would_grow(&at(POSITION), 0) && guard.would_grow(&at(Offset(101)), 0));
        commits(&mut guard, Offset(150));
        assert!(guard.admits(Offset(225)) && !guard.admits(Offset(226)), "it grows as it moves");
        assert_eq!(commits(&mut guard, Offset(4_196)), "p0");
        assert!(guard.admits(LOG_END));
        assert_eq!(guard.deaths(), 0);
    }

    #[test]
    fn what_is_finished_ahead_takes_no_room() {
        let mut finished = FinishedMap::default();
        finished.push(Offset(101), Offset(1_000));
        let mut guard = found("r16.164");
        assert_eq!(guard.say(&Window::new(POSITION, finished), 0, false), "r24.1007");
        assert_eq!(guard.say(&at(POSITION), 0, false), "r24.108");
    }

    #[test]
    fn a_killer_far_ahead_is_alone_after_few_deaths() {
        const KILLER: Offset = Offset(100 + 16_000);
        let (mut text, mut position, mut deaths) = (RELEASED.to_owned(), POSITION, 0);
        let alone = loop {
            let mut guard = found_at(&text, position);
            guard.set_on_trial(guard.needs_trial());
            text = commits(&mut guard, position);
            while !guard.admits(KILLER) {
                position = position.next();
                text = commits(&mut guard, position);
            }
            if guard.needs_trial() {
                break position;
            }
            deaths += 1;
        };
        assert_eq!(alone, KILLER);
        assert!(deaths < 20, "{deaths} deaths");
    }

    #[test]
    fn an_owner_without_work_does_not_die_of_it() {
        let at_the_end = Guard::found("r0", false, LOG_END, LOG_END);
        assert_eq!(at_the_end, Some(Guard::fresh(LOG_END)));
        assert_eq!(found("r24.100"), Guard::fresh(POSITION));
    }

    #[test]
    fn an_owner_that_lives_has_not_died() {
        let lost = |text| Guard::found(text, true, POSITION, LOG_END).expect("a guard's text");
        assert_eq!(lost("r0"), Guard::fresh(POSITION));
        assert_eq!(lost("r16.164").deaths(), 2);
    }

    #[test]
    fn a_killer_is_condemned_when_it_was_deadly_alone_as_often_as_it_may_be_tried() {
        assert!(!found("r40.101").condemns(POSITION, 3), "alone twice");
        let guard = found("r48.101");
        assert!(guard.condemns(POSITION, 3));
        assert!(!guard.condemns(Offset(101), 3), "the next one is innocent");
    }

    #[test]
    fn where_deaths_are_not_counted_everything_begins_and_nothing_is_said() {
        let mut guard = Guard::off(POSITION);
        assert!(guard.admits(LOG_END) && !guard.would_grow(&at(POSITION), 0));
        assert_eq!(commits(&mut guard, POSITION), RELEASED);
        assert!(guard.admits(LOG_END) && !guard.is_at_work());
    }

    #[test]
    fn text_of_others_is_refused() {
        let malformed =
            ["", "r", "r1.", "r1.x", "r-1", "r1.2.3", "w1", "w", "p", "x1", "é1", "run"];
        for text in malformed {
            assert_eq!(Guard::found(text, false, POSITION, LOG_END), None, "{text}");
        }
    }
}
