//! `config`: checks or shows the settings, each with the place it comes from.

use std::fmt;

use serde::Serialize;

use crate::session::Session;
use crate::settings::Shown;
use crate::{CommandError, Exit};

/// What is asked of the settings.
#[derive(Clone, Copy, Debug, clap::Subcommand)]
pub enum Command {
    /// Check the settings and the pipeline; needs no Kafka
    Check,
    /// Show every setting and where it comes from; secrets are masked
    Show,
}

#[derive(Debug, Serialize)]
struct Settings(Vec<Shown>);

#[derive(Debug, Serialize)]
struct Checked {
    /// The pipeline that was checked; none if none is named.
    pipeline: Option<String>,
}

pub(super) fn run(command: &Command, session: &mut Session<'_>) -> Result<Exit, CommandError> {
    match command {
        Command::Check => check(session),
        Command::Show => show(session),
    }
}

/// The settings themselves were checked before any command runs.
fn check(session: &mut Session<'_>) -> Result<Exit, CommandError> {
    let pipeline = match session.pipeline() {
        Ok(pipeline) => Some(pipeline.name().to_owned()),
        Err(CommandError::NoPipeline) => None,
        Err(wrong) => return Err(wrong),
    };
    session.out.answer(&Checked { pipeline })?;
    Ok(Exit::Done)
}

fn show(session: &mut Session<'_>) -> Result<Exit, CommandError> {
    if session.settings.kafka.bootstrap_servers.is_empty()
        && let Some(local) = session.kafka_if_any()?
    {
        session.settings.show_local_kafka(&local.bootstrap_servers);
    }
    let shown = session.settings.shown().to_vec();
    session.out.answer(&Settings(shown))?;
    Ok(Exit::Done)
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pipeline {
            Some(name) => write!(f, "the settings are right, and so is pipeline {name}"),
            None => write!(f, "the settings are right; no pipeline is named"),
        }
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width =
            |of: fn(&Shown) -> &str| self.0.iter().map(|it| of(it).len()).max().unwrap_or(0);
        let (names, values) = (width(|it| &it.name), width(|it| &it.value));
        self.0.iter().try_for_each(|Shown { name, value, origin }| {
            writeln!(f, "{name:names$}  {value:values$}  {origin}")
        })
    }
}
