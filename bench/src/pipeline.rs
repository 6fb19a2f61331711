//! Longshore's side: the pipelines of the workloads, and the fleet that runs them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::contestant::{Run, beside};
use crate::ground::Ground;
use crate::workload::{Items, Measure};

/// The group of what is measured.
pub(crate) fn group(pipeline: &str) -> String {
    format!("{pipeline}.relay")
}

impl Run<'_> {
    /// Makes the topics of its pipeline, as a user would.
    pub(crate) fn apply(&self, ground: &Ground) -> Result<()> {
        let text = match &self.workload.measure {
            Measure::Relay(items) | Measure::Latency { items, .. } => self.relaying(items),
        };
        fs::write(self.file(), text).context("the pipeline file")?;
        let applied = self.command(ground, "apply")?.output()?;
        ensure!(applied.status.success(), "apply: {}", String::from_utf8_lossy(&applied.stderr));
        Ok(())
    }

    /// The fleet, running stages (`work`).
    pub(crate) fn fleet(&self, ground: &Ground, name: &str) -> Result<Command> {
        let mut command = self.command(ground, name)?;
        command.args(["--admin", "127.0.0.1:0", "--logs", "json"]);
        Ok(command)
    }

    fn command(&self, ground: &Ground, name: &str) -> Result<Command> {
        let mut command = Command::new(beside("fleet")?);
        command.args([name, "--bootstrap-server", &ground.servers()]);
        command.arg("--pipeline").arg(self.file());
        Ok(command)
    }

    fn file(&self) -> PathBuf {
        self.folder.join(format!("{}.yaml", self.name))
    }

    fn relaying(&self, items: &Items) -> String {
        format!(
            "pipeline: {name}\n\
             source: {{topic: {from}, schema: Work, key: key, start: earliest}}\n\
             stages:\n  relay: {{from: source, handler: relay, to: out, \
             commit_interval: {commit}ms, concurrency: {concurrency}}}\n\
             sinks:\n  out: {{topic: {to}}}\n",
            name = self.name,
            from = self.from(),
            to = self.to(),
            commit = self.workload.commit_millis,
            concurrency = items.concurrency,
        )
    }
}
