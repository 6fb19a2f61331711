//! A real Kafka on this machine: found, installed, started, and stopped with its owner.
//!
//! Blocking code of the standard library; an async caller wraps it in `spawn_blocking`.
//! The demo and the commands call [`find_or_start`], tests that need a broker of their own
//! [`start_owned`], `longshore up|down|status` the functions of the same names.

mod environment;
mod error;
mod progress;

mod choice;
mod docker;
mod install;
mod java;
mod maven;
mod runtime;

mod broker_dir;
mod leash;
mod node;
mod ports;
mod probe;
mod server;
mod settings;

mod lock;
mod process;
mod state;

mod owned;
mod trio;
mod up;

pub use choice::{Cluster, find_or_start};
pub use environment::Environment;
pub use error::LocalError;
pub use leash::Leash;
pub use owned::{
    OwnedBroker, start_owned, start_owned_behind, start_owned_behind_both, start_owned_of_release,
};
pub use progress::Progress;
pub use state::RunningBroker;
pub use trio::{Trio, start_trio};
pub use up::{Down, Status, Up, down, status, up};

/// The version of Kafka that is installed when the machine has none. The pom and the list of jars
/// beside it say the same; a test holds them together.
pub const KAFKA_VERSION: &str = "4.3.1";
