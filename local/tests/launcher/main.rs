//! The launcher on a real machine: real Java, real Maven, real Kafka.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "all of this crate is tests, what is outside of their functions too"
)]

mod broker;
mod choice;
mod install;
mod machine;
mod up;
