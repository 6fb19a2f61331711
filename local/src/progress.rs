//! What the launcher tells its caller while it works.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// One step on the way to a running Kafka; its `Display` is a line for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Another process installs or starts a Kafka in the same cache; this one waits for it.
    WaitingForOther {
        /// The lock that the other process holds.
        lock: PathBuf,
    },
    /// Maven begins to fetch Kafka.
    Installing {
        /// Kafka's version.
        version: &'static str,
    },
    /// Maven has fetched one more jar, of Kafka's or of its own.
    Downloaded {
        /// The jar's file name.
        jar: String,
        /// How many jars were fetched so far.
        count: usize,
    },
    /// Every jar has the checksum of its release, and the install is in its place.
    Installed {
        /// Its folder.
        home: PathBuf,
        /// How long the whole install took.
        took: Duration,
    },
    /// A broker starts.
    Starting {
        /// Kafka's version.
        version: String,
        /// The port it will listen on.
        port: u16,
    },
    /// The broker answers.
    Ready {
        /// Where.
        bootstrap_servers: String,
        /// How long the start took.
        took: Duration,
    },
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WaitingForOther { lock } => {
                write!(f, "waiting for another process that holds {}", lock.display())
            }
            Self::Installing { version } => {
                write!(f, "installing Kafka {version} with Maven (44 MB, once)")
            }
            Self::Downloaded { jar, count } => write!(f, "downloaded {jar} ({count})"),
            Self::Installed { home, took } => {
                write!(f, "installed in {} in {:.1} s", home.display(), took.as_secs_f64())
            }
            Self::Starting { version, port } => {
                write!(f, "starting Kafka {version} on port {port}")
            }
            Self::Ready { bootstrap_servers, took } => {
                write!(f, "Kafka answers at {bootstrap_servers} after {:.1} s", took.as_secs_f64())
            }
        }
    }
}
