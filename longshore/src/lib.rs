//! An exactly-once worker fleet for Apache Kafka.

pub mod pipeline;
