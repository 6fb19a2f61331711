//! How far a program has come in what it reads.

use anyhow::Result;
use longshore::kafka::admin::{GroupProgress, Stability};
use longshore::schemas::TopicName;

use crate::contestant::Run;
use crate::ground::{Ground, PARTITIONS};

/// The committed positions of a program.
pub(crate) struct Progress {
    group: GroupProgress,
    topic: TopicName,
}

impl Progress {
    /// That of a run, whether it has begun or not.
    pub(crate) fn open(ground: &Ground, run: &Run<'_>) -> Result<Self> {
        let group = GroupProgress::open(ground.settings(), &run.group())?;
        Ok(Self { group, topic: run.from() })
    }

    /// The position in each partition, as it stands now.
    pub(crate) fn positions(&self) -> Result<Vec<i64>> {
        self.read(Stability::AsWritten)
    }

    /// The position in each partition once every open transaction has ended.
    pub(crate) fn stable(&self) -> Result<Vec<i64>> {
        self.read(Stability::Stable)
    }

    /// Records before the positions, of a topic that begins at 0 and has no gaps.
    pub(crate) fn done(&self) -> Result<i64> {
        Ok(self.positions()?.into_iter().sum())
    }

    fn read(&self, stability: Stability) -> Result<Vec<i64>> {
        let mut positions = vec![0; usize::try_from(PARTITIONS)?];
        for (partition, committed) in self.group.read(&self.topic, stability)? {
            if let Some(committed) = committed {
                positions[usize::try_from(partition.0)?] = committed.offset.0;
            }
        }
        Ok(positions)
    }
}
