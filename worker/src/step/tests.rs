//! A stage on a lane of the simplest kind: it hands items out in key order and keeps the outcomes.

mod fixture;

mod cancelling;
mod failing;
mod ordering;
mod seeing;
