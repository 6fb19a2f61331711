//! The door to Kafka: settings, transactions, progress and the lane. The only crate that names
//! the Kafka client; it knows bytes, not meanings.

mod record;
mod remedy;
mod transaction;
mod transactions;

pub mod lane;
pub mod model;

pub use record::{Offset, Outgoing, Partition, Record};
pub use remedy::{Failure, Remedy};
pub use transaction::{Commit, Spoiled, Transaction, Written};
pub use transactions::{Deliveries, ProduceError, Refusal, Transactions};
