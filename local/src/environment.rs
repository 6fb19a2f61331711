//! What the launcher reads from the process's environment, as one value.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::LocalError;

/// What decides which Kafka is used and where the launcher keeps its files.
///
/// It is a value, so that tests can point it anywhere without touching their own process.
#[derive(Debug, Clone)]
pub struct Environment {
    /// A Kafka that runs already, `host:port[,host:port...]` (`LONGSHORE_BOOTSTRAP_SERVERS`).
    pub bootstrap_servers: Option<String>,
    /// An unpacked Kafka distribution (`KAFKA_HOME`).
    pub kafka_home: Option<PathBuf>,
    /// The Java to prefer (`JAVA_HOME`).
    pub java_home: Option<PathBuf>,
    /// Where `java`, `mvn` and `docker` are looked for (`PATH`).
    pub path: OsString,
    /// The launcher's own folder: installs, brokers' data, the state of `up`.
    pub cache_dir: PathBuf,
}

impl Environment {
    /// Reads the process's environment. The cache folder is `LONGSHORE_CACHE`, or `longshore` in
    /// `XDG_CACHE_HOME`, or `~/.cache/longshore`.
    pub fn from_process() -> Result<Self, LocalError> {
        Self::from_variables(|name| std::env::var_os(name))
    }

    fn from_variables(read: impl Fn(&str) -> Option<OsString>) -> Result<Self, LocalError> {
        // A variable that is set to nothing counts as absent, as shells and XDG have it.
        let read = |name: &str| read(name).filter(|value| !value.is_empty());
        let path_of = |name: &str| read(name).map(PathBuf::from);
        let cache_dir = path_of("LONGSHORE_CACHE")
            .or_else(|| path_of("XDG_CACHE_HOME").map(|home| home.join("longshore")))
            .or_else(|| path_of("HOME").map(|home| home.join(".cache/longshore")))
            .ok_or(LocalError::NoCacheDir)?;
        Ok(Self {
            bootstrap_servers: read("LONGSHORE_BOOTSTRAP_SERVERS")
                .map(|servers| servers.to_string_lossy().into_owned()),
            kafka_home: path_of("KAFKA_HOME"),
            java_home: path_of("JAVA_HOME"),
            path: read("PATH").unwrap_or_default(),
            cache_dir,
        })
    }

    /// The first executable file of this name on the path.
    pub(crate) fn find(&self, program: &str) -> Option<PathBuf> {
        std::env::split_paths(&self.path)
            .map(|folder| folder.join(program))
            .find(|candidate| is_executable(candidate))
    }

    /// The cache folder, which is made when it isn't there. Always an absolute path: it goes into
    /// the broker's settings, and the broker may outlive its starter's working directory.
    pub(crate) fn prepare_cache(&self) -> Result<PathBuf, LocalError> {
        std::fs::create_dir_all(&self.cache_dir)
            .map_err(LocalError::io("make the folder", &self.cache_dir))?;
        self.cache_dir.canonicalize().map_err(LocalError::io("resolve the folder", &self.cache_dir))
    }
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache_dir(variables: &[(&str, &str)]) -> Result<PathBuf, LocalError> {
        let read = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        };
        Environment::from_variables(read).map(|environment| environment.cache_dir)
    }

    #[test]
    fn the_cache_is_where_the_user_says_then_where_xdg_says_then_in_the_home() {
        let all = [("LONGSHORE_CACHE", "/a"), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(cache_dir(&all).unwrap(), Path::new("/a"));
        assert_eq!(cache_dir(&all[1..]).unwrap(), Path::new("/x/longshore"));
        assert_eq!(cache_dir(&all[2..]).unwrap(), Path::new("/h/.cache/longshore"));
        assert!(matches!(cache_dir(&[]), Err(LocalError::NoCacheDir)));
    }

    #[test]
    fn an_empty_variable_counts_as_absent() {
        let found = cache_dir(&[("LONGSHORE_CACHE", ""), ("HOME", "/h")]).unwrap();
        assert_eq!(found, Path::new("/h/.cache/longshore"));
    }

    #[test]
    fn only_executable_files_are_found_on_the_path() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mvn"), "").unwrap();
        let environment = Environment {
            bootstrap_servers: None,
            kafka_home: None,
            java_home: None,
            path: folder.path().into(),
            cache_dir: folder.path().into(),
        };
        assert_eq!(environment.find("mvn"), None);

        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path().join("mvn"), mode).unwrap();
        assert_eq!(environment.find("mvn"), Some(folder.path().join("mvn")));
    }
}
