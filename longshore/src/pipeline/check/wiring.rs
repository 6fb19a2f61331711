//! How the sections of a pipeline hang together: names that lead somewhere, no name for two things,
//! no circle.

use std::collections::BTreeMap;

use crate::pipeline::draft::{PipelineDraft, StageDraft, names, text};
use crate::pipeline::place::Placed;
use crate::pipeline::problem::{Findings, instead};

/// The name by which stages call the pipeline's source.
pub(super) const SOURCE: &str = "source";

pub(super) fn check(draft: &PipelineDraft, findings: &mut Findings) {
    unique(draft, findings);
    for (name, stage) in &draft.stages {
        findings.about(format!("stage `{}`", name.value));
        if let Some(from) = &stage.from {
            input(draft, from, findings);
        }
        if let Some(to) = &stage.to {
            output(draft, stage, to, findings);
        }
    }
    circles(draft, findings);
    idle_sinks(draft, findings);
}

/// One name, one thing: stages, joins and sinks are all named by others, and all name topics.
fn unique(draft: &PipelineDraft, findings: &mut Findings) {
    let mut taken = BTreeMap::from([(SOURCE, "the source")]);
    let stages = draft.stages.iter().map(|(name, _)| ("stage", "a stage", name));
    let joins = draft.joins.iter().map(|(name, _)| ("join", "a join", name));
    let sinks = draft.sinks.iter().map(|(name, _)| ("sink", "a sink", name));
    for (kind, owner, name) in stages.chain(joins).chain(sinks) {
        match taken.get(name.value.as_str()) {
            None => {
                taken.insert(&name.value, owner);
            }
            Some(owner) => {
                findings.about(format!("{kind} `{}`", name.value));
                findings.add(name.place, format!("{owner} has this name already; choose another"));
            }
        }
    }
}

fn input(draft: &PipelineDraft, from: &Placed<String>, findings: &mut Findings) {
    let name = from.value.as_str();
    if name == SOURCE {
        return;
    }
    if let Some(stage) = draft.stage_named(name) {
        if let Some(to) = &stage.to {
            let message = format!(
                "`from: {name}`: that stage writes to `{}`, so it has no topic of its own to read; \
                 read another stage or remove its `to`",
                to.value
            );
            findings.add(from.place, message);
        }
        return;
    }
    let message = match kind_of(draft, name) {
        Some(kind) => {
            format!("`from: {name}`: `{name}` is a {kind}; a stage reads `source` or another stage")
        }
        None => {
            let known = std::iter::once(SOURCE).chain(names(&draft.stages));
            format!("`from: {name}`: there is no stage `{name}`; {}", instead(name, known))
        }
    };
    findings.add(from.place, message);
}

fn output(draft: &PipelineDraft, stage: &StageDraft, to: &Placed<String>, findings: &mut Findings) {
    let name = to.value.as_str();
    if stage.fan_out.is_some() {
        let message = format!(
            "`to: {name}`: a stage that fans out writes its parts to its own topic and opens their \
             group by itself; remove `to`"
        );
        findings.add(to.place, message);
    } else if draft.stage_named(name).is_some() {
        let message = format!(
            "`to: {name}`: `{name}` is a stage; remove `to` and let that stage say where it reads, \
             in its `from`"
        );
        findings.add(to.place, message);
    } else if kind_of(draft, name).is_none() {
        let known = names(&draft.joins).chain(names(&draft.sinks));
        let remedy = instead(name, known);
        findings
            .add(to.place, format!("`to: {name}`: there is no join or sink `{name}`; {remedy}"));
    }
}

/// What has this name, of what stages can write to.
pub(super) fn kind_of(draft: &PipelineDraft, name: &str) -> Option<&'static str> {
    match (draft.join_named(name), draft.has_sink(name)) {
        (Some(_), _) => Some("join"),
        (None, true) => Some("sink"),
        (None, false) => None,
    }
}

/// The stages that a stage descends from, nearest first, up to the source, to where the way breaks
/// off, or once around a circle.
pub(super) fn ancestors<'a>(draft: &'a PipelineDraft, name: &'a str) -> Vec<&'a str> {
    let mut way: Vec<&str> = Vec::new();
    let mut at = name;
    while let Some(stage) = draft.stage_named(at) {
        at = text(stage.from.as_ref());
        if way.contains(&at) || draft.stage_named(at).is_none() {
            break;
        }
        way.push(at);
    }
    way
}

/// Every circle once, at the first of its stages in the file.
fn circles(draft: &PipelineDraft, findings: &mut Findings) {
    let mut told: Vec<&str> = Vec::new();
    for (name, stage) in &draft.stages {
        let way = ancestors(draft, &name.value);
        let closing = way.iter().position(|ancestor| *ancestor == name.value);
        let (Some(closing), Some(from)) = (closing, &stage.from) else {
            continue;
        };
        if told.contains(&name.value.as_str()) {
            continue;
        }
        let circle = &way[..=closing];
        told.extend(circle);
        findings.about(format!("stage `{}`", name.value));
        let message = format!(
            "stages read one another in a circle: {} <- {}; let one of them read `source`",
            name.value,
            circle.join(" <- ")
        );
        findings.add(from.place, message);
    }
}

/// A sink that nothing writes to is a slip: its topic would stay empty for ever.
fn idle_sinks(draft: &PipelineDraft, findings: &mut Findings) {
    let stages = draft.stages.iter().filter_map(|(_, stage)| stage.to.as_ref());
    let joins = draft.joins.iter().map(|(_, join)| text(join.into.as_ref()));
    let written: Vec<&str> = stages.map(|to| to.value.as_str()).chain(joins).collect();
    if written.iter().any(|name| kind_of(draft, name).is_none()) {
        return; // Whoever writes nowhere may have meant this sink.
    }
    for (name, _) in &draft.sinks {
        if !written.contains(&name.value.as_str()) {
            findings.about(format!("sink `{}`", name.value));
            let message = "nothing writes to it; name it in a stage's `to` or a join's `into`, or \
                           remove it";
            findings.add(name.place, message);
        }
    }
}
