//! Whether each join's rules can complete a group at all.

use crate::pipeline::draft::PipelineDraft;
use crate::pipeline::problem::Findings;
use crate::pipeline::shape::Pipeline;

pub(super) fn check(pipeline: &Pipeline, draft: &PipelineDraft, findings: &mut Findings) {
    for (join, (name, draft)) in pipeline.joins.iter().zip(&draft.joins) {
        // What can be wrong with rules whose stages are sound is wrong with `when`.
        let place = draft.when.as_ref().map_or(name.place, |when| when.place);
        if let Err(wrong) = join.rules.check() {
            findings.about(format!("join `{}`", join.name));
            findings.add(place, wrong.to_string());
        }
    }
}
