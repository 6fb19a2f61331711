//! The order of outputs: in each partition of a topic, those of a key must come as its items did.

use super::facts::{Line, Output};

/// Takes outputs line by line, each line in the order of its offsets.
#[derive(Debug, Default)]
pub(super) struct Order {
    line: Option<Line>,
    last: (i64, u32),
}

impl Order {
    /// Takes the next output. If it should have come earlier: the offset of the item before which.
    pub(super) fn take(&mut self, output: &Output) -> Option<i64> {
        let this = (output.item, output.index);
        if self.line.replace(output.line) == Some(output.line) && this < self.last {
            return Some(self.last.0);
        }
        self.last = this;
        None
    }
}
