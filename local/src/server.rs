//! Starts a broker in a folder and waits, within a bound, until it answers.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rand::distr::{Alphanumeric, SampleString};

use crate::broker_dir::BrokerDir;
use crate::leash::Leash;
use crate::ports::Ports;
use crate::runtime::{BROKER, Runtime, STORAGE_TOOL};
use crate::{LocalError, Progress, probe, settings};

/// A start takes 4 s on an idle machine. This is for one that compiles on every core, or that
/// fetches an image first.
const START_MAX: Duration = Duration::from_secs(120);

/// How often a starting broker is asked.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// Between picking free ports and listening on them others may take one, but not every time.
const PORT_ATTEMPTS: usize = 3;

/// A broker that can be started, and started again in the same place.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    runtime: Runtime,
    dir: BrokerDir,
    ports: Ports,
}

impl Server {
    /// Starts a broker on ports that `pick` chooses, and again on others if those were taken.
    pub(crate) fn start_on_picked_ports(
        runtime: Runtime,
        dir: BrokerDir,
        mut pick: impl FnMut() -> Result<Ports, LocalError>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(Self, Leash), LocalError> {
        let mut server = Self { runtime, dir, ports: pick()? };
        for _ in 1..PORT_ATTEMPTS {
            match server.start(progress) {
                Err(LocalError::PortBusy { .. }) => server.ports = pick()?,
                started => return started.map(|leash| (server, leash)),
            }
        }
        server.start(progress).map(|leash| (server, leash))
    }

    /// Starts the broker on its ports, with whatever data its folder has.
    pub(crate) fn start(&self, progress: &mut dyn FnMut(Progress)) -> Result<Leash, LocalError> {
        let since = Instant::now();
        let version = self.runtime.version().to_owned();
        progress(Progress::Starting { version, port: self.ports.broker });
        self.ports.check_free()?;
        self.write_settings()?;
        if !self.dir.is_formatted() {
            self.format()?;
        }
        let leash = self.run()?;
        let bootstrap_servers = self.bootstrap_servers();
        progress(Progress::Ready { bootstrap_servers, took: since.elapsed() });
        Ok(leash)
    }

    pub(crate) fn bootstrap_servers(&self) -> String {
        self.ports.bootstrap_servers()
    }

    pub(crate) fn version(&self) -> &str {
        self.runtime.version()
    }

    pub(crate) fn dir(&self) -> &BrokerDir {
        &self.dir
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    fn write_settings(&self) -> Result<(), LocalError> {
        let (path, data) = (self.dir.settings(), self.dir.data());
        let text = settings::properties(self.ports, self.runtime.bind_address(), &data);
        std::fs::write(&path, text).map_err(LocalError::io("write", &path))
    }

    /// Gives the folder the cluster's id, without which a KRaft broker refuses to start.
    fn format(&self) -> Result<(), LocalError> {
        let mut command = self.command(STORAGE_TOOL);
        command.args(["format", "--cluster-id", &cluster_id(), "--config"]);
        let program = PathBuf::from(command.get_program());
        let output = command.arg(self.dir.settings()).output();
        let output = output.map_err(LocalError::io("run", &program))?;
        if output.status.success() {
            return Ok(());
        }
        // A tool has no log of its own.
        let log = self.dir.log();
        let said = [output.stdout, output.stderr].concat();
        std::fs::write(&log, said).map_err(LocalError::io("write", &log))?;
        Err(self.not_started(format!("formatting ended with {}", output.status), 0))
    }

    fn run(&self) -> Result<Leash, LocalError> {
        let log_start = self.dir.log_length();
        let mut command = self.command(BROKER);
        command.arg(self.dir.settings());
        let container = self.runtime.container(self.dir.path());
        let mut leash = Leash::start(&command, container, &self.dir.log())?;
        self.wait_until_it_answers(&mut leash, log_start)?;
        Ok(leash)
    }

    fn command(&self, class: &str) -> std::process::Command {
        self.runtime.run_class(self.dir.path(), self.ports.broker, class)
    }

    fn wait_until_it_answers(&self, leash: &mut Leash, log_start: u64) -> Result<(), LocalError> {
        let since = Instant::now();
        while since.elapsed() < START_MAX {
            if let Some(status) = leash.ended() {
                // Taken between the check and now: the caller may choose another port.
                self.ports.check_free()?;
                return Err(self.not_started(format!("it ended with {status}"), log_start));
            }
            if probe::answers(self.ports.broker) {
                return Ok(());
            }
            std::thread::sleep(ASK_AGAIN);
        }
        Err(self.not_started(format!("no answer within {START_MAX:?}"), log_start))
    }

    fn not_started(&self, reason: String, log_start: u64) -> LocalError {
        let tail = self.dir.log_tail(log_start);
        LocalError::NotStarted { reason, log: self.dir.log(), tail }
    }
}

/// 16 random bytes in base64, as Kafka's `Uuid` wants them: 22 characters, the last of which
/// carries two bits only, here zeros. None begins with `-`, which tools take for an option.
fn cluster_id() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), 21) + "A"
}
