//! Checks a run from its topics alone, against the input's own columns.

mod expected;
mod ledger;
mod report;

pub use expected::{Expected, ExpectedOrder};
pub use ledger::Ledger;
pub use report::{Check, Report};
