//! The rules of a join: what completes a group, and what becomes of parts that don't fit.

use std::time::Duration;

use longshore_schemas::StageName;
use serde::Deserialize;
use thiserror::Error;

use super::share::Tolerance;
use super::when::When;

/// All that decides how a join gathers. A change acts once, at the next [`super::Gather::resume`].
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// The stages whose parts are gathered.
    pub of: Vec<StageName>,
    /// When a group is complete.
    pub when: When,
    /// How much may go wrong.
    pub tolerate: Tolerate,
    /// What a FAILED part does to its group.
    pub on_failed: OnFailed,
    /// What a group comes to at its deadline.
    pub on_timeout: OnTimeout,
    /// What becomes of a late part.
    pub late: OnLate,
    /// The join's timeout: the longest life of a group. A part of an unknown group is expired when
    /// its `opened_at` lies this far behind the watermark.
    pub timeout: Duration,
    /// How long a part of an unknown, not yet expired group waits for its opening.
    pub orphan_timeout: Duration,
    /// How long, by the watermark, a closed group is remembered.
    pub closed_retention: Duration,
    /// How many closed groups are remembered; the one closed first is forgotten first.
    pub closed_marks_max: usize,
    /// The most parts that a group may expect, all its stages together.
    pub parts_max: u32,
    /// The most bytes that open groups and waiting parts may take in memory; see
    /// [`super::Gather::room_for`].
    pub open_bytes_max: usize,
    /// The most bytes of payloads that may be moved out of memory into a file; none if it is zero.
    pub spill_bytes_max: usize,
    /// The longest tail of the inbox that a replay should have to read, in offsets; see
    /// [`super::Gather::carry`].
    pub replay_max: i64,
    /// The greatest age that the oldest record of that tail should have.
    pub replay_age_max: Duration,
}

/// How much may go wrong before a group is FAILED. Where a bound is given it decides alone; where
/// none is given, `on_failed` and `on_timeout` do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tolerate {
    /// FAILED parts.
    pub failed: Option<Tolerance>,
    /// Parts that have not ended at the deadline.
    pub missing: Option<Tolerance>,
}

/// What a FAILED part does to its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailed {
    /// It is handed to the gather like any other.
    Include,
    /// It is counted, and kept from the gather.
    Drop,
    /// The group closes as FAILED as soon as more parts failed than are tolerated, and its other
    /// parts are called off.
    FailFast,
}

/// What a group comes to at its deadline, when parts are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnTimeout {
    /// A result of what is there.
    Partial,
    /// A FAILED result.
    Fail,
}

/// What becomes of a part that its group waited for in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnLate {
    /// It goes to the join's late topic.
    Topic,
    /// It is counted and dropped.
    Drop,
}

impl Rules {
    /// Whether the rules can ever complete a group.
    ///
    /// # Errors
    /// The first contradiction found, in the words of the pipeline file.
    pub fn check(&self) -> Result<(), RulesError> {
        if self.of.is_empty() {
            return Err(RulesError::NoStages);
        }
        if let Some(twice) = (1..self.of.len()).find(|&i| self.of[..i].contains(&self.of[i])) {
            return Err(RulesError::StageTwice { stage: self.of[twice].clone() });
        }
        if let When::Stages(expr) = &self.when
            && let Some(unknown) = expr.stages().into_iter().find(|stage| !self.of.contains(stage))
        {
            return Err(RulesError::UnknownStage { stage: unknown.clone() });
        }
        match self.when {
            When::Quorum(parts) if parts > self.parts_max => {
                Err(RulesError::QuorumBeyondParts { quorum: parts, parts_max: self.parts_max })
            }
            _ => Ok(()),
        }
    }
}

/// Rules that contradict themselves.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RulesError {
    /// `of` is empty.
    #[error("`of` names no stage: name the stages whose parts the join gathers")]
    NoStages,
    /// `of` names a stage twice.
    #[error("`of` names stage `{stage}` twice: name it once")]
    StageTwice {
        /// The stage.
        stage: StageName,
    },
    /// `when` names a stage that the join doesn't gather.
    #[error("`when` names stage `{stage}`, which is not in `of`: add it there or correct its name")]
    UnknownStage {
        /// The stage.
        stage: StageName,
    },
    /// `quorum(k)` can never be met.
    #[error("`when` asks for {quorum} parts, but a group has at most {parts_max} (`parts_max`)")]
    QuorumBeyondParts {
        /// The parts asked for.
        quorum: u32,
        /// The parts allowed.
        parts_max: u32,
    },
}
