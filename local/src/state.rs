//! The record of the broker that `up` leaves running, a small JSON file in the cache.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::LocalError;
use crate::docker::Container;
use crate::process::ProcessId;

/// What is known of the broker that `up` started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunningBroker {
    pub(crate) process: ProcessId,
    pub(crate) container: Option<Container>,
    /// Where clients find it, `host:port`.
    pub bootstrap_servers: String,
    /// Kafka's version.
    pub version: String,
    /// Its folder, which keeps the topics when it stops.
    pub data_dir: PathBuf,
    /// Its log.
    pub log: PathBuf,
    /// When it was started.
    pub started_at: SystemTime,
}

impl RunningBroker {
    /// The pid of its process, or of the Docker client that holds its container.
    pub fn pid(&self) -> u32 {
        self.process.pid
    }

    /// For how long it has run. Zero if the clock was set back meanwhile.
    pub fn uptime(&self) -> Duration {
        self.started_at.elapsed().unwrap_or_default()
    }

    /// Reads the record, if there is one.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, LocalError> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.map_err(LocalError::io("read", path))?,
        };
        let bad = |error: serde_json::Error| LocalError::BadState {
            path: path.to_path_buf(),
            reason: error.to_string(),
        };
        serde_json::from_str(&text).map(Some).map_err(bad)
    }

    /// Writes the record in one step: a reader sees the whole of it, or none.
    pub(crate) fn write(&self, path: &Path) -> Result<(), LocalError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let text = serde_json::to_vec_pretty(self).map_err(std::io::Error::other);
        let written = text.and_then(|text| {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(&text)?;
            file.persist(path).map_err(|error| error.error)
        });
        written.map(drop).map_err(LocalError::io("write", path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> RunningBroker {
        RunningBroker {
            process: ProcessId::of(std::process::id()).unwrap(),
            container: None,
            bootstrap_servers: "127.0.0.1:9092".into(),
            version: "4.3.1".into(),
            data_dir: "/data".into(),
            log: "/data/broker.log".into(),
            started_at: SystemTime::now(),
        }
    }

    #[test]
    fn a_record_is_read_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("up.json");
        assert_eq!(RunningBroker::read(&path).unwrap(), None);
        record().write(&path).unwrap();
        let read = RunningBroker::read(&path).unwrap().unwrap();
        assert_eq!(read.process, record().process);
        assert!(read.process.is_running());
    }

    #[test]
    fn a_broken_record_is_an_error_that_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("up.json");
        std::fs::write(&path, "{\"process\":").unwrap();
        let error = RunningBroker::read(&path).unwrap_err().to_string();
        assert!(error.contains("up.json") && error.contains("delete it"), "{error}");
    }
}
