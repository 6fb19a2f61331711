//! A Kafka in memory: seeded, deterministic, with a clock of its own, for tests.
//!
//! It passes the same contract suite as the real one. What it must get right is what exactly-once
//! leans on: markers, the last stable offset, fencing, generations, stable progress. It has no
//! replicas, no batches and no network: a call happens at once, unless a [`Fault`] says otherwise.

mod code;
mod fault;

mod group;
mod log;
mod offsets;
mod transactional_id;

mod requests;
mod state;

mod cluster;
mod consumer;
mod member;
mod outbox;
mod process;
mod producer;

pub use cluster::{Cluster, Identity};
pub use fault::{Call, Fault, Held, Seen};
pub use group::MemberId;
pub use member::Member;
pub use producer::Producer;

#[cfg(test)]
mod tests;
