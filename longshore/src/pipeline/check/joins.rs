//! Whether each join is opened by one stage and fed by exactly the stages it waits for.

use crate::pipeline::draft::{FanOutDraft, JoinDraft, PipelineDraft, StageDraft, names, text};
use crate::pipeline::place::{Place, Placed};
use crate::pipeline::problem::{Findings, instead};

use super::wiring::{SOURCE, ancestors, kind_of};

pub(super) fn check(draft: &PipelineDraft, findings: &mut Findings) {
    for (name, stage) in &draft.stages {
        findings.about(format!("stage `{}`", name.value));
        if let Some(fan_out) = &stage.fan_out {
            target(draft, &fan_out.value, findings);
        }
        if let Some(to) = &stage.to {
            listed(draft, &name.value, to, findings);
        }
    }
    for (name, join) in &draft.joins {
        findings.about(format!("join `{}`", name.value));
        let opener = opener(draft, name, findings);
        listed_once(join, findings);
        for stage in stages_of(join) {
            fed_by(draft, &name.value, stage, findings);
            if let Some(opener) = opener {
                descends(draft, stage, opener, findings);
            }
        }
        results(draft, join, findings);
    }
}

fn target(draft: &PipelineDraft, fan_out: &FanOutDraft, findings: &mut Findings) {
    let Some(join) = &fan_out.join else {
        return;
    };
    if draft.join_named(&join.value).is_none() {
        let remedy = instead(&join.value, names(&draft.joins));
        let message = format!("`join: {0}`: there is no join `{0}`; {remedy}", join.value);
        findings.add(join.place, message);
    }
}

/// A stage that writes to a join must be one that the join waits for.
fn listed(draft: &PipelineDraft, stage: &str, to: &Placed<String>, findings: &mut Findings) {
    let of = draft.join_named(&to.value).map_or(&[][..], stages_of);
    // An empty list, and one with a name of no stage, are problems of their own.
    let sound = !of.is_empty() && of.iter().all(|of| draft.stage_named(&of.value).is_some());
    if sound && of.iter().all(|listed| listed.value != stage) {
        let message =
            format!("`to: {}`: that join's `of` doesn't list `{stage}`; add it", to.value);
        findings.add(to.place, message);
    }
}

/// The one stage that opens the join's groups.
fn opener<'a>(
    draft: &'a PipelineDraft,
    name: &Placed<String>,
    findings: &mut Findings,
) -> Option<&'a str> {
    let join = |fan_out: &'a Placed<FanOutDraft>| fan_out.value.join.as_ref();
    let openers: Vec<(&str, Place)> = draft
        .stages
        .iter()
        .filter_map(|(stage, draft)| Some((stage, draft.fan_out.as_ref().and_then(join)?)))
        .filter(|(_, join)| join.value == name.value)
        .map(|(stage, join)| (stage.value.as_str(), join.place))
        .collect();
    match openers[..] {
        [(opener, _)] => Some(opener),
        [] if aimless(draft) => None,
        [] => {
            let message = format!(
                "no stage fans out to it; give the stage that makes its parts a \
                 `fan_out: {{parts: <name>, join: {}}}`",
                name.value
            );
            findings.add(name.place, message);
            None
        }
        [(first, _), (second, place), ..] => {
            let message = format!(
                "`{first}` and `{second}` both fan out to it, but its groups are opened by one \
                 stage; give each a join of its own"
            );
            findings.add(place, message);
            None
        }
    }
}

/// Whether some stage fans out to no join that there is: that is the problem then.
fn aimless(draft: &PipelineDraft) -> bool {
    let mut fan_outs = draft.stages.iter().filter_map(|(_, stage)| stage.fan_out.as_ref());
    fan_outs.any(|fan_out| draft.join_named(text(fan_out.value.join.as_ref())).is_none())
}

fn stages_of(join: &JoinDraft) -> &[Placed<String>] {
    join.of.as_ref().map_or(&[], |of| of.value.0.as_slice())
}

fn listed_once(join: &JoinDraft, findings: &mut Findings) {
    let stages = stages_of(join);
    for (index, stage) in stages.iter().enumerate() {
        if stages[..index].iter().any(|earlier| earlier.value == stage.value) {
            findings.add(stage.place, format!("`of` lists `{}` twice; remove one", stage.value));
        }
    }
}

fn fed_by(draft: &PipelineDraft, join: &str, stage: &Placed<String>, findings: &mut Findings) {
    let name = stage.value.as_str();
    match draft.stage_named(name) {
        None => {
            let remedy = instead(name, names(&draft.stages));
            findings.add(stage.place, format!("`of`: there is no stage `{name}`; {remedy}"));
        }
        Some(fed) if elsewhere(draft, fed, join) => {
            let message = format!(
                "`of` lists `{name}`, which doesn't write to this join; give that stage \
                 `to: {join}`"
            );
            findings.add(stage.place, message);
        }
        Some(_) => {}
    }
}

/// Whether a stage writes elsewhere than to this join; a `to` that leads nowhere is a problem of
/// its own.
fn elsewhere(draft: &PipelineDraft, stage: &StageDraft, join: &str) -> bool {
    let to = text(stage.to.as_ref());
    to != join && (stage.to.is_none() || kind_of(draft, to).is_some())
}

/// Parts reach a stage of `of` only from the stage that opened their group.
fn descends(draft: &PipelineDraft, stage: &Placed<String>, opener: &str, findings: &mut Findings) {
    let name = stage.value.as_str();
    let way = ancestors(draft, name);
    // Where the way to the source is broken, that is the problem.
    let top = way.last().copied().unwrap_or(name);
    let from = draft.stage_named(top).map_or("", |stage| text(stage.from.as_ref()));
    if from == SOURCE && !way.contains(&opener) {
        let message = format!(
            "`of` lists `{name}`, which no part of `{opener}` can reach; let it read `{opener}`, \
             or a stage behind it"
        );
        findings.add(stage.place, message);
    }
}

fn results(draft: &PipelineDraft, join: &JoinDraft, findings: &mut Findings) {
    let Some(into) = &join.into else {
        return;
    };
    if !draft.has_sink(&into.value) {
        let remedy = instead(&into.value, names(&draft.sinks));
        let message = format!("`into: {0}`: there is no sink `{0}`; {remedy}", into.value);
        findings.add(into.place, message);
    }
}
