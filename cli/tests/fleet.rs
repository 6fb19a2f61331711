//! The `longshore` binary on a real Kafka: from an order to a settled order, and what goes wrong on
//! the way there.

#[path = "fleet/machine.rs"]
mod machine;

#[path = "fleet/one_order.rs"]
mod one_order;
#[path = "fleet/wrong_topics.rs"]
mod wrong_topics;
