//! The stages of a join by number, so that a part need not carry its stage's name.

use longshore_schemas::{PartId, StageName};

use super::parts::Slot;

/// A stage's place in [`Stages`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StageIndex(u16);

impl StageIndex {
    pub(super) fn get(self) -> usize {
        usize::from(self.0)
    }
}

/// The stages of the join, then whatever else openings name: a pipeline file that no longer names a
/// stage must not lose the groups that were opened before.
#[derive(Debug)]
pub(super) struct Stages {
    names: Vec<StageName>,
    of: usize,
}

impl Stages {
    /// More than any join has; openings that name others without end are foreign.
    const MAX: usize = 1_000;

    pub(super) fn new(of: &[StageName]) -> Self {
        Self { names: of.to_vec(), of: of.len() }
    }

    pub(super) fn name(&self, index: StageIndex) -> &StageName {
        &self.names[index.get()]
    }

    pub(super) fn find(&self, name: &StageName) -> Option<StageIndex> {
        self.names.iter().position(|known| known == name).and_then(index)
    }

    /// The place of a part of the stage, if it is known.
    pub(super) fn slot(&self, stage: &StageName, part_id: PartId) -> Option<Slot> {
        self.find(stage).map(|stage| Slot { part_id, stage })
    }

    /// The stage's number, a new one if it has none; none once there are too many.
    pub(super) fn intern(&mut self, name: &StageName) -> Option<StageIndex> {
        if let Some(known) = self.find(name) {
            return Some(known);
        }
        if self.names.len() >= Self::MAX {
            return None;
        }
        self.names.push(name.clone());
        index(self.names.len() - 1)
    }

    /// The stages of the join's `of`.
    pub(super) fn of(&self) -> impl Iterator<Item = StageIndex> + use<> {
        (0..self.of).filter_map(index)
    }

    pub(super) fn is_of(&self, index: StageIndex) -> bool {
        index.get() < self.of
    }

    pub(super) fn of_count(&self) -> usize {
        self.of
    }

    pub(super) fn count(&self) -> usize {
        self.names.len()
    }
}

fn index(position: usize) -> Option<StageIndex> {
    u16::try_from(position).ok().map(StageIndex)
}
