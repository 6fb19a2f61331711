//! The settings file: strict YAML, its mistakes named with their lines.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::SettingsError;
use super::layers::Origin;

/// A settings file as it was written.
#[derive(Debug, Default)]
pub(super) struct File {
    path: PathBuf,
    keys: Keys,
}

/// Its keys: the settings' names.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Keys {
    bootstrap_servers: Option<Spanned<String>>,
    pipeline: Option<Spanned<String>>,
    slot: Option<Spanned<String>>,
    session_timeout: Option<Spanned<String>>,
    transaction_timeout: Option<Spanned<String>>,
    max_poll_interval: Option<Spanned<String>>,
    drain_timeout: Option<Spanned<String>>,
    buffers: Option<Spanned<String>>,
    logs: Option<Spanned<String>>,
    admin: Option<Spanned<String>>,
    kafka: BTreeMap<String, Spanned<String>>,
}

impl File {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self, SettingsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(path, &text)
    }

    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, SettingsError> {
        let path = path.to_owned();
        // An empty file, or one of comments, sets nothing.
        let keys: Option<Keys> = serde_saphyr::from_str(text).map_err(|error| {
            SettingsError::File { path: path.clone(), message: error.without_snippet().to_string() }
        })?;
        let keys = keys.unwrap_or_default();
        Ok(Self { path, keys })
    }

    /// The setting's value and place.
    pub(super) fn of(&self, setting: &str) -> Option<(Origin, &str)> {
        let keys = &self.keys;
        let value = match setting {
            "bootstrap_servers" => &keys.bootstrap_servers,
            "pipeline" => &keys.pipeline,
            "slot" => &keys.slot,
            "session_timeout" => &keys.session_timeout,
            "transaction_timeout" => &keys.transaction_timeout,
            "max_poll_interval" => &keys.max_poll_interval,
            "drain_timeout" => &keys.drain_timeout,
            "buffers" => &keys.buffers,
            "logs" => &keys.logs,
            "admin" => &keys.admin,
            _ => &None,
        };
        value.as_ref().map(|value| (self.place(value), value.value.as_str()))
    }

    /// Properties of the Kafka client, each with its place and value.
    pub(super) fn properties(&self) -> impl Iterator<Item = (&str, Origin, &str)> {
        self.keys
            .kafka
            .iter()
            .map(|(key, value)| (key.as_str(), self.place(value), value.value.as_str()))
    }

    fn place<T>(&self, value: &Spanned<T>) -> Origin {
        Origin::File { path: self.path.clone(), line: value.referenced.line() }
    }
}
