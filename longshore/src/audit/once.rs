//! Which outputs of an input's items have been seen in a topic: each may be seen once.

use std::collections::{BTreeMap, HashSet};

use super::bits::Bits;

/// The outputs that have been seen, by item and index.
#[derive(Debug, Default)]
pub(super) struct Once {
    /// Most items have one output, of index 0: one bit each.
    first: BTreeMap<i32, Bits>,
    further: HashSet<(i32, usize, u32)>,
}

impl Once {
    /// Takes note of one. Whether it is the first of its kind.
    pub(super) fn see(&mut self, partition: i32, item: usize, output: u32) -> bool {
        match output {
            0 => self.first.entry(partition).or_default().insert(item),
            _ => self.further.insert((partition, item, output)),
        }
    }
}
