//! What a pipeline leaves to the program that runs it: handlers, gathers, types of items, rules.

use longshore_schemas::StageName;

use crate::pipeline::draft::{JoinDraft, PipelineDraft};
use crate::pipeline::place::Placed;
use crate::pipeline::problem::{Findings, instead};

use super::Registered;

pub(super) fn check(draft: &PipelineDraft, registered: &Registered<'_>, findings: &mut Findings) {
    if let Some(source) = &draft.source {
        findings.about("source");
        named(
            "schema",
            "item",
            source.value.schema.as_ref(),
            registered.items,
            findings,
        );
    }
    for (name, stage) in &draft.stages {
        findings.about(format!("stage `{}`", name.value));
        named(
            "handler",
            "handler",
            stage.handler.as_ref(),
            registered.handlers,
            findings,
        );
    }
    for (name, join) in &draft.joins {
        findings.about(format!("join `{}`", name.value));
        named(
            "gather",
            "gather",
            join.gather.as_ref(),
            registered.gathers,
            findings,
        );
        rule(join, registered, findings);
    }
}

fn named(
    key: &str,
    kind: &str,
    name: Option<&Placed<String>>,
    known: &[&str],
    findings: &mut Findings,
) {
    let Some(name) = name.filter(|name| !known.contains(&name.value.as_str())) else {
        return;
    };
    let remedy = instead(&name.value, known.iter().copied());
    findings.add(
        name.place,
        format!(
            "`{key}: {0}`: no {kind} is registered as `{0}`; {remedy}",
            name.value
        ),
    );
}

fn rule(join: &JoinDraft, registered: &Registered<'_>, findings: &mut Findings) {
    let (Some(of), Some(when)) = (&join.of, &join.when) else {
        return;
    };
    let of: Vec<StageName> = of
        .value
        .0
        .iter()
        .map(|stage| stage.value.as_str().into())
        .collect();
    if let Err(wrong) = (registered.when)(&when.value, &of) {
        findings.add(when.place, format!("`when: {}`: {wrong}", when.value));
    }
}
