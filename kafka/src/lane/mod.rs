//! The lane: read, work, commit, exactly once.

pub mod broker;
pub mod step;
