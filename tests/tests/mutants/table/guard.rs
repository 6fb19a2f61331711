//! Of the guard against items that kill, and the quiet in which suspects are tried.

use super::{HISTORIES, LANE, mutant};

pub const MUTANTS: &[super::Mutant] = &[
    mutant(
        LANE,
        "begins others beside a suspect that is given back, before the next owner is told",
        "kafka/src/lane/core/items.rs",
        "let is_blamed = !it.runs() && it.guard.is_blamed();",
        "let is_blamed = !it.runs() && it.guard.is_blamed() && it.in_flight > 0;",
    ),
    mutant(
        LANE,
        "forgets what a suspect says of itself while that is on its way",
        "kafka/src/lane/guard.rs",
        "(blames(self.lease) || blames(self.said.1))",
        "blames(self.lease)",
    ),
    mutant(
        LANE,
        "counts a death although the position moved",
        "kafka/src/lane/guard.rs",
        "Self::Progress => 0,",
        "Self::Progress => DEATH,",
    ),
    mutant(
        HISTORIES,
        "begins items before it has said that it is at work",
        "kafka/src/lane/guard.rs",
        "Lease::None | Lease::Waiting => false,",
        "Lease::None | Lease::Waiting => true,",
    ),
    mutant(
        HISTORIES,
        "blames a partition that waits for its turn",
        "kafka/src/lane/guard.rs",
        "Said::Waiting { eighths, through } => (eighths, through),",
        "Said::Waiting { eighths, through } => (eighths.saturating_add(DEATH), through),",
    ),
    mutant(
        HISTORIES,
        "never gives a killer up",
        "kafka/src/lane/guard.rs",
        "self.deaths() >= ALONE_AFTER.saturating_add(deaths_max)",
        "self.deaths() == u32::MAX && deaths_max == 0",
    ),
    mutant(
        LANE,
        "lets go of a suspicion with its partition",
        "kafka/src/lane/guard.rs",
        "Lease::None if eighths == 0 => return RELEASED.to_owned(),",
        "Lease::None => return RELEASED.to_owned(),",
    ),
    mutant(
        LANE,
        "never lets more begin than at first",
        "kafka/src/lane/guard.rs",
        "window.behind_unfinished(count + ended / PART)",
        "window.behind_unfinished(count)",
    ),
    mutant(
        LANE,
        "counts the death of an owner that had nothing to do",
        "kafka/src/lane/guard.rs",
        "let suspects = eighths > 0 && position < through;",
        "let suspects = eighths > 0;",
    ),
    mutant(
        LANE,
        "lets every sibling begin",
        "kafka/src/lane/siblings.rs",
        "let may = family.alone.is_none_or(|alone| alone == self.number);",
        "let may = true;",
    ),
];
