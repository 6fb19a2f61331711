//! The passing of time, written where nothing else is.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Moves the watermark of an inbox partition by its own append time, so that deadlines fire when
/// nothing else arrives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// The owner's clock when it wrote this: far from the append time, a clock is wrong.
    pub at: Timestamp,
    /// Who wrote it.
    pub owner: String,
}
