//! A broker of one's own, which ends with its owner.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::broker_dir::TemporaryDir;
use crate::leash::Leash;
use crate::node::Node;
use crate::ports::Ports;
use crate::server::Server;
use crate::{Environment, LocalError, Progress, choice};

/// Kafka writes its clean-shutdown file and gives up leadership within a second or two.
pub(crate) const STOP_MAX: Duration = Duration::from_secs(30);

/// A broker with its own ports and its own data. Dropping it ends it and removes its data; when
/// its owner is killed, it is killed too.
#[derive(Debug)]
pub struct OwnedBroker {
    server: Server,
    // Before the folder, so that the broker has ended when its data is removed.
    running: Option<Leash>,
    _folder: TemporaryDir,
}

/// Starts a broker of one's own, installing Kafka first where there is none. Blocks until the
/// broker answers: about 4 s, and 10 s more for an install.
pub fn start_owned(
    environment: &Environment,
    progress: &mut dyn FnMut(Progress),
) -> Result<OwnedBroker, LocalError> {
    start(environment, || Ports::pick().map(Node::alone), progress)
}

/// The same with a proxy in front of it: clients that reach it through the proxy are told the
/// proxy's address, and no other. It has to forward to [`OwnedBroker::proxied_address`].
pub fn start_owned_behind(
    environment: &Environment,
    proxy: SocketAddr,
    progress: &mut dyn FnMut(Progress),
) -> Result<OwnedBroker, LocalError> {
    let pick = || {
        let node = Node::alone(Ports::pick_behind_proxy()?);
        Ok(Node { proxy: Some(proxy), ..node })
    };
    start(environment, pick, progress)
}

/// The same with a second proxy for what brokers send one another, and a broker alone sends to
/// itself: the markers of transactions among it. That has to forward to
/// [`OwnedBroker::address_among_brokers`].
pub fn start_owned_behind_both(
    environment: &Environment,
    proxy: SocketAddr,
    among_brokers: SocketAddr,
    progress: &mut dyn FnMut(Progress),
) -> Result<OwnedBroker, LocalError> {
    let pick = || {
        let node = Node::alone(Ports::pick_behind_proxies()?);
        let (proxy, proxy_among_brokers) = (Some(proxy), Some(among_brokers));
        Ok(Node { proxy, proxy_among_brokers, ..node })
    };
    start(environment, pick, progress)
}

/// Starts one with the features of an older release only, such as `3.9`: as a cluster whose brokers
/// were upgraded, and whose features weren't yet.
pub fn start_owned_of_release(
    environment: &Environment,
    release: &'static str,
    progress: &mut dyn FnMut(Progress),
) -> Result<OwnedBroker, LocalError> {
    let pick = || Ok(Node { release: Some(release), ..Node::alone(Ports::pick()?) });
    start(environment, pick, progress)
}

fn start(
    environment: &Environment,
    pick: impl FnMut() -> Result<Node, LocalError>,
    progress: &mut dyn FnMut(Progress),
) -> Result<OwnedBroker, LocalError> {
    let runtime = choice::runtime(environment, progress)?;
    let folder = TemporaryDir::make(environment, progress)?;
    let dir = folder.dir().clone();
    let (server, leash) = Server::start_on_picked_ports(runtime, dir, pick, progress)?;
    Ok(OwnedBroker { server, running: Some(leash), _folder: folder })
}

impl OwnedBroker {
    /// Where clients find it, `host:port`. Stays the same over a restart.
    pub fn bootstrap_servers(&self) -> String {
        self.server.bootstrap_servers()
    }

    /// What the proxy in front of it forwards to; none if it was started without one.
    pub fn proxied_address(&self) -> Option<SocketAddr> {
        self.server.node().ports.proxied_address()
    }

    /// What the proxy between brokers forwards to; none if it was started without one.
    pub fn address_among_brokers(&self) -> Option<SocketAddr> {
        self.server.node().ports.address_among_brokers()
    }

    /// Kafka's version.
    pub fn version(&self) -> &str {
        self.server.version()
    }

    /// Its log, over all its starts. Gone when the broker is dropped.
    pub fn log(&self) -> PathBuf {
        self.server.dir().log()
    }

    /// The folder of its partitions' logs.
    pub fn data_dir(&self) -> PathBuf {
        self.server.dir().data()
    }

    /// The pid of its process while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(Leash::pid)
    }

    /// A command that runs one of Kafka's own tools, `org.apache.kafka.tools.TopicCommand` for
    /// example; the caller adds its arguments, `--bootstrap-server` among them.
    pub fn tool_command(&self, class: &str) -> Command {
        self.server.runtime().tool(self.server.dir().path(), class)
    }

    /// Kill -9: the broker loses what it had not yet written.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// Stops in order: SIGTERM, and kill -9 after 30 s.
    pub fn stop(&mut self) {
        if let Some(leash) = self.running.take() {
            leash.stop(STOP_MAX);
        }
    }

    /// Starts it again on the same ports with the same data, stopping it in order first if it
    /// runs.
    pub fn restart(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<(), LocalError> {
        self.stop();
        self.running = Some(self.server.start(progress)?);
        Ok(())
    }
}
