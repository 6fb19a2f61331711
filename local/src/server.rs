//! Starts a broker in a folder and waits, within a bound, until it answers.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rand::distr::{Alphanumeric, SampleString};

use crate::broker_dir::BrokerDir;
use crate::leash::Leash;
use crate::node::Node;
use crate::runtime::{BROKER, Heap, Runtime, STORAGE_TOOL};
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
    node: Node,
    cluster_id: String,
    heap: Heap,
}

/// A broker that was started and may not answer yet.
#[derive(Debug)]
pub(crate) struct Launched {
    leash: Leash,
    /// Where its part of the log begins.
    log_start: u64,
    since: Instant,
}

impl Server {
    /// A node of a cluster, not started yet.
    pub(crate) fn of_cluster(
        runtime: Runtime,
        dir: BrokerDir,
        node: Node,
        cluster_id: String,
    ) -> Self {
        Self { runtime, dir, node, cluster_id, heap: Heap::Small }
    }

    /// Starts a broker as the node that `pick` chooses, and again on other ports if those were
    /// taken.
    pub(crate) fn start_on_picked_ports(
        runtime: Runtime,
        dir: BrokerDir,
        mut pick: impl FnMut() -> Result<Node, LocalError>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(Self, Leash), LocalError> {
        let (node, cluster_id) = (pick()?, cluster_id());
        let mut server = Self { runtime, dir, node, cluster_id, heap: Heap::Ordinary };
        for _ in 1..PORT_ATTEMPTS {
            match server.start(progress) {
                Err(LocalError::PortBusy { .. }) => server.node = pick()?,
                started => return started.map(|leash| (server, leash)),
            }
        }
        server.start(progress).map(|leash| (server, leash))
    }

    /// Starts the broker on its ports, with whatever data its folder has.
    pub(crate) fn start(&self, progress: &mut dyn FnMut(Progress)) -> Result<Leash, LocalError> {
        let launched = self.launch(progress)?;
        self.wait_until_it_answers(launched, progress)
    }

    /// Starts it and doesn't wait: a node of a cluster answers only when most of them run.
    pub(crate) fn launch(
        &self,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Launched, LocalError> {
        let since = Instant::now();
        let version = self.runtime.version().to_owned();
        progress(Progress::Starting { version, port: self.node.ports.broker });
        self.node.ports.check_free()?;
        self.write_settings()?;
        if !self.dir.is_formatted() {
            self.format()?;
        }
        let log_start = self.dir.log_length();
        let mut command = self.command(BROKER);
        command.arg(self.dir.settings());
        let container = self.runtime.container(self.dir.path());
        let leash = Leash::start(&command, container, &self.dir.log())?;
        Ok(Launched { leash, log_start, since })
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    pub(crate) fn bootstrap_servers(&self) -> String {
        self.node.ports.bootstrap_servers()
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
        let text = settings::properties(&self.node, self.runtime.bind_address(), &data);
        std::fs::write(&path, text).map_err(LocalError::io("write", &path))
    }

    /// Gives the folder the cluster's id, without which a KRaft broker refuses to start.
    fn format(&self) -> Result<(), LocalError> {
        let mut command = self.command(STORAGE_TOOL);
        command.args(["format", "--cluster-id", &self.cluster_id, "--config"]);
        command.arg(self.dir.settings());
        if let Some(release) = self.node.release {
            command.args(["--release-version", release]);
        }
        let program = PathBuf::from(command.get_program());
        let output = command.output();
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

    fn command(&self, class: &str) -> std::process::Command {
        let ports: Vec<_> = self.node.ports.of_clients().collect();
        self.runtime.run_class(self.dir.path(), &ports, self.heap, class)
    }

    pub(crate) fn wait_until_it_answers(
        &self,
        launched: Launched,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Leash, LocalError> {
        let Launched { mut leash, log_start, since } = launched;
        while since.elapsed() < START_MAX {
            if let Some(status) = leash.ended() {
                // Taken between the check and now: the caller may choose another port.
                self.node.ports.check_free()?;
                return Err(self.not_started(format!("it ended with {status}"), log_start));
            }
            if probe::answers(self.node.ports.broker) {
                let bootstrap_servers = self.bootstrap_servers();
                progress(Progress::Ready { bootstrap_servers, took: since.elapsed() });
                return Ok(leash);
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
pub(crate) fn cluster_id() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), 21) + "A"
}
