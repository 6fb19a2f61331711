//! Outcomes to result: the gather.

pub mod gather;
