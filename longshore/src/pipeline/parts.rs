//! Which stages handle the parts of which joins.

use longshore_schemas::StageName;

use super::shape::{Join, Pipeline, Stage, StageInput};

impl Pipeline {
    /// The stages of a join's `of` whose part ends when an item of this stage is given up or left
    /// out: the stage itself if the join waits for it, those behind it if it lies before them. None
    /// if its items are no parts of the join's groups.
    pub fn part_stages<'a>(&'a self, stage: &'a Stage, join: &'a Join) -> Vec<&'a StageName> {
        let opener = |ancestor: &&Stage| {
            ancestor.fan_out.as_ref().is_some_and(|fan_out| fan_out.join == join.name)
        };
        let passes = |of: &&StageName| {
            let way = self.stage(of).into_iter().flat_map(|of| self.lineage(of));
            way.take_while(|each| !opener(each)).any(|each| each.name == stage.name)
        };
        join.rules.of.iter().filter(passes).collect()
    }

    /// A stage, the stage it reads, and so on up to the source.
    fn lineage<'a>(&'a self, stage: &'a Stage) -> impl Iterator<Item = &'a Stage> {
        std::iter::successors(Some(stage), |stage| match &stage.from {
            StageInput::Source => None,
            StageInput::Stage(from) => self.stage(from),
        })
    }
}
