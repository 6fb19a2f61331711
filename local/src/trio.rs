//! A cluster of three brokers, each of which can be killed and started again by itself.

use std::process::Command;

use crate::broker_dir::TemporaryDir;
use crate::leash::Leash;
use crate::node::Node;
use crate::owned::STOP_MAX;
use crate::ports::Ports;
use crate::runtime::Runtime;
use crate::server::{Launched, Server, cluster_id};
use crate::{Environment, LocalError, Progress, choice};

/// Three brokers, each of them a controller too. Every partition is on all three and two must have
/// what is written, so that one may be away. Dropping it ends them and removes their data; when
/// their owner is killed, they are killed too.
#[derive(Debug)]
pub struct Trio {
    nodes: Vec<Member>,
    // Behind the nodes, so that they have ended when their data is removed.
    _folder: TemporaryDir,
}

#[derive(Debug)]
struct Member {
    server: Server,
    running: Option<Leash>,
}

/// Starts a cluster of three of one's own, installing Kafka first where there is none. Blocks until
/// all of them answer: about 15 s. They take about 600 MB of memory each.
///
/// # Errors
/// Also where only Docker could run Kafka: containers have no loopback in common.
pub fn start_trio(
    environment: &Environment,
    progress: &mut dyn FnMut(Progress),
) -> Result<Trio, LocalError> {
    let runtime = choice::runtime(environment, progress)?;
    if matches!(runtime, Runtime::Docker(_)) {
        return Err(LocalError::NoTrioInDocker);
    }
    let folder = TemporaryDir::make(environment, progress)?;
    let cluster_id = cluster_id();
    let mut launched: Vec<(Server, Launched)> = Vec::new();
    for node in Node::three(Ports::pick_three()?) {
        let dir = folder.dir().within(&format!("node-{}", node.id))?;
        let server = Server::of_cluster(runtime.clone(), dir, node, cluster_id.clone());
        // The first two to start wait for each other: none can be waited for before all run.
        let started = server.launch(progress)?;
        launched.push((server, started));
    }
    let mut nodes = Vec::new();
    for (server, launched) in launched {
        let leash = server.wait_until_it_answers(launched, progress)?;
        nodes.push(Member { server, running: Some(leash) });
    }
    Ok(Trio { nodes, _folder: folder })
}

impl Trio {
    /// How many nodes there are.
    pub const NODES: usize = 3;

    /// Where clients find them, `host:port,host:port,host:port`. Stays the same over restarts.
    pub fn bootstrap_servers(&self) -> String {
        let servers = self.nodes.iter().map(|node| node.server.bootstrap_servers());
        servers.collect::<Vec<_>>().join(",")
    }

    /// A command that runs one of Kafka's own tools; the caller adds its arguments,
    /// `--bootstrap-server` among them.
    pub fn tool_command(&self, class: &str) -> Command {
        let server = &self.nodes[0].server;
        server.runtime().tool(server.dir().path(), class)
    }

    /// The pid of a node, 0 to 2, while it runs.
    pub fn pid(&self, node: usize) -> Option<u32> {
        self.nodes.get(node)?.running.as_ref().map(Leash::pid)
    }

    /// Kill -9 of a node, 0 to 2.
    pub fn kill(&mut self, node: usize) {
        if let Some(member) = self.nodes.get_mut(node) {
            member.running = None;
        }
    }

    /// Stops a node in order: SIGTERM, and kill -9 after 30 s.
    pub fn stop(&mut self, node: usize) {
        if let Some(leash) = self.nodes.get_mut(node).and_then(|member| member.running.take()) {
            leash.stop(STOP_MAX);
        }
    }

    /// Starts a node again on the same ports with the same data, stopping it in order first if it
    /// runs. It answers when this returns, and its replicas may still be behind.
    pub fn restart(
        &mut self,
        node: usize,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), LocalError> {
        self.stop(node);
        if let Some(member) = self.nodes.get_mut(node) {
            member.running = Some(member.server.start(progress)?);
        }
        Ok(())
    }
}
