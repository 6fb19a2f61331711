//! What a pipeline may say but probably doesn't mean.

use longshore_kafka::lane::config::Ordering;

use crate::pipeline::shape::{Join, Pipeline, StageInput};

pub(super) fn of(pipeline: &Pipeline) -> Vec<String> {
    let hasty = pipeline.joins.iter().flat_map(|join| too_hasty(pipeline, join));
    unordered(pipeline).into_iter().chain(hasty).collect()
}

fn unordered(pipeline: &Pipeline) -> Option<String> {
    let by_key = pipeline
        .stages
        .iter()
        .find(|stage| stage.from == StageInput::Source && stage.ordering == Ordering::Key)?;
    let keyless = pipeline.source.key.is_none();
    keyless.then(|| {
        format!(
            "the source has no `key`, so stage `{}` handles its items in no order; name a key, or \
             say `ordering: none`",
            by_key.name
        )
    })
}

fn too_hasty<'a>(pipeline: &'a Pipeline, join: &'a Join) -> impl Iterator<Item = String> + 'a {
    let stages = join.rules.of.iter().filter_map(|name| pipeline.stage(name));
    stages.filter(|stage| stage.item_timeout > join.rules.timeout).map(|stage| {
        format!(
            "one attempt of stage `{}` may take {}, longer than join `{}` waits ({}), and its part \
             is late then; lower `item_timeout` or raise `timeout`",
            stage.name,
            humantime::format_duration(stage.item_timeout),
            join.name,
            humantime::format_duration(join.rules.timeout)
        )
    })
}
