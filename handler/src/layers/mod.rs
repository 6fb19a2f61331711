//! What stands around every handler, outermost first: [`crate::Stack`] puts it together. A layer
//! is a function around the future of an attempt: nothing of it is allocated for an attempt.

mod at_work;
mod measure;
mod panics;
mod timeout;

pub(crate) use at_work::AtWork;
pub use at_work::at_work;
pub(crate) use measure::Measure;
pub(crate) use panics::catch_panics;
pub(crate) use timeout::Timeout;
