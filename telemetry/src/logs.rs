//! Log lines on standard error: for people on a terminal, JSON otherwise.

mod surroundings;

mod human;
mod json;

#[cfg(test)]
mod sink;

use std::io::{self, IsTerminal};

use serde::{Deserialize, Serialize};
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer};

pub use surroundings::{LogValue, Surroundings};

/// Where the filter is looked for, in this order. Ours first: `RUST_LOG` may be meant for the
/// program that started us.
const FILTER_VARIABLES: [&str; 2] = ["LONGSHORE_LOG", "RUST_LOG"];

/// What is logged when no variable is set.
const FILTER_DEFAULT: &str = "info";

/// Stands before every filter, so that a plain `debug` doesn't bring the client library's lines,
/// which drown all others: idle connections that close, each try to reconnect. Naming the target
/// (`librdkafka=debug`) does bring them.
const FILTER_QUIET: &str = "librdkafka=warn,rdkafka=warn";

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// `Human` if standard error is a terminal, `Json` otherwise.
    Auto,
    /// One line for a person: time, level, spans, message, fields.
    Human,
    /// One JSON object a line; fields of the event and of its spans side by side at the top.
    Json,
}

/// Why logging could not begin.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    /// The filter isn't one.
    #[error(
        "the environment variable {variable} holds no log filter: {source}; \
         write for example `info` or `info,longshore_worker=debug`"
    )]
    Filter {
        /// The variable that was read.
        variable: &'static str,
        /// What is wrong with it.
        source: ParseError,
    },
    /// Someone else decides where log lines go.
    #[error("logging is set up already; start telemetry once, before any other logger")]
    AlreadyStarted(#[from] TryInitError),
}

/// Sends the process's log lines to standard error from now on. Lines are written at once: nothing
/// is lost when the process is killed, and nothing has to be flushed. Each line also says what is
/// at work where it is written, by `surroundings`.
pub fn start(format: LogFormat, surroundings: Surroundings) -> Result<(), LogsError> {
    let filter = filter(|variable| std::env::var(variable).ok())?;
    let on_terminal = io::stderr().is_terminal();
    let lines = if is_json(format, on_terminal) {
        json::layer(io::stderr, surroundings).boxed()
    } else {
        human::layer(io::stderr, on_terminal && !no_color(), surroundings).boxed()
    };
    tracing_subscriber::registry().with(lines).with(filter).try_init()?;
    Ok(())
}

fn is_json(format: LogFormat, on_terminal: bool) -> bool {
    match format {
        LogFormat::Auto => !on_terminal,
        LogFormat::Human => false,
        LogFormat::Json => true,
    }
}

/// The convention of no-color.org: set and not empty means no color.
fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// The filter by the first variable that is set and not blank; `lookup` reads the environment.
fn filter(lookup: impl Fn(&str) -> Option<String>) -> Result<EnvFilter, LogsError> {
    let set = |variable| Some((variable, lookup(variable).filter(|text| !text.trim().is_empty())?));
    let (variable, asked) = FILTER_VARIABLES
        .into_iter()
        .find_map(set)
        .unwrap_or((FILTER_VARIABLES[0], FILTER_DEFAULT.to_owned()));
    EnvFilter::try_new(format!("{FILTER_QUIET},{asked}"))
        .map_err(|source| LogsError::Filter { variable, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter_of(variables: &[(&str, &str)]) -> Result<Vec<String>, LogsError> {
        let lookup = |name: &str| {
            variables.iter().find(|(other, _)| *other == name).map(|(_, text)| (*text).to_owned())
        };
        let mut directives: Vec<_> =
            filter(lookup)?.to_string().split(',').map(str::to_owned).collect();
        directives.sort();
        Ok(directives)
    }

    #[test]
    fn without_variables_the_level_is_info_and_the_client_library_is_quiet() {
        assert_eq!(filter_of(&[]).unwrap(), ["info", "librdkafka=warn", "rdkafka=warn"]);
    }

    #[test]
    fn our_variable_comes_before_rusts_and_a_blank_one_counts_as_unset() {
        let both = filter_of(&[("LONGSHORE_LOG", "debug"), ("RUST_LOG", "trace")]).unwrap();
        assert_eq!(both, ["debug", "librdkafka=warn", "rdkafka=warn"]);
        let blank = filter_of(&[("LONGSHORE_LOG", " "), ("RUST_LOG", "trace")]).unwrap();
        assert_eq!(blank, ["librdkafka=warn", "rdkafka=warn", "trace"]);
    }

    #[test]
    fn naming_the_client_library_makes_it_speak() {
        let named = filter_of(&[("LONGSHORE_LOG", "info,librdkafka=debug")]).unwrap();
        assert_eq!(named, ["info", "librdkafka=debug", "rdkafka=warn"]);
    }

    #[test]
    fn a_broken_filter_is_refused_with_its_variable() {
        let error = filter_of(&[("RUST_LOG", "longshore=loud")]).unwrap_err().to_string();
        assert!(error.contains("RUST_LOG"), "{error}");
    }

    #[test]
    fn only_auto_looks_at_the_terminal() {
        for (format, on_terminal, json) in [
            (LogFormat::Auto, true, false),
            (LogFormat::Auto, false, true),
            (LogFormat::Human, false, false),
            (LogFormat::Json, true, true),
        ] {
            assert_eq!(is_json(format, on_terminal), json, "{format:?} {on_terminal}");
        }
    }
}
