//! `up`: starts a Kafka on this machine, and leaves it running.

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;

use longshore_local::{Environment, Progress, RunningBroker, Up};
use serde::Serialize;

use crate::session::Session;
use crate::{CommandError, Exit};

pub(super) fn run(session: &mut Session<'_>) -> Result<Exit, CommandError> {
    let (state, broker) = match longshore_local::up(&Environment::from_process()?, &mut tell)? {
        Up::Started(broker) => ("started", broker),
        Up::AlreadyRunning(broker) => ("already running", broker),
    };
    session.out.answer(&Seen::of(state, Some(&broker)))?;
    Ok(Exit::Done)
}

/// Steps go to standard error, so that the answer alone is on standard output.
pub(super) fn tell(step: Progress) {
    let _ = writeln!(io::stderr(), "{step}");
}

/// The local Kafka as it was seen.
#[derive(Debug, Serialize)]
pub(super) struct Seen {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    broker: Option<Broker>,
}

#[derive(Debug, Serialize)]
struct Broker {
    bootstrap_servers: String,
    version: String,
    pid: u32,
    uptime_seconds: u64,
    data_dir: PathBuf,
    log: PathBuf,
}

impl Seen {
    pub(super) fn of(state: &'static str, broker: Option<&RunningBroker>) -> Self {
        let broker = broker.map(|broker| Broker {
            bootstrap_servers: broker.bootstrap_servers.clone(),
            version: broker.version.clone(),
            pid: broker.pid(),
            uptime_seconds: broker.uptime().as_secs(),
            data_dir: broker.data_dir.clone(),
            log: broker.log.clone(),
        });
        Self { state, broker }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Kafka: {}", self.state)?;
        let Some(broker) = &self.broker else {
            return Ok(());
        };
        writeln!(f, "  servers  {}", broker.bootstrap_servers)?;
        writeln!(f, "  version  {}", broker.version)?;
        writeln!(f, "  process  {}, for {} s", broker.pid, broker.uptime_seconds)?;
        writeln!(f, "  data     {}", broker.data_dir.display())?;
        writeln!(f, "  log      {}", broker.log.display())
    }
}
