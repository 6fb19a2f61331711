//! A user's pipeline under faults: it is run twice on the same input, once in peace and once with
//! everything going wrong that a seed and a choice of faults ask for, and held against itself.
//!
//! Each run has a Kafka of its own behind a proxy. What the second one leaves is audited, and its
//! outputs must be those of the first. So handlers are tried along with the fleet: one that keeps
//! something from attempt to attempt, or from item to item, comes to other results when items are
//! handled again.
//!
//! Reading order: what goes wrong and when (pure); the Kafka; who publishes; a run from its first
//! item to its last; what is compared; what is told.

mod trouble;

mod kafka;
mod publisher;

mod course;
mod trial;

mod difference;

mod error;
mod report;

pub use course::Moment;
pub use difference::{Compare, Difference};
pub use error::ChaosError;
pub use report::{Report, Verdict};
pub use trial::{Orders, chaos};
pub use trouble::{Kind, Tally};
