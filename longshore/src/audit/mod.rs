//! Whether topics and committed progress agree: no item lost, none doubled, nothing uncommitted
//! visible, order kept (EO-2, EO-3, EO-4, EO-6).
//!
//! For stages that write a record per item. Progress is read first and last, topics in between: an
//! item that was finished at first must have ended in the topics, and what has ended in the topics
//! must be finished at last; so a fleet may be at work meanwhile.
//!
//! Memory, per audited stage: nine bytes per offset of its input (a key's hash, a bit for each way
//! to end), a bit per output topic, and about fifty bytes per key and output partition; further
//! outputs of an item (fan-out, several outputs) take about thirty bytes each.

mod claim;
mod fault;
mod input;
mod plan;

mod bits;
mod once;
mod order;

mod book;
mod report;

mod run;

pub use fault::{Fault, Invariant, Place};
pub use plan::{ByHand, Plan, PlanError};
pub use report::{NotChecked, Report, StageReport, Verdict};
pub use run::{Options, audit};
