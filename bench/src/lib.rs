//! Longshore measured beside its peers on the same Kafka, machine and topics.
//!
//! Reading order: what an item is, and what groups of parts are; the workloads; the Kafka, its
//! topics, and what is written to them; who is measured, and how each is started; how far it has
//! come and what it takes; whether what it wrote is right; the report.

mod groups;
mod item;
mod workload;

mod fill;
mod ground;
mod writer;

mod contestant;
mod peers;
mod pipeline;
mod running;
mod settings;

mod check;
mod held;
mod latency;
mod pace;
mod progress;
mod restart;

mod machine;
mod picture;
mod report;
mod round;
mod turn;

mod flat;

pub use flat::Flat;
pub use groups::{Gathered, Groups, PART_STAGE};
pub use held::{HELD, Held};
pub use item::Work;
pub use report::{report, save};
pub use round::{Plan, run};
pub use workload::{Items, Measure, WORKLOADS, Workload};
