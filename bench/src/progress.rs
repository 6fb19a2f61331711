//! How far a program has come in what it reads.

use std::thread;
use std::time::Instant;

use anyhow::{Result, ensure};
use longshore::kafka::admin::{GroupProgress, Stability};
use longshore::schemas::TopicName;

use crate::contestant::Run;
use crate::ground::{Ground, LEFT_MAX, LOOK_EVERY, PARTITIONS};

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

    /// Waits until nobody is in the group any more: who joins it then waits for nobody.
    pub(crate) fn await_left(&self) -> Result<()> {
        let deadline = Instant::now() + LEFT_MAX;
        while self.group.describe()?.is_some_and(|group| !group.members.is_empty()) {
            ensure!(Instant::now() < deadline, "it is in its group {LEFT_MAX:?} after its end");
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
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
