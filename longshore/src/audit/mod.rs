//! Whether topics and committed progress agree: nothing lost, doubled, torn or uncommitted and
//! visible, order kept, dead letters whole (EO-1 to EO-8), every transaction at an end (LV-1), and
//! of joins one result per group and revision, as inbox and journal say.
//!
//! For stages that write a record per item. Progress is read first and last, topics in between: an
//! item that was finished at first must have ended in the topics, and what has ended in the topics
//! must be finished at last; so a fleet may be at work meanwhile. In the same way the ends of
//! journals are noted first, results are read next and journals last.
//!
//! Of each record some 30 to 60 bytes are remembered (its place, its origin, hashes of its key and
//! content). They are sorted on disk and gone through in the order of origins, so memory doesn't
//! grow with topics: three sorters with runs of half a million facts, and what Kafka's client
//! buffers.

mod claim;
mod fault;
mod input;
mod plan;

mod facts;
pub(crate) mod sorter;
pub(crate) mod state_dir;

mod groups;
mod held;
mod items;
mod looks;
mod order;

mod book;
mod report;

mod run;

pub use fault::{Fault, Invariant, Place};
pub use groups::WrongGroup;
pub use held::Holders;
pub use looks::WrongProgress;
pub use plan::{ByHand, Plan, PlanError};
pub use report::{JoinReport, NotChecked, Report, StageReport, Verdict};
pub use run::{Options, audit};
