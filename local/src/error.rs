//! What can go wrong on the way to a running Kafka, and what the user does about it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::KAFKA_VERSION;

/// Why there is no Kafka. Each message says what happened, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// No place to keep files.
    #[error("no cache folder: set LONGSHORE_CACHE, XDG_CACHE_HOME or HOME")]
    NoCacheDir,

    /// No choice is open on this machine.
    #[error(
        "no Kafka can be found or started on this machine; any one of these will do:\n\
         \x20 one that runs already: export LONGSHORE_BOOTSTRAP_SERVERS=host:port\n\
         \x20 an unpacked Kafka 4:   export KAFKA_HOME=/path/to/kafka\n\
         \x20 Maven, to install one: apt-get install maven   (or: brew install maven)\n\
         \x20 Docker, to run it:     docker pull {image}\n\
         the second and the third need Java 17 or newer ({java}); \
         scripts/setup installs what is missing",
        image = crate::docker::IMAGE
    )]
    NoKafka {
        /// What was found of Java.
        java: String,
    },

    /// No Java that Kafka runs on.
    #[error(
        "no Java 17 or newer ({looked}): run scripts/setup, \
         or apt-get install openjdk-17-jre-headless, or set JAVA_HOME"
    )]
    NoJava {
        /// Where it was looked for, and what was there.
        looked: String,
    },

    /// Three brokers can't run in containers.
    #[error(
        "three brokers at once need Java: containers have no loopback in common; \
         run scripts/setup, or apt-get install openjdk-17-jre-headless maven"
    )]
    NoTrioInDocker,

    /// Nobody answers at the servers that the user gave.
    #[error(
        "no answer from the Kafka at {bootstrap_servers}: {reason}; \
         is it running, and is the address right?"
    )]
    Unreachable {
        /// The servers as given.
        bootstrap_servers: String,
        /// What the last attempt said.
        reason: String,
    },

    /// `KAFKA_HOME` names something else.
    #[error(
        "KAFKA_HOME={} is no unpacked Kafka: {} is missing; correct it or unset it",
        home.display(), home.join("libs/kafka-clients-*.jar").display()
    )]
    NotKafkaHome {
        /// The folder it names.
        home: PathBuf,
    },

    /// Maven could not fetch the jars.
    #[error(
        "Maven could not fetch Kafka {KAFKA_VERSION}: {reason}; \
         is there a network, or a proxy to name in ~/.m2/settings.xml? Maven's last lines:\n{tail}"
    )]
    Maven {
        /// How Maven ended.
        reason: String,
        /// The end of what it wrote.
        tail: String,
    },

    /// A jar isn't the one that was released.
    #[error(
        "the install of Kafka {KAFKA_VERSION} was refused: {jar} {problem}; nothing was kept: \
         delete that jar from Maven's local repository (~/.m2/repository) and try again"
    )]
    WrongJar {
        /// The jar's file name.
        jar: String,
        /// What is wrong with it.
        problem: String,
    },

    /// Another process holds a lock for longer than its work can take.
    #[error("another process has held {} for {waited:?}; end it and try again", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// How long this process waited.
        waited: Duration,
    },

    /// Somebody else listens on the broker's port.
    #[error("port {port} of 127.0.0.1 is taken by another process; free it and start again")]
    PortBusy {
        /// The port.
        port: u16,
    },

    /// The broker, or the formatting of its data folder, failed.
    #[error("Kafka did not start: {reason}; the end of {}:\n{tail}", log.display())]
    NotStarted {
        /// What was seen.
        reason: String,
        /// The whole log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },

    /// A broker survived its kill.
    #[error("Kafka (pid {pid}) did not stop, not even by kill -9; is it in another namespace?")]
    NotStopped {
        /// The process.
        pid: u32,
    },

    /// The record of `up` can't be read.
    #[error("{} is no record of a running Kafka: {reason}; delete it", path.display())]
    BadState {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },

    /// The machine refused a file or a process.
    #[error("could not {doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or program.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl LocalError {
    /// For `map_err`: what was being done, and to what.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_path_buf(), source }
    }
}
