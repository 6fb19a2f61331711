//! A lock between processes, which the system frees when its holder dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::{LocalError, Progress};

/// How often a waiting process looks again: far below what anybody notices.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// An exclusive advisory lock on a file, held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock if it is free.
    pub(crate) fn try_take(path: &Path) -> Result<Option<Self>, LocalError> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(LocalError::io("open the lock file", path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(LocalError::io("lock", path)(source)),
        }
    }

    /// Waits for the lock for at most `patience`, and says once that it waits.
    pub(crate) fn wait(
        path: PathBuf,
        patience: Duration,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, LocalError> {
        let since = Instant::now();
        if let Some(lock) = Self::try_take(&path)? {
            return Ok(lock);
        }
        progress(Progress::WaitingForOther { lock: path.clone() });
        while since.elapsed() < patience {
            std::thread::sleep(LOOK_AGAIN);
            if let Some(lock) = Self::try_take(&path)? {
                return Ok(lock);
            }
        }
        Err(LocalError::Locked { path, waited: patience })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_by_one_and_free_again_when_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = Lock::try_take(&path).unwrap();
        assert!(held.is_some());
        assert!(Lock::try_take(&path).unwrap().is_none());
        drop(held);
        assert!(Lock::try_take(&path).unwrap().is_some());
    }

    #[test]
    fn waiting_is_told_once_and_ends_with_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let _held = Lock::try_take(&path).unwrap();
        let mut told = Vec::new();
        let waited = Lock::wait(path.clone(), LOOK_AGAIN * 3, &mut |step| told.push(step));
        assert!(matches!(waited, Err(LocalError::Locked { .. })));
        assert_eq!(told, [Progress::WaitingForOther { lock: path }]);
    }
}
