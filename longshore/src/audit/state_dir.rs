//! The folder in which an audit keeps what doesn't fit in memory. It goes when the audit ends; what
//! one that was killed has left goes when the next one begins.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::inspect::InspectError;

/// What begins the name of every such folder.
const PREFIX: &str = "longshore-audit-";
/// In each of them: locked as long as its audit lives, and by its process alone.
const LOCK: &str = "lock";
/// A folder without a lock is about to be locked, unless it is as old as this.
const UNLOCKED_MAX: Duration = Duration::from_secs(3600);

/// A folder of one audit, in a folder that several may use.
pub(crate) struct StateDir {
    folder: TempDir,
    /// The system unlocks it when the process ends, however it does.
    _lock: File,
}

impl StateDir {
    /// Makes one in `parent` (by default the system's folder for temporary files).
    pub(crate) fn create(parent: Option<&Path>) -> Result<Self, InspectError> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        let failed = |source| unkept(&parent, source);
        fs::create_dir_all(&parent).map_err(failed)?;
        remove_left(&parent);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&parent).map_err(failed)?;
        let lock = File::create_new(folder.path().join(LOCK)).map_err(failed)?;
        lock.lock().map_err(failed)?;
        Ok(Self { folder, _lock: lock })
    }

    /// A folder in it, made anew.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf, InspectError> {
        let path = self.folder.path().join(name);
        fs::create_dir(&path).map_err(|source| unkept(&path, source))?;
        Ok(path)
    }
}

/// The error that says what is to be done.
pub(crate) fn unkept(folder: &Path, source: io::Error) -> InspectError {
    InspectError::AuditState { folder: folder.to_owned(), source }
}

/// Removes the folders of audits that were killed. One that can't be removed (another user's) is no
/// reason to stop.
fn remove_left(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if is_ours && is_left(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_left(folder: &Path) -> bool {
    match File::open(folder.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_ok(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made = fs::metadata(folder).and_then(|it| it.modified());
            made.is_ok_and(|it| it.elapsed().is_ok_and(|age| age > UNLOCKED_MAX))
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_audit_and_one_that_was_left_with_the_next() {
        let parent = tempfile::tempdir().unwrap();
        let left = parent.path().join("longshore-audit-killed");
        fs::create_dir(&left).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        fs::write(left.join("0"), "facts").unwrap();
        let young = parent.path().join("longshore-audit-young");
        fs::create_dir(&young).unwrap();
        fs::write(parent.path().join("longshore"), "another's").unwrap();

        let first = StateDir::create(Some(parent.path())).unwrap();
        let second = StateDir::create(Some(parent.path())).unwrap();
        let items = first.folder("items").unwrap();
        assert!(!left.exists() && items.is_dir() && young.is_dir());
        assert!(parent.path().join("longshore").is_file());
        drop((first, second));
        let names: Vec<_> = fs::read_dir(parent.path()).unwrap().flatten().collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = StateDir::create(Some(file.path())).err().unwrap().to_string();
        let path = file.path().display().to_string();
        assert!(error.contains(&path) && error.contains("--state-dir"), "{error}");
    }
}
