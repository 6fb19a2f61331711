//! The committed progress of a partition, watched from commit to commit.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use longshore_kafka::lane::broker::Committed;
use longshore_kafka::lane::progress::Metadata;
use longshore_kafka::{Offset, Partition};

/// Committed progress as it was seen last, and who had committed by then.
#[derive(Default)]
pub(crate) struct Progress {
    last: Option<(Committed, Metadata)>,
    /// The number of each owner's last commit.
    commits: BTreeMap<String, u64>,
}

impl Progress {
    /// Whether an item is finished.
    pub(crate) fn is_finished(&self, offset: Offset) -> bool {
        self.last.as_ref().is_some_and(|(committed, metadata)| {
            offset < committed.offset || metadata.finished.contains(offset)
        })
    }

    /// Takes note of what is committed now. EO-5, and EO-7: an owner's commits come in their order.
    pub(crate) fn see(&mut self, partition: Partition, committed: Committed) -> Result<()> {
        if self.last.as_ref().is_some_and(|(last, _)| *last == committed) {
            return Ok(());
        }
        let metadata = Metadata::parse(&committed.metadata, committed.offset)
            .with_context(|| format!("the metadata of {partition} can't be used"))?
            .with_context(|| format!("the metadata of {partition} isn't ours"))?;
        self.goes_on(committed.offset, &metadata).with_context(|| format!("EO-5: {partition}"))?;
        let Metadata { owner, seq, .. } = &metadata;
        let before = self.commits.insert(owner.clone(), *seq);
        ensure!(
            before < Some(*seq),
            "EO-7: {partition}: {owner} committed its {seq} after {before:?}"
        );
        self.last = Some((committed, metadata));
        Ok(())
    }

    /// The position doesn't go back, and what was finished is.
    fn goes_on(&self, position: Offset, metadata: &Metadata) -> Result<()> {
        let Some((last, before)) = &self.last else {
            return Ok(());
        };
        ensure!(last.offset <= position, "it went back from {} to {position}", last.offset);
        for (from, to) in before.finished.ranges() {
            let ahead = (from.0..to.0).map(Offset).filter(|it| *it >= position);
            for offset in ahead {
                if !metadata.finished.contains(offset) {
                    bail!("{offset} was finished and isn't any more");
                }
            }
        }
        Ok(())
    }
}
