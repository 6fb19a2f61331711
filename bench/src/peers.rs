//! The peers: Java programs of ours, built by Maven.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Where they are built from, and to.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// Builds them. Without changes it takes two seconds.
pub(crate) fn build() -> Result<()> {
    let status = Command::new("mvn")
        .args(["--quiet", "--batch-mode", "package", "--file"])
        .arg(folder().join("pom.xml"))
        .status()
        .context("Maven to be run: it builds the peers (apt-get install maven)")?;
    ensure!(status.success(), "Maven didn't build the peers: {status}");
    Ok(())
}

/// Runs one of them, with a heap of 1 GiB as a user would give it.
pub(crate) fn command(class: &str, settings: &[(&str, String)]) -> Command {
    let target = folder().join("target");
    let classpath = format!("{0}/classes:{0}/libs/*", target.display());
    let mut command = Command::new("java");
    command.args(["-Xms1g", "-Xmx1g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]);
    command.args(["-cp", &classpath, &format!("peers.{class}")]);
    command.args(settings.iter().map(|(name, value)| format!("{name}={value}")));
    command
}
