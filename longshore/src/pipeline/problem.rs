//! What is wrong with a pipeline: every problem at once, each with its place and a remedy.

use std::fmt;

use super::place::Place;

/// One thing that is wrong with a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub place: Place,
    /// What it is about, such as ``stage `price` ``; empty for the file as a whole.
    pub subject: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.subject.is_empty() {
            write!(f, "{}: ", self.subject)?;
        }
        f.write_str(&self.message)
    }
}

/// All that is wrong with a pipeline, in the order of its file, one line each:
/// ``orders.yaml:7:12: stage `price`: ...``.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problems {
    /// The file's name, as the user gave it; for a pipeline written in Rust the pipeline's name.
    pub origin: String,
    /// At least one.
    pub list: Vec<Problem>,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            match problem.place {
                Place::File { line, column } => write!(f, "{}:{line}:{column}: ", self.origin)?,
                Place::Code => write!(f, "{}: ", self.origin)?,
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

/// Collects problems about one subject after another.
#[derive(Debug, Default)]
pub(super) struct Findings {
    subject: String,
    list: Vec<Problem>,
}

impl Findings {
    /// What is found from now on is about this.
    pub(super) fn about(&mut self, subject: impl Into<String>) -> &mut Self {
        self.subject = subject.into();
        self
    }

    /// Adds a problem.
    pub(super) fn add(&mut self, place: Place, message: impl Into<String>) {
        let (subject, message) = (self.subject.clone(), message.into());
        self.list.push(Problem { place, subject, message });
    }

    /// Whether the value of this key of the subject was found unreadable: then it isn't missing.
    pub(super) fn tell_of(&self, key: &str) -> bool {
        let unreadable = format!("`{key}`: expected");
        self.list.iter().any(|problem| {
            problem.subject == self.subject && problem.message.starts_with(&unreadable)
        })
    }

    /// Whether nothing was found so far.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The problems in the order of their places, the first found first where places are equal.
    pub(super) fn into_list(mut self) -> Vec<Problem> {
        self.list.sort_by_key(|problem| problem.place);
        self.list
    }
}

/// The remedy for a name that isn't among the known ones: the one it resembles, or all of them.
pub(super) fn instead<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(name, &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "there are none".to_owned(),
        None => format!("known: {}", known.join(", ")),
    }
}

/// The known name that this one is most likely a slip of: at most a third of it differs.
pub(super) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let slips_max = (name.chars().count() / 3).max(1);
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), *candidate))
        .filter(|(slips, _)| *slips <= slips_max)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, candidate)| candidate)
}
