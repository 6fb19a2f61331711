//! Longshore measured beside its peers on the same Kafka, machine and topics.
//!
//! Reading order: what an item is; the workloads; the Kafka and its topics; who is measured, and
//! how each is started; how far it has come and what it takes; whether what it wrote is right; the
//! report.

mod item;
mod workload;

mod fill;
mod ground;

mod contestant;
mod peers;
mod running;

mod check;
mod latency;
mod pace;

mod machine;
mod picture;
mod report;
mod round;

mod flat;

pub use flat::Flat;
pub use item::Work;
pub use report::{report, save};
pub use round::{Plan, run};
pub use workload::{WORKLOADS, Workload};
