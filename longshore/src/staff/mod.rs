//! A fleet's processes, run by another program: each in its slot; started, watched, frozen, killed
//! and restarted, stopped.

mod child;
mod launch;
mod metrics;

mod error;
mod members;

mod interrupt;

pub use child::Child;
pub use error::StaffError;
pub use interrupt::Interrupt;
pub use launch::Launch;
pub use members::{Role, Service, Staff, end_of};
pub use metrics::Counters;
