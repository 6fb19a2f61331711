//! Which stages and joins run in this process: one lane each.

use crate::CommandError;
use crate::pipeline::{Join, Pipeline, Stage};

/// The stages and joins of one process.
pub(crate) struct Lanes<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) stages: Vec<&'a Stage>,
    pub(super) joins: Vec<&'a Join>,
}

impl<'a> Lanes<'a> {
    /// All of a pipeline.
    pub(crate) fn all(pipeline: &'a Pipeline) -> Self {
        Self {
            pipeline,
            stages: pipeline.stages().iter().collect(),
            joins: pipeline.joins().iter().collect(),
        }
    }

    /// These stages, or all of them if none is named.
    pub(crate) fn stages(pipeline: &'a Pipeline, names: &[String]) -> Result<Self, CommandError> {
        let known = pipeline.stages().iter().map(|stage| (stage.name.as_str(), stage));
        Ok(Self {
            stages: chosen("--stage", names, &known.collect::<Vec<_>>())?,
            joins: Vec::new(),
            pipeline,
        })
    }

    /// These joins, or all of them if none is named.
    pub(crate) fn joins(pipeline: &'a Pipeline, names: &[String]) -> Result<Self, CommandError> {
        let known = pipeline.joins().iter().map(|join| (join.name.as_str(), join));
        Ok(Self {
            joins: chosen("--join", names, &known.collect::<Vec<_>>())?,
            stages: Vec::new(),
            pipeline,
        })
    }

    /// How many lanes these are.
    pub(super) fn count(&self) -> usize {
        self.stages.len() + self.joins.len()
    }
}

fn chosen<'a, T>(
    option: &'static str,
    names: &[String],
    known: &[(&str, &'a T)],
) -> Result<Vec<&'a T>, CommandError> {
    if names.is_empty() {
        return Ok(known.iter().map(|(_, each)| *each).collect());
    }
    // One that is named twice runs once: the pipeline's order, not that of the options.
    for name in names {
        if !known.iter().any(|(known, _)| known == name) {
            let known: Vec<_> = known.iter().map(|(name, _)| *name).collect();
            return Err(CommandError::UnknownName {
                option,
                name: name.clone(),
                remedy: match known.is_empty() {
                    true => format!("the pipeline has no {}", option.trim_start_matches('-')),
                    false => format!("the pipeline has {}", known.join(", ")),
                },
            });
        }
    }
    let named = known.iter().filter(|(known, _)| names.iter().any(|name| name == known));
    Ok(named.map(|(_, each)| *each).collect())
}
