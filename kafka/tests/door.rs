//! The door to a real Kafka beside the lane: looking, changing, reading, publishing. Needs a
//! broker: the one named by `LONGSHORE_BOOTSTRAP_SERVERS`, or one that the launcher finds or
//! starts.

#[path = "door/broker.rs"]
mod broker;

#[path = "door/admin.rs"]
mod admin;
#[path = "door/partitioner.rs"]
mod partitioner;
#[path = "door/publisher.rs"]
mod publisher;
#[path = "door/reader.rs"]
mod reader;
