//! The real client against a real Kafka: each behaviour that the lane leans on.
//!
//! All tests share one broker, on topics and groups of their own; with
//! `LONGSHORE_BOOTSTRAP_SERVERS` set they use that one. Tests that kill the broker start their own.

mod harness;

mod consumer;
mod faults;
mod late_requests;
mod lookups;
mod ownership;
mod producer;
mod progress;
mod proxied;
