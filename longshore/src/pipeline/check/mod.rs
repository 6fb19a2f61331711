//! From a draft to a pipeline: every check, all problems at once.

mod handlers;
mod joins;
mod legal;
mod rules;
mod settle;
mod topics;
mod wiring;

use longshore_handler::Takes;

use super::draft::PipelineDraft;
use super::problem::{Findings, Problems};
use super::shape::Pipeline;

/// What the program that runs a pipeline knows, and a pipeline may name.
#[derive(Clone, Debug, Default)]
pub struct Registered<'a> {
    /// The handlers of stages, and the gathers of joins.
    pub handlers: Vec<KnownHandler<'a>>,
    /// The types of items.
    pub items: Vec<KnownItem<'a>>,
}

/// A handler by its name.
#[derive(Clone, Copy, Debug)]
pub struct KnownHandler<'a> {
    /// The name under which it was registered.
    pub name: &'a str,
    /// What it takes: a handler of groups is a gather.
    pub takes: Takes,
}

/// A type of items by its name.
#[derive(Clone, Copy, Debug)]
pub struct KnownItem<'a> {
    /// The name under which it was registered.
    pub name: &'a str,
    /// Its schema's full name.
    pub schema: &'a str,
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
        rules::check(&pipeline, draft, &mut findings);
        // Names of topics follow from all the others, so they are sound only now.
        topics::check(&pipeline, draft, &mut findings);
    }
    if findings.is_empty() {
        return Ok(pipeline);
    }
    Err(Problems { origin: draft.origin.clone(), list: findings.into_list() })
}
