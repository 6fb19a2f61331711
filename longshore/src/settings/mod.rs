//! The settings of a process: command line over environment over file over default.

mod defaults;
mod environment;
mod error;
mod file;
mod layers;
mod properties;
mod resolve;

pub use environment::Environment;
pub use error::SettingsError;
pub use layers::Origin;
pub use resolve::{Settings, Shown};

#[cfg(test)]
mod tests;
