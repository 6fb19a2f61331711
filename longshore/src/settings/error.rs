//! What is wrong with a setting, and where it stands.

use std::io;
use std::path::PathBuf;

use super::Origin;

/// A setting that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file can't be read.
    #[error("settings file {}: {source}; name another by --config", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The file isn't one of settings.
    #[error("settings file {}: {message}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line.
        message: String,
    },
    /// A value isn't one of its setting.
    #[error("`{name}` ({origin}): expected {expected}, found `{value}`")]
    Value {
        /// The setting.
        name: &'static str,
        /// Where it stands.
        origin: Origin,
        /// What it should be.
        expected: String,
        /// What it is.
        value: String,
    },
    /// A property of the Kafka client isn't given as one.
    #[error("-X {given}: expected a property such as `linger.ms=10`")]
    NoProperty {
        /// What was given.
        given: String,
    },
    /// A property isn't the user's to set.
    #[error("{error} ({origin})")]
    Property {
        /// Where it stands.
        origin: Origin,
        /// What is wrong with it.
        #[source]
        error: longshore_kafka::SettingsError,
    },
    /// A secret's file can't be read.
    #[error("`{key}` ({origin}): {} can't be read: {source}", path.display())]
    Secret {
        /// The property.
        key: String,
        /// Where it stands.
        origin: Origin,
        /// The file that it names.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The settings don't go together, or Kafka's client refuses one.
    #[error(transparent)]
    Kafka(#[from] longshore_kafka::SettingsError),
}
