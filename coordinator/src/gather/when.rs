//! When a group is complete, as the pipeline file says it under `when`.
//!
//! A predicate over a stage speaks of **all** parts that the group expects of that stage:
//!
//! | predicate | holds once | is ruled out once |
//! | --- | --- | --- |
//! | `price.done` | every part of `price` is DONE | one of them is SKIPPED or FAILED |
//! | `price.skipped` | every part is SKIPPED | one is DONE or FAILED |
//! | `price.failed` | every part is FAILED, and there is one | one is DONE or SKIPPED |
//! | `price.ended` | every part has ended, in whatever way | never |
//!
//! Until then it is undecided, and so is what `not` makes of it: `not price.failed` waits for a
//! part of `price` to end well, it doesn't hold because nothing has happened yet. Of a stage
//! without parts in the group `done`, `skipped` and `ended` hold and `failed` doesn't.

mod parse;

use longshore_schemas::StageName;
use serde::Deserialize;

pub use parse::WhenError;

use super::share::Share;
use super::tally::StageTally;

/// The rule by which a group is complete. Read from text by [`std::str::FromStr`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum When {
    /// `all_done`: every part has ended, none of them FAILED; then the group is COMPLETE. A FAILED
    /// part closes nothing early but under `fail_fast`: the group waits for the others, and closes
    /// as PARTIAL where `tolerate` and `on_failed` accept what failed, else as FAILED.
    AllDone,
    /// `all_ended`: the same rule by another name. Today nothing differs from `all_done`, neither
    /// when a group closes nor as what.
    AllEnded,
    /// One part is DONE. Met even before an open-ended group is sealed.
    AnyDone,
    /// This many parts are DONE. Met even before an open-ended group is sealed.
    Quorum(u32),
    /// This share of the parts is DONE or SKIPPED, so that all of them is `all_done`.
    Fraction(Share),
    /// A boolean expression over the stages of the join.
    Stages(Expr),
}

/// A boolean expression over stages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// All parts of one stage.
    Stage(StageName, Predicate),
    /// The opposite.
    Not(Box<Expr>),
    /// All of these.
    And(Vec<Expr>),
    /// At least one of these.
    Or(Vec<Expr>),
}

/// What is said of all parts of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predicate {
    /// Handled.
    Done,
    /// Left out on purpose.
    Skipped,
    /// Given up.
    Failed,
    /// Any of these.
    Ended,
}

/// What an expression comes to while parts are still out. Ordered so that `and` is the least and
/// `or` the greatest (Kleene's logic).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    No,
    Undecided,
    Yes,
}

impl Expr {
    /// The stages that are named, in the order of the text, repeated ones repeated.
    pub fn stages(&self) -> Vec<&StageName> {
        match self {
            Self::Stage(stage, _) => vec![stage],
            Self::Not(inner) => inner.stages(),
            Self::And(all) | Self::Or(all) => all.iter().flat_map(Self::stages).collect(),
        }
    }

    pub(super) fn truth(&self, tally: &impl Fn(&StageName) -> StageTally) -> Truth {
        let each = |all: &[Self]| all.iter().map(|one| one.truth(tally)).collect::<Vec<_>>();
        match self {
            Self::Stage(stage, predicate) => predicate.truth(tally(stage)),
            Self::Not(inner) => inner.truth(tally).opposite(),
            Self::And(all) => each(all).into_iter().min().unwrap_or(Truth::Yes),
            Self::Or(all) => each(all).into_iter().max().unwrap_or(Truth::No),
        }
    }
}

impl Predicate {
    fn truth(self, tally: StageTally) -> Truth {
        let matching = match self {
            Self::Done => tally.done,
            Self::Skipped => tally.skipped,
            Self::Failed => tally.failed,
            Self::Ended => tally.ended(),
        };
        if matching < tally.ended() || (self == Self::Failed && tally.expected == 0) {
            Truth::No
        } else if matching == tally.expected {
            Truth::Yes
        } else {
            Truth::Undecided
        }
    }
}

impl Truth {
    fn opposite(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Undecided => Self::Undecided,
            Self::Yes => Self::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two parts of `a`, none of `b`.
    fn truth(text: &str, done: u32, skipped: u32, failed: u32) -> Truth {
        let When::Stages(expr) = text.parse().unwrap() else { panic!("not over stages: {text}") };
        expr.truth(&|stage| match stage.as_str() {
            "a" => StageTally { expected: 2, done, skipped, failed },
            _ => StageTally::default(),
        })
    }

    #[test]
    fn a_predicate_speaks_of_all_parts_of_its_stage() {
        assert_eq!(truth("a.done", 1, 0, 0), Truth::Undecided);
        assert_eq!(truth("a.done", 2, 0, 0), Truth::Yes);
        assert_eq!(truth("a.done", 1, 1, 0), Truth::No);
        assert_eq!(truth("a.skipped", 0, 2, 0), Truth::Yes);
        assert_eq!(truth("a.failed", 0, 0, 1), Truth::Undecided);
        assert_eq!(truth("a.failed", 0, 0, 2), Truth::Yes);
        assert_eq!(truth("a.ended", 1, 0, 0), Truth::Undecided);
        assert_eq!(truth("a.ended", 1, 0, 1), Truth::Yes);
    }

    #[test]
    fn not_waits_until_its_operand_is_decided() {
        assert_eq!(truth("not a.failed", 0, 0, 0), Truth::Undecided);
        assert_eq!(truth("not a.failed", 1, 0, 0), Truth::Yes);
        assert_eq!(truth("not a.failed", 0, 0, 2), Truth::No);
    }

    #[test]
    fn a_stage_without_parts_has_not_failed() {
        assert_eq!(truth("b.done and b.skipped and b.ended", 0, 0, 0), Truth::Yes);
        assert_eq!(truth("b.failed", 0, 0, 0), Truth::No);
    }

    #[test]
    fn and_and_or_decide_as_soon_as_one_side_decides() {
        assert_eq!(truth("a.ended and b.failed", 0, 0, 0), Truth::No);
        assert_eq!(truth("a.ended or b.done", 0, 0, 0), Truth::Yes);
        assert_eq!(truth("a.ended or b.failed", 0, 0, 0), Truth::Undecided);
    }
}
