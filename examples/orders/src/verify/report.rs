//! The verdict, short enough to read.

use std::fmt;

/// Differences named of one check; more are only counted.
const PROBLEMS_SHOWN: usize = 10;

/// One expected set and what was found of it.
#[derive(Clone, Debug)]
pub struct Check {
    /// What is checked.
    pub name: &'static str,
    /// How many there must be.
    pub expected: usize,
    /// How many there are.
    pub found: usize,
    /// The first differences.
    pub problems: Vec<String>,
    /// All differences, counted.
    pub problems_total: usize,
}

impl Check {
    /// Nothing is found yet.
    pub fn new(name: &'static str, expected: usize) -> Self {
        Self { name, expected, found: 0, problems: Vec::new(), problems_total: 0 }
    }

    /// Something differs.
    pub fn problem(&mut self, text: String) {
        self.problems_total += 1;
        if self.problems.len() < PROBLEMS_SHOWN {
            self.problems.push(text);
        }
    }

    /// Whether exactly what is expected was found.
    pub fn is_met(&self) -> bool {
        self.expected == self.found && self.problems_total == 0
    }
}

/// All checks of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// In data's way.
    pub checks: Vec<Check>,
}

impl Report {
    /// Whether every expected set is met exactly.
    pub fn is_met(&self) -> bool {
        self.checks.iter().all(Check::is_met)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            let mark = if check.is_met() { "ok  " } else { "FAIL" };
            writeln!(f, "{mark} {:>6} of {:>6}  {}", check.found, check.expected, check.name)?;
            for problem in &check.problems {
                writeln!(f, "         {problem}")?;
            }
            let more = check.problems_total - check.problems.len();
            if more > 0 {
                writeln!(f, "         and {more} more")?;
            }
        }
        Ok(())
    }
}
