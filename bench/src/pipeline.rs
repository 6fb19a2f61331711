//! Longshore's side: the pipelines of the workloads, and the fleet that runs them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use longshore::schemas::TopicName;

use crate::contestant::{Run, beside};
use crate::ground::Ground;
use crate::groups::{GROUP_TIMEOUT, PART_STAGE};
use crate::workload::{Items, Measure};

/// The inbox of the join that gathers.
pub(crate) fn inbox(pipeline: &str) -> TopicName {
    format!("{pipeline}.gather.inbox").into()
}

/// The topic of the parts that would be worked on before they are gathered.
pub(crate) fn parts(pipeline: &str) -> TopicName {
    format!("{pipeline}.split").into()
}

/// The group of what is measured.
pub(crate) fn group(pipeline: &str, measure: &Measure) -> String {
    match measure {
        Measure::Relay(_) | Measure::Latency { .. } | Measure::Held(..) => {
            format!("{pipeline}.relay")
        }
        Measure::Gather(_) | Measure::Restart { .. } => format!("{pipeline}.gather"),
    }
}

impl Run<'_> {
    /// Makes the topics of its pipeline, as a user would.
    pub(crate) fn apply(&self, ground: &Ground) -> Result<()> {
        let text = match &self.workload.measure {
            Measure::Relay(items) | Measure::Latency { items, .. } | Measure::Held(items, _) => {
                self.relaying(items)
            }
            Measure::Gather(_) | Measure::Restart { .. } => self.gathering(),
        };
        fs::write(self.file(), text).context("the pipeline file")?;
        let applied = self.command(ground, "apply")?.output()?;
        ensure!(applied.status.success(), "apply: {}", String::from_utf8_lossy(&applied.stderr));
        Ok(())
    }

    /// The fleet, running stages (`work`) or joins (`coordinate`).
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
             commit_interval: {commit}ms, concurrency: {concurrency}{timeout}}}\n\
             sinks:\n  out: {{topic: {to}}}\n",
            name = self.pipeline(),
            from = self.from(),
            to = self.to(),
            commit = self.workload.commit_millis,
            concurrency = items.concurrency,
            timeout = match self.workload.measure {
                // The default is as long as the item that is held.
                Measure::Held(..) => ", item_timeout: 60s",
                _ => "",
            },
        )
    }

    /// Only its join is run: what its stages would have written is in the inbox.
    fn gathering(&self) -> String {
        let name = self.pipeline();
        format!(
            "pipeline: {name}\n\
             source: {{topic: {name}.items, schema: Work, key: key, start: earliest}}\n\
             stages:\n  \
             split: {{from: source, handler: relay, fan_out: {{parts: parts, join: gather}}}}\n  \
             {PART_STAGE}: {{from: split, handler: relay, to: gather}}\n\
             joins:\n  \
             gather: {{of: [{PART_STAGE}], timeout: {timeout}s, gather: gather, into: out}}\n\
             sinks:\n  out: {{topic: {to}}}\n",
            timeout = GROUP_TIMEOUT.as_secs(),
            to = self.to(),
        )
    }
}
