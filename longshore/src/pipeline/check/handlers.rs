//! What a pipeline leaves to the program that runs it: handlers, gathers, types of items.

use longshore_handler::Takes;

use crate::pipeline::draft::{PipelineDraft, StageDraft, text};
use crate::pipeline::place::Placed;
use crate::pipeline::problem::{Findings, instead};

use super::wiring::SOURCE;
use super::{KnownItem, Registered};

pub(super) fn check(draft: &PipelineDraft, registered: &Registered<'_>, findings: &mut Findings) {
    let (gathers, handlers) = by_kind(registered);
    let items: Vec<&str> = registered.items.iter().map(|item| item.name).collect();
    if let Some(source) = &draft.source {
        findings.about("source");
        named(("schema", "item"), source.value.schema.as_ref(), &items, findings);
    }
    for (name, stage) in &draft.stages {
        findings.about(format!("stage `{}`", name.value));
        named(("handler", "handler"), stage.handler.as_ref(), &handlers, findings);
        fits(draft, stage, registered, findings);
    }
    for (name, join) in &draft.joins {
        findings.about(format!("join `{}`", name.value));
        named(("gather", "gather"), join.gather.as_ref(), &gathers, findings);
    }
}

/// The names of gathers, and those of the handlers of items.
fn by_kind<'a>(registered: &Registered<'a>) -> (Vec<&'a str>, Vec<&'a str>) {
    let handlers = registered.handlers.iter();
    let (gathers, handlers): (Vec<_>, Vec<_>) =
        handlers.partition(|handler| handler.takes == Takes::Group);
    let names = |of: Vec<&super::KnownHandler<'a>>| of.iter().map(|each| each.name).collect();
    (names(gathers), names(handlers))
}

fn named(
    (key, kind): (&str, &str),
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
        format!("`{key}: {0}`: no {kind} is registered as `{0}`; {remedy}", name.value),
    );
}

/// A handler that reads the source must take what the source holds: otherwise every item would be a
/// dead letter.
fn fits(
    draft: &PipelineDraft,
    stage: &StageDraft,
    registered: &Registered<'_>,
    findings: &mut Findings,
) {
    let Some((item, handler)) = of_source(draft, registered).zip(stage.handler.as_ref()) else {
        return;
    };
    let known = registered.handlers.iter().find(|known| known.name == handler.value);
    let reads_source = text(stage.from.as_ref()) == SOURCE;
    if let Some(Takes::Item { schema }) = known.map(|known| known.takes)
        && reads_source
        && schema != item.schema
    {
        let message = format!(
            "`handler: {}`: it takes `{schema}`, but the source holds `{}` (`schema: {}`); correct \
             one of them",
            handler.value, item.schema, item.name
        );
        findings.add(handler.place, message);
    }
}

fn of_source<'a>(
    draft: &PipelineDraft,
    registered: &'a Registered<'_>,
) -> Option<&'a KnownItem<'a>> {
    let schema = draft.source.as_ref()?.value.schema.as_ref()?;
    registered.items.iter().find(|item| item.name == schema.value)
}
