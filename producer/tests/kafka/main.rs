//! Publishing to a real Kafka, as its readers see it.
//!
//! All tests share one broker, on topics of their own; with `LONGSHORE_BOOTSTRAP_SERVERS` set they
//! use that one.

mod harness;

mod files;
mod orders;
