//! The folder of one broker: its settings, its data, its log.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::lock::Lock;
use crate::{Environment, LocalError, Progress};

/// Making a folder and removing old ones takes milliseconds.
const LOCK_MAX: Duration = Duration::from_secs(30);

/// Lines of a log that an error shows.
const TAIL_LINES: usize = 25;

/// Where each of a broker's files is.
#[derive(Debug, Clone)]
pub(crate) struct BrokerDir {
    path: PathBuf,
}

impl BrokerDir {
    /// The folder of the broker of `up`. It keeps its topics from one `up` to the next.
    pub(crate) fn lasting(environment: &Environment) -> Result<Self, LocalError> {
        let path = environment.prepare_cache()?.join("up");
        std::fs::create_dir_all(&path).map_err(LocalError::io("make the folder", &path))?;
        Ok(Self { path })
    }

    /// A folder within it, for one broker of several.
    pub(crate) fn within(&self, name: &str) -> Result<Self, LocalError> {
        let path = self.path.join(name);
        std::fs::create_dir_all(&path).map_err(LocalError::io("make the folder", &path))?;
        Ok(Self { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// Kafka writes this file when it formats the folder, and refuses to start without it.
    pub(crate) fn is_formatted(&self) -> bool {
        self.data().join("meta.properties").is_file()
    }

    pub(crate) fn settings(&self) -> PathBuf {
        self.path.join("server.properties")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path.join("broker.log")
    }

    /// How long the log is: where the next start's part of it begins.
    pub(crate) fn log_length(&self) -> u64 {
        self.log().metadata().map_or(0, |log| log.len())
    }

    /// The last lines of the log's part that begins there.
    pub(crate) fn log_tail(&self, from: u64) -> String {
        let log = std::fs::read(self.log()).unwrap_or_default();
        let from = usize::try_from(from).unwrap_or(usize::MAX).min(log.len());
        let text = String::from_utf8_lossy(&log[from..]);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }
}

/// A broker's folder that goes when its owner goes: by its destructor, and after a kill -9, which
/// runs none, by the next owner's sweep. That its owner lives is a lock that it holds.
#[derive(Debug)]
pub(crate) struct TemporaryDir {
    dir: BrokerDir,
    // In this order: the folder is removed while its lock is still held.
    _folder: TempDir,
    _alive: Lock,
}

impl TemporaryDir {
    /// Makes one, after sweeping those whose owners are dead.
    pub(crate) fn make(
        environment: &Environment,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, LocalError> {
        let parent = environment.prepare_cache()?.join("brokers");
        std::fs::create_dir_all(&parent).map_err(LocalError::io("make the folder", &parent))?;
        // Without it a sweep could take a folder that is made but not yet locked.
        let _making = Lock::wait(parent.join("lock"), LOCK_MAX, progress)?;
        sweep(&parent).map_err(LocalError::io("read the folder", &parent))?;
        let folder = tempfile::Builder::new().prefix("broker-").tempdir_in(&parent);
        let folder = folder.map_err(LocalError::io("make a folder in", &parent))?;
        let alive = Lock::wait(owner_lock(folder.path()), LOCK_MAX, progress)?;
        let dir = BrokerDir { path: folder.path().to_path_buf() };
        Ok(Self { dir, _folder: folder, _alive: alive })
    }

    pub(crate) fn dir(&self) -> &BrokerDir {
        &self.dir
    }
}

fn owner_lock(folder: &Path) -> PathBuf {
    folder.join("owner.lock")
}

fn sweep(parent: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(parent)? {
        let folder = entry?.path();
        if let Ok(Some(_owner_is_dead)) = Lock::try_take(&owner_lock(&folder)) {
            // A dying broker may still write; what stays is swept the next time.
            let _left = std::fs::remove_dir_all(&folder);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(cache: &Path) -> Environment {
        Environment {
            bootstrap_servers: None,
            kafka_home: None,
            java_home: None,
            path: Default::default(),
            cache_dir: cache.to_path_buf(),
        }
    }

    #[test]
    fn a_dead_owner_s_folder_is_swept_and_a_living_one_s_stays() {
        let cache = tempfile::tempdir().unwrap();
        let environment = environment(cache.path());
        let living = TemporaryDir::make(&environment, &mut |_| {}).unwrap();
        let dead = cache.path().join("brokers/broker-dead");
        std::fs::create_dir(&dead).unwrap();
        std::fs::write(owner_lock(&dead), "").unwrap();

        let another = TemporaryDir::make(&environment, &mut |_| {}).unwrap();
        assert!(!dead.exists());
        assert!(living.dir().path().exists());
        assert_ne!(living.dir().path(), another.dir().path());

        let path = living.dir().path().to_path_buf();
        drop(living);
        assert!(!path.exists());
    }

    #[test]
    fn the_tail_of_a_log_is_of_this_start_only() {
        let cache = tempfile::tempdir().unwrap();
        let dir = BrokerDir::lasting(&environment(cache.path())).unwrap();
        std::fs::write(dir.log(), "an earlier start\n").unwrap();
        let from = dir.log_length();
        std::fs::write(dir.log(), "an earlier start\nthis one\n").unwrap();
        assert_eq!(dir.log_tail(from), "this one");
    }
}
