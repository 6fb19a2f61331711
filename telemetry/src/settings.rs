//! What an operator may set about telemetry: two values, because the rest has one right answer.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::logs::LogFormat;

/// The settings of a process's telemetry. There is no `Default`: defaults stand, with their
/// reasons, in the one file that lists them for every component.
///
/// The log filter isn't here but in the environment (`LONGSHORE_LOG`): it is changed while looking
/// for something, and must not leave a trace in a file that is checked in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetrySettings {
    /// How log lines look: `auto`, `human` or `json`. `auto` serves both a person at a terminal and
    /// a log collector; the other two are for when the guess is wrong, as under a pager.
    pub logs: LogFormat,
    /// Where `/livez`, `/readyz`, `/metrics` and `/version` are served, as `ip:port`. Port 0 takes
    /// a free one, for several processes on one machine. An address rather than a name, since a
    /// name may resolve to an interface that nobody meant to open; loopback unless an operator
    /// decides otherwise, since nothing asks for a password.
    pub admin: SocketAddr,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_written() {
        let settings: TelemetrySettings =
            serde_json::from_str(r#"{"logs":"json","admin":"127.0.0.1:0"}"#).unwrap();
        assert_eq!(settings.logs, LogFormat::Json);
        assert_eq!(settings.admin, SocketAddr::from(([127, 0, 0, 1], 0)));
    }

    #[test]
    fn unknown_missing_and_malformed_settings_are_refused() {
        for (text, complaint) in [
            (r#"{"logs":"auto","admin":"127.0.0.1:0","log":1}"#, "unknown field `log`"),
            (r#"{"logs":"auto"}"#, "missing field `admin`"),
            (r#"{"logs":"xml","admin":"127.0.0.1:0"}"#, "unknown variant `xml`"),
            (r#"{"logs":"auto","admin":"localhost"}"#, "invalid socket address"),
        ] {
            let error = serde_json::from_str::<TelemetrySettings>(text).unwrap_err().to_string();
            assert!(error.contains(complaint), "{text}: {error}");
        }
    }
}
