//! The lane's pure core: what it holds, what may begin, what goes into the next transaction. No
//! clock, no I/O: time and events come in as values.

mod batch;
mod ended;
mod items;
mod ownership;

use std::collections::BTreeMap;

use super::config::LaneConfig;
use super::partition::Owned;
use super::ready::Ready;
use super::step::Epoch;
use crate::Partition;

use ended::Ended;

pub use batch::Batch;
pub use items::Reception;
pub use ownership::Discarded;

/// Everything a lane holds.
#[derive(Debug)]
pub struct Core {
    config: LaneConfig,
    partitions: BTreeMap<Partition, Owned>,
    ready: Ready,
    /// Items that the component works on, in all partitions: looked at for every item.
    in_flight: usize,
    /// Bytes of all items and outcomes that are held: looked at for every record.
    held_bytes: usize,
    ended: Ended,
    epochs: u64,
    batch_items_max: usize,
    /// Which partition is asked first for its next item, so that none is favored.
    turn: Partition,
    /// The only partition whose items may begin, if there is one.
    suspect: Option<Partition>,
}

impl Core {
    /// Holds nothing.
    pub fn new(config: LaneConfig) -> Self {
        let batch_items_max = config.limits.batch_items_max;
        Self {
            config,
            partitions: BTreeMap::new(),
            ready: Ready::new(),
            in_flight: 0,
            held_bytes: 0,
            ended: Ended::default(),
            epochs: 0,
            batch_items_max,
            turn: Partition(0),
            suspect: None,
        }
    }

    /// Every partition that is owned.
    pub fn partitions(&self) -> impl Iterator<Item = &Owned> {
        self.partitions.values()
    }

    /// A partition, if it is owned.
    pub fn partition(&self, partition: Partition) -> Option<&Owned> {
        self.partitions.get(&partition)
    }

    /// Items that the component works on.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Whether nothing is at work that could kill the process.
    pub fn rests(&self) -> bool {
        self.partitions.values().all(|owned| self.rests_in(owned))
    }

    /// Bytes of all items and outcomes that are held.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Outcomes that wait for their transaction.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    fn owned(&mut self, partition: Partition, epoch: Epoch) -> Option<&mut Owned> {
        self.partitions.get_mut(&partition).filter(|owned| owned.epoch == epoch)
    }
}

#[cfg(test)]
mod tests;
