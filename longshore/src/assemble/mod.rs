//! From a checked pipeline to lanes at work: which of them run here, the topics they find, what
//! each is told, and the process around them.

mod joins;
mod lane;
mod lanes;
pub(crate) mod process;
mod stages;
pub(crate) mod topics;

pub(crate) use lanes::Lanes;
