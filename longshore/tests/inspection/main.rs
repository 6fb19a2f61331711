//! The commands of inspection on a real Kafka: topics and progress with known faults.

mod harness;

mod audit;
mod dead_letters;
mod groups;
mod lag;
mod progress;
