//! The launcher on a real machine: real Java, real Maven, real Kafka.

mod broker;
mod choice;
mod install;
mod machine;
mod up;
