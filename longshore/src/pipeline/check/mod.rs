//! From a draft to a pipeline: every check, all problems at once.

mod handlers;
mod joins;
mod legal;
mod settle;
mod topics;
mod wiring;

use longshore_schemas::StageName;

use super::draft::PipelineDraft;
use super::problem::{Findings, Problems};
use super::shape::Pipeline;

/// What the program that runs a pipeline knows, and a pipeline may name.
pub struct Registered<'a> {
    /// The handlers of stages.
    pub handlers: &'a [&'a str],
    /// The gathers of joins.
    pub gathers: &'a [&'a str],
    /// The types of items, each with its schema.
    pub items: &'a [&'a str],
    /// Checks a join's `when`, given the stages of its `of`. The rule's language belongs to the
    /// coordinator; here it is text.
    pub when: fn(&str, &[StageName]) -> Result<(), String>,
}

impl PipelineDraft {
    /// Checks what was written and makes a pipeline of it.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn build(&self, registered: &Registered<'_>) -> Result<Pipeline, Problems> {
        check(self, registered, Findings::default())
    }
}

/// Checks a draft in which reading may have found problems already.
pub(super) fn check(
    draft: &PipelineDraft,
    registered: &Registered<'_>,
    mut findings: Findings,
) -> Result<Pipeline, Problems> {
    legal::check(draft, &mut findings);
    wiring::check(draft, &mut findings);
    joins::check(draft, &mut findings);
    handlers::check(draft, registered, &mut findings);
    let pipeline = settle::pipeline(draft, &mut findings);
    if findings.is_empty() {
        // Names of topics follow from all the others, so they are sound only now.
        topics::check(&pipeline, draft, &mut findings);
    }
    if findings.is_empty() {
        return Ok(pipeline);
    }
    Err(Problems {
        origin: draft.origin.clone(),
        list: findings.into_list(),
    })
}
