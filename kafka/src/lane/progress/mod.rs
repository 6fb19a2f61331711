//! Progress of a partition: a position, and what is finished ahead of it.

mod finished_map;
mod metadata;
mod window;

pub use finished_map::{FinishedMap, MapError};
pub use metadata::{FORMAT, Metadata, MetadataError};
pub use window::{Received, Window};
