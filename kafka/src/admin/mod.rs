//! Looking at a cluster and changing it: topics, groups and their progress. Every call blocks its
//! thread, up to a deadline.

mod context;
mod error;
mod lookup;

mod cluster;
mod group;
mod producers;
mod progress;
mod topic;

pub use cluster::{Admin, Watermarks};
pub use error::AdminError;
pub(crate) use error::is_passing;
pub use group::{Group, GroupMember};
pub use lookup::Isolation;
pub use producers::OpenTransaction;
pub use progress::{GroupProgress, PartitionProgress, Stability};
pub use topic::{NewTopic, TimestampType, Topic, TopicSettings};

pub(crate) use lookup::{At, Lookup, NO_GROUP, listed};
