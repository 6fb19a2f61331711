//! The real Kafka client behind the contracts of [`crate::lane::broker::Broker`] and
//! [`crate::Transactions`].

mod native;
mod remedy_of;
mod reports;

mod record_size;

mod aside;
mod deliveries;
mod live;
mod producer;
mod reaper;

mod detach;

mod consumer;
mod lane_context;
mod locator;
mod lookup;
mod marks;
mod side_thread;
mod taken_slot;
mod tenure;
mod watch;

mod broker;

pub use broker::{BrokerOptions, KafkaBroker, MEMBERSHIP_LOST};
pub(crate) use detach::detach;
pub(crate) use native::topic_id;
pub use producer::TransactionalProducer;
