//! The order of outputs: in each partition of a topic, those of a key must come as its items did.

use std::collections::HashMap;

use longshore_kafka::lane::config::Ordering;

use super::input::{Input, hash_of};

/// The last output of each key in each partition.
#[derive(Debug)]
pub(super) struct Order {
    ordering: Ordering,
    last: HashMap<u64, (i64, u32)>,
    /// Outputs that had to be in order.
    pub(super) checked: u64,
}

/// An output and the item that it was made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    /// A number that stands for the partition it is in.
    pub(super) lies_in: u64,
    /// The partition of its item.
    pub(super) partition: i32,
    /// The offset of its item.
    pub(super) offset: i64,
    /// The item's index from the log's start.
    pub(super) item: usize,
    /// Which of the item's outputs it is.
    pub(super) index: u32,
}

impl Order {
    pub(super) fn new(ordering: Ordering) -> Self {
        Self { ordering, last: HashMap::new(), checked: 0 }
    }

    /// Takes the next output of a partition. If it should have come earlier: the offset of the item
    /// before which.
    pub(super) fn take(&mut self, input: &Input, output: Output) -> Option<i64> {
        let key = match self.ordering {
            Ordering::None => return None,
            Ordering::Partition => 0,
            Ordering::Key => input.key(output.partition, output.item)?,
        };
        self.checked += 1;
        let line = hash_of((output.lies_in, output.partition, key));
        let this = (output.offset, output.index);
        let last = self.last.entry(line).or_insert(this);
        if this < *last {
            return Some(last.0);
        }
        *last = this;
        None
    }
}
