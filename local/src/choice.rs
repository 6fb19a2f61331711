//! Which Kafka: the one that was given, one that runs already, or one to start here.

use crate::docker::Docker;
use crate::install::Install;
use crate::java::Java;
use crate::maven::Maven;
use crate::owned::{OwnedBroker, start_owned};
use crate::runtime::Runtime;
use crate::state::RunningBroker;
use crate::up::{Status, status};
use crate::{Environment, LocalError, Progress, probe};

/// A Kafka that answers, and whose it is.
#[derive(Debug)]
pub enum Cluster {
    /// The user gave its servers; nobody of ours starts or stops it.
    Given {
        /// The servers as given.
        bootstrap_servers: String,
    },
    /// `up` left it running; it stays when this process ends.
    Shared(RunningBroker),
    /// This process started it; it ends when the value is dropped, or with the process.
    Owned(OwnedBroker),
}

impl Cluster {
    /// Where clients find it, `host:port[,host:port...]`.
    pub fn bootstrap_servers(&self) -> String {
        match self {
            Self::Given { bootstrap_servers } => bootstrap_servers.clone(),
            Self::Shared(broker) => broker.bootstrap_servers.clone(),
            Self::Owned(broker) => broker.bootstrap_servers(),
        }
    }
}

/// Finds a Kafka, or starts one that ends with this process.
///
/// In this order: the servers of the environment, the broker of `up`, and one of one's own from
/// `KAFKA_HOME`, the cached install, an install by Maven, or Docker.
pub fn find_or_start(
    environment: &Environment,
    progress: &mut dyn FnMut(Progress),
) -> Result<Cluster, LocalError> {
    if let Some(bootstrap_servers) = environment.bootstrap_servers.clone() {
        return given(bootstrap_servers);
    }
    if let Status::Running(broker) = status(environment)? {
        return Ok(Cluster::Shared(broker));
    }
    start_owned(environment, progress).map(Cluster::Owned)
}

/// A wrong address is told at once, and not by every client after its own time-out.
fn given(bootstrap_servers: String) -> Result<Cluster, LocalError> {
    match probe::reach(&bootstrap_servers) {
        Ok(()) => Ok(Cluster::Given { bootstrap_servers }),
        Err(error) => {
            let reason = error.to_string();
            Err(LocalError::Unreachable { bootstrap_servers, reason })
        }
    }
}

/// What a broker of ours runs on.
pub(crate) fn runtime(
    environment: &Environment,
    progress: &mut dyn FnMut(Progress),
) -> Result<Runtime, LocalError> {
    let java = Java::find(environment);
    if let Ok(java) = &java
        && let Some(install) = install(environment, java, progress)?
    {
        return Ok(Runtime::Java { java: java.clone(), install });
    }
    if let Some(docker) = Docker::find(environment) {
        return Ok(Runtime::Docker(docker));
    }
    Err(nothing_fits(environment, java))
}

/// Where Kafka is at hand and only Java is missing, that is the whole message.
fn nothing_fits(environment: &Environment, java: Result<Java, LocalError>) -> LocalError {
    match java {
        Err(missing) if has_kafka(environment) => missing,
        Err(LocalError::NoJava { looked }) => LocalError::NoKafka { java: looked },
        Err(other) => other,
        Ok(_) => LocalError::NoKafka { java: "there is one".to_owned() },
    }
}

/// Kafka's jars, in the order of preference. A `KAFKA_HOME` that is wrong is an error: the user
/// said which Kafka it is to be.
fn install(
    environment: &Environment,
    java: &Java,
    progress: &mut dyn FnMut(Progress),
) -> Result<Option<Install>, LocalError> {
    if let Some(home) = &environment.kafka_home {
        return Install::unpacked(home).map(Some);
    }
    if let Some(install) = Install::cached(environment) {
        return Ok(Some(install));
    }
    match Maven::find(environment, java) {
        Some(maven) => Install::by_maven(environment, maven, progress).map(Some),
        None => Ok(None),
    }
}

fn has_kafka(environment: &Environment) -> bool {
    environment.kafka_home.is_some()
        || Install::cached(environment).is_some()
        || environment.find("mvn").is_some()
}
