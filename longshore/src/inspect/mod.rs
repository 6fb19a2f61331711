//! A pipeline seen from outside: what topics and committed progress say, without taking part.
//!
//! Reading order: who reads what; where it stands; then the questions that are asked of that, and
//! the two changes that an operator may make.

mod consumer;
mod error;
mod observer;
pub(crate) mod standing;
mod total;

pub mod dead_letters;
pub mod lag;
pub mod mending;
pub mod open_groups;

pub use consumer::{Consumer, Kind};
pub use error::InspectError;
pub use observer::Observer;
pub(crate) use observer::PATIENCE;
pub use standing::{Progress, Standing};
pub use total::Total;
