//! Whether the names that end up in topics are made of what Kafka takes.

use crate::pipeline::draft::PipelineDraft;
use crate::pipeline::place::Placed;
use crate::pipeline::problem::Findings;

pub(super) fn check(draft: &PipelineDraft, findings: &mut Findings) {
    findings.about("");
    legal(draft.name.as_ref(), findings);
    if let Some(source) = &draft.source {
        findings.about("source");
        legal(source.value.topic.as_ref(), findings);
        legal(source.value.cursors.as_ref(), findings);
    }
    for (name, _) in &draft.stages {
        findings.about(format!("stage `{}`", name.value));
        legal(Some(name), findings);
    }
    for (name, _) in &draft.joins {
        findings.about(format!("join `{}`", name.value));
        legal(Some(name), findings);
    }
    for (name, sink) in &draft.sinks {
        findings.about(format!("sink `{}`", name.value));
        legal(sink.topic.as_ref(), findings);
    }
}

/// Kafka's rule (`org.apache.kafka.common.internals.Topic`), its limit of length aside: that holds
/// for whole names of topics.
fn legal(name: Option<&Placed<String>>, findings: &mut Findings) {
    let Some(name) = name else {
        return;
    };
    let taken = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let text = name.value.as_str();
    if !text.chars().all(taken) || matches!(text, "" | "." | "..") {
        let message = format!(
            "`{text}` can't be part of a topic's name; use letters, digits, `.`, `_` and `-`"
        );
        findings.add(name.place, message);
    }
}
