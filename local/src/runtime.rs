//! What runs a class of Kafka's: a Java with Kafka's jars, or Docker with Kafka's image.

use std::path::Path;
use std::process::Command;

use crate::KAFKA_VERSION;
use crate::docker::{Container, Docker};
use crate::install::Install;
use crate::java::Java;

/// The formatter of a broker's data folder.
pub(crate) const STORAGE_TOOL: &str = "kafka.tools.StorageTool";

/// The broker.
pub(crate) const BROKER: &str = "kafka.Kafka";

/// A broker that is left without memory must end, not linger. Its log has dates, warnings, and of
/// the news those that explain a start, a rebalance or a transaction.
const BROKER_OPTIONS: [&str; 8] = [
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.coordinator.group=info",
    "-Dorg.slf4j.simpleLogger.log.kafka.coordinator.transaction=info",
];

/// A tool lives for a second: compile little, collect simply, warn only.
const TOOL_OPTIONS: [&str; 4] = [
    "-Xmx256m",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
];

/// How much memory a broker may take for its objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heap {
    /// The only one of its machine.
    Ordinary,
    /// One of three.
    Small,
}

impl Heap {
    fn option(self) -> &'static str {
        match self {
            Self::Ordinary => "-Xmx768m",
            Self::Small => "-Xmx400m",
        }
    }
}

/// One of the two ways.
#[derive(Debug, Clone)]
pub(crate) enum Runtime {
    Java { java: Java, install: Install },
    Docker(Docker),
}

impl Runtime {
    pub(crate) fn version(&self) -> &str {
        match self {
            Self::Java { install, .. } => install.version(),
            Self::Docker(_) => KAFKA_VERSION,
        }
    }

    /// Where the broker listens: inside a container the loopback would be the container's own,
    /// and it is Docker that publishes the port on the machine's loopback alone.
    pub(crate) fn bind_address(&self) -> &'static str {
        match self {
            Self::Java { .. } => "127.0.0.1",
            Self::Docker(_) => "0.0.0.0",
        }
    }

    /// The command that runs the broker or formats its folder.
    pub(crate) fn run_class(
        &self,
        folder: &Path,
        ports: &[u16],
        heap: Heap,
        class: &str,
    ) -> Command {
        match self {
            Self::Java { java, install } if class == BROKER => {
                let options = [&[heap.option()], &BROKER_OPTIONS[..]].concat();
                java_class(java, install, &options, class)
            }
            Self::Java { java, install } => java_class(java, install, &TOOL_OPTIONS, class),
            Self::Docker(docker) => docker.run_class(folder, ports, class),
        }
    }

    /// The command that runs one of Kafka's tools against the broker of the folder.
    pub(crate) fn tool(&self, folder: &Path, class: &str) -> Command {
        match self {
            Self::Java { java, install } => java_class(java, install, &TOOL_OPTIONS, class),
            Self::Docker(docker) => docker.tool(folder, class),
        }
    }

    /// What outlives the process that was started, and has to be ended by name.
    pub(crate) fn container(&self, folder: &Path) -> Option<Container> {
        match self {
            Self::Java { .. } => None,
            Self::Docker(docker) => Some(docker.container(folder)),
        }
    }
}

fn java_class(java: &Java, install: &Install, options: &[&str], class: &str) -> Command {
    let mut command = java.command();
    command.args(options).arg("-cp").arg(install.class_path()).arg(class);
    command
}
