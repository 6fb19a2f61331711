//! Kafka's jars in a folder: one the user unpacked, or the one installed once into the cache.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::lock::Lock;
use crate::maven::Maven;
use crate::{Environment, KAFKA_VERSION, LocalError, Progress};

/// `sha256  name` of every jar, as `sha256sum` writes it.
const JARS: &str = include_str!("../kafka/jars.sha256");

/// Half-finished installs have this prefix, a name that is never used.
const UNFINISHED: &str = ".installing-";

/// The jar that tells a Kafka's version, in Maven's install as in the distribution.
const VERSION_JAR: &str = "kafka-clients-";

/// How long a process waits for another one's install: 44 MB on a slow line.
const INSTALL_MAX: Duration = Duration::from_secs(900);

/// A folder whose `libs` hold Kafka.
#[derive(Debug, Clone)]
pub(crate) struct Install {
    home: PathBuf,
    version: String,
}

impl Install {
    /// The distribution that `KAFKA_HOME` names.
    pub(crate) fn unpacked(home: &Path) -> Result<Self, LocalError> {
        let version = version_in(&home.join("libs"));
        let version = version.ok_or_else(|| LocalError::NotKafkaHome { home: home.into() })?;
        Ok(Self { home: home.into(), version })
    }

    /// The finished install in the cache. It came there by one rename, so what is there was
    /// verified; whether a cleaner of caches has taken a jar since is looked at each time.
    pub(crate) fn cached(environment: &Environment) -> Option<Self> {
        let home = environment.cache_dir.join(folder_name());
        let complete = expected().all(|(_, jar)| home.join("libs").join(jar).is_file());
        complete.then(|| Self { home, version: KAFKA_VERSION.to_owned() })
    }

    /// Installs into the cache, unless another process does it first.
    pub(crate) fn by_maven(
        environment: &Environment,
        maven: Maven,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, LocalError> {
        let cache = environment.prepare_cache()?;
        let _lock = Lock::wait(cache.join("install.lock"), INSTALL_MAX, progress)?;
        if let Some(done) = Self::cached(environment) {
            return Ok(done);
        }
        let since = Instant::now();
        sweep_unfinished(&cache);
        progress(Progress::Installing { version: KAFKA_VERSION });
        let home = cache.join(folder_name());
        fetch(&cache, &home, maven, progress)?;
        progress(Progress::Installed { home: home.clone(), took: since.elapsed() });
        Ok(Self { home, version: KAFKA_VERSION.to_owned() })
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Java's class path: it expands the star itself.
    pub(crate) fn class_path(&self) -> OsString {
        self.home.join("libs/*").into_os_string()
    }
}

fn folder_name() -> String {
    format!("kafka-{KAFKA_VERSION}")
}

/// Fetches beside the target, verifies, and renames: the target is whole or absent at any moment.
fn fetch(
    cache: &Path,
    home: &Path,
    maven: Maven,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), LocalError> {
    let unfinished = unfinished_folder(cache)?;
    maven.fetch_into(unfinished.path(), progress)?;
    verify(&unfinished.path().join("libs"))?;
    if home.exists() {
        std::fs::remove_dir_all(home).map_err(LocalError::io("remove the damaged", home))?;
    }
    std::fs::rename(unfinished.path(), home).map_err(LocalError::io("move the install to", home))
}

/// Removes itself when the install fails.
fn unfinished_folder(cache: &Path) -> Result<TempDir, LocalError> {
    tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempdir_in(cache)
        .map_err(LocalError::io("make a folder in", cache))
}

/// Removes what killed installs left. Only the lock's holder may: then no other one is under way.
fn sweep_unfinished(cache: &Path) {
    let entries = std::fs::read_dir(cache).into_iter().flatten().flatten();
    for entry in entries.filter(|e| e.file_name().to_string_lossy().starts_with(UNFINISHED)) {
        // What can't be removed is never used either, and the next install tries again.
        let _left = std::fs::remove_dir_all(entry.path());
    }
}

/// The jars are exactly the expected ones, byte for byte.
fn verify(libs: &Path) -> Result<(), LocalError> {
    for (sum, jar) in expected() {
        let found = sha256(&libs.join(jar)).map_err(|error| wrong(jar, error.to_string()))?;
        if found != sum {
            return Err(wrong(jar, format!("has the checksum {found} instead of {sum}")));
        }
    }
    match jars_in(libs).find(|name| expected().all(|(_, jar)| jar != name)) {
        Some(stranger) => Err(wrong(&stranger, "is not among the expected jars".to_owned())),
        None => Ok(()),
    }
}

fn wrong(jar: &str, problem: String) -> LocalError {
    LocalError::WrongJar { jar: jar.to_owned(), problem }
}

fn expected() -> impl Iterator<Item = (&'static str, &'static str)> {
    JARS.lines().filter_map(|line| line.split_once("  "))
}

fn jars_in(libs: &Path) -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir(libs).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned())
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn version_in(libs: &Path) -> Option<String> {
    jars_in(libs).find_map(|jar| {
        let version = jar.strip_prefix(VERSION_JAR)?.strip_suffix(".jar")?;
        let is_version = version.starts_with(|c: char| c.is_ascii_digit());
        (is_version && !version.contains("-test")).then(|| version.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_jars_names_the_broker_and_its_tools_with_whole_checksums() {
        let jars: Vec<_> = expected().collect();
        for name in ["kafka_2.13", "kafka-clients", "kafka-tools", "kafka-group-coordinator"] {
            let jar = format!("{name}-{KAFKA_VERSION}.jar");
            assert!(jars.iter().any(|(_, listed)| *listed == jar), "{jar} is not listed");
        }
        assert!(jars.iter().all(|(sum, _)| sum.len() == 64));
        assert_eq!(jars.len(), JARS.lines().count());
    }

    #[test]
    fn a_missing_and_a_changed_jar_are_each_refused_by_name() {
        let libs = tempfile::tempdir().unwrap();
        let (_, first) = expected().next().unwrap();
        let refusal = verify(libs.path()).unwrap_err().to_string();
        assert!(refusal.contains(first) && refusal.contains("No such file"), "{refusal}");

        std::fs::write(libs.path().join(first), "not that jar").unwrap();
        let refusal = verify(libs.path()).unwrap_err().to_string();
        assert!(refusal.contains(first) && refusal.contains("checksum"), "{refusal}");
    }

    #[test]
    fn a_distribution_is_known_by_its_clients_jar() {
        let home = tempfile::tempdir().unwrap();
        let libs = home.path().join("libs");
        assert!(matches!(Install::unpacked(home.path()), Err(LocalError::NotKafkaHome { .. })));
        std::fs::create_dir(&libs).unwrap();
        std::fs::write(libs.join("kafka-clients-4.1.0-test.jar"), "").unwrap();
        std::fs::write(libs.join("kafka-clients-4.1.0.jar"), "").unwrap();
        assert_eq!(Install::unpacked(home.path()).unwrap().version(), "4.1.0");
    }
}
