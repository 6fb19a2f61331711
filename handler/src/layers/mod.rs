//! What stands around every handler, outermost first: [`crate::stack()`] puts it together.

mod measure;
mod panics;
mod timeout;
mod trace;

pub(crate) use measure::Measure;
pub(crate) use panics::CatchPanics;
pub(crate) use timeout::Timeout;
pub(crate) use trace::Trace;
