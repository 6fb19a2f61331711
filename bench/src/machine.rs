//! What it is measured on.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use procfs::{CpuInfo, Current, Meminfo};

use crate::writer::client_version;

/// The machine and the versions of everything that takes part, one line for each, as Markdown.
pub(crate) fn facts(kafka: &str) -> Result<Vec<String>> {
    let cpus = CpuInfo::current()?;
    let cpu = cpus.model_name(0).unwrap_or("unknown processor").to_owned();
    let memory = Meminfo::current()?.mem_total as f64 / f64::from(1 << 30);
    let client = client_version();
    Ok(vec![
        format!("Machine: {} cores of {cpu}, {memory:.0} GiB; {}", cpus.num_cores(), system()?),
        format!(
            "Apache Kafka {kafka}, one broker beside its clients, 8 partitions, no compression"
        ),
        format!("librdkafka {client}; {}", java()?),
    ])
}

fn system() -> Result<String> {
    let release = fs::read_to_string("/etc/os-release").context("/etc/os-release")?;
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    let kernel =
        fs::read_to_string("/proc/sys/kernel/osrelease").context("the kernel's release")?;
    Ok(format!("{}, Linux {}", name.unwrap_or("Linux").trim_matches('"'), kernel.trim()))
}

/// Its own words: the first line of `java -version`.
fn java() -> Result<String> {
    let said = Command::new("java").arg("-version").output().context("java to be run")?;
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    Ok(said.lines().next().unwrap_or("an unknown Java").replace('"', ""))
}
