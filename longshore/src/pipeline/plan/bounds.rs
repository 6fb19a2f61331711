//! How much a join may take of the process that runs it.

use std::fmt;

use serde::Serialize;

use crate::pipeline::shape::{Join, Pipeline};

/// The bounds of a join, each for one partition of its inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JoinBounds {
    /// The join.
    pub join: String,
    /// Bytes of memory that its open groups take.
    pub open_bytes_max: usize,
    /// Bytes of a temporary file that their payloads take beyond that.
    pub spill_bytes_max: usize,
    /// Inbox records that a restart replays.
    pub replay_max: i64,
}

pub(super) fn of(pipeline: &Pipeline) -> Vec<JoinBounds> {
    let bounds = |join: &Join| JoinBounds {
        join: join.name.clone(),
        open_bytes_max: join.rules.open_bytes_max,
        spill_bytes_max: join.rules.spill_bytes_max,
        replay_max: join.rules.replay_max,
    };
    pipeline.joins.iter().map(bounds).collect()
}

impl fmt::Display for JoinBounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { join, open_bytes_max, spill_bytes_max, replay_max } = self;
        let (open, spill) = (size(*open_bytes_max), size(*spill_bytes_max));
        write!(f, "join `{join}`: open_bytes_max={open} spill_bytes_max={spill} ")?;
        write!(f, "replay_max={replay_max}, for each partition of its inbox")
    }
}

/// In the largest unit that leaves a whole number, as the file takes it.
fn size(bytes: usize) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let whole = |(shift, _): &&(u32, _)| bytes > 0 && bytes.is_multiple_of(1 << shift);
    match units.iter().find(whole) {
        Some((shift, unit)) => format!("{}{unit}", bytes >> shift),
        None => format!("{bytes}B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_written_as_the_file_takes_it() {
        let sizes = [0, 1, 1_000, 1_024, 1_536 << 20, 256 << 20, 3 << 30].map(size);
        assert_eq!(sizes, ["0B", "1B", "1000B", "1KiB", "1536MiB", "256MiB", "3GiB"]);
    }
}
