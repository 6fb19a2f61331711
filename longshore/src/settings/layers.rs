//! The four places where a setting may stand, and which of them holds.

use std::fmt;
use std::path::PathBuf;

use crate::commands::Options;

use super::environment::Environment;
use super::file::File;

/// Where a setting's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The command line, by this option.
    Flag(&'static str),
    /// The environment, by this variable.
    Environment(String),
    /// The settings file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },
    /// Nobody set it.
    Default,
    /// The Kafka that `longshore up` runs.
    LocalKafka,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(option) => f.write_str(option),
            Self::Environment(variable) => f.write_str(variable),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Default => f.write_str("default"),
            Self::LocalKafka => f.write_str("longshore up"),
        }
    }
}

/// A setting as text, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) value: String,
    pub(super) origin: Origin,
}

/// The places, the one that holds first: command line, environment, file.
pub(super) struct Layers<'a> {
    pub(super) options: &'a Options,
    pub(super) environment: &'a Environment,
    pub(super) file: &'a File,
}

impl Layers<'_> {
    /// What a setting is told by the first place that tells it.
    pub(super) fn find(&self, setting: &str) -> Option<Text> {
        let flag = self
            .options
            .setting(setting)
            .map(|(option, value)| Text { value: value.to_owned(), origin: Origin::Flag(option) });
        let variable = || {
            let (variable, value) = self.environment.of(setting)?;
            Some(Text { value: value.to_owned(), origin: Origin::Environment(variable) })
        };
        let in_file = || {
            let (origin, value) = self.file.of(setting)?;
            Some(Text { value: value.to_owned(), origin })
        };
        flag.or_else(variable).or_else(in_file)
    }
}
