//! The door to Kafka: settings, transactions, progress and the lane. The only crate that names
//! the Kafka client; it knows bytes, not meanings.

mod record;
mod remedy;
mod settings;
mod topic_id;
mod transaction;
mod transactions;

pub mod admin;
pub mod client;
pub mod lane;
pub mod model;
pub mod partitioner;
pub mod publisher;
pub mod reader;

pub use record::{Offset, Outgoing, Partition, Record};
pub use remedy::{Failure, Remedy};
pub use settings::{Settings, SettingsError};
pub use topic_id::{NoTopicId, TopicId};
pub use transaction::{Commit, Spoiled, Suspended, Transaction, Written};
pub use transactions::{Deliveries, ProduceError, Refusal, Transactions};
