//! What happens to every frame, until it is said otherwise.

use std::num::NonZeroU64;
use std::time::Duration;

/// How the network is. The default lets everything pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// How much later a request reaches the broker.
    pub delay_requests: Duration,
    /// How much later an answer reaches its client.
    pub delay_answers: Duration,
    /// Bytes per second, of each connection and in each direction. None: without a limit.
    pub bytes_per_second: Option<NonZeroU64>,
    /// Nothing passes in either direction, and nobody is told: connections stay open, new ones are
    /// taken. What was sent meanwhile passes when this ends.
    pub black_hole: bool,
}
