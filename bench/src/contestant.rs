//! Who is measured, and how each is started.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::ground::Ground;
use crate::running::Running;
use crate::{Workload, peers};

/// One run of one program on one workload.
pub(crate) struct Run<'a> {
    pub(crate) workload: &'a Workload,
    pub(crate) contestant: &'a str,
    /// Its name: of its topic, its group and its files.
    pub(crate) name: String,
    pub(crate) folder: &'a Path,
}

impl Run<'_> {
    /// What it reads: all who are measured the same items, or items that are sent to it alone.
    pub(crate) fn from(&self) -> String {
        match self.workload.rate {
            None => self.workload.source(),
            Some(_) => format!("{}-in", self.name),
        }
    }

    /// Where it writes.
    pub(crate) fn to(&self) -> String {
        format!("{}-out", self.name)
    }

    /// The group that it reads in.
    pub(crate) fn group(&self) -> String {
        match self.contestant {
            "longshore" => format!("{}.relay", self.name),
            _ => self.name.clone(),
        }
    }

    /// Starts the program.
    pub(crate) fn start(&self, ground: &Ground) -> Result<Running> {
        let command = match self.contestant {
            "longshore" => self.longshore(ground)?,
            "bare" => self.bare(ground, 1, false)?,
            "bare-2" => self.bare(ground, 2, false)?,
            "bare-as-they-come" => self.bare(ground, 2, true)?,
            "streams" => peers::command("Relay", &self.peer_settings(ground, 1)),
            "streams-bytes" => {
                let mut settings = self.peer_settings(ground, 1);
                settings.push(("bytes", true.to_string()));
                peers::command("Relay", &settings)
            }
            "parallel-consumer" => {
                let threads = self.workload.concurrency.max(100);
                let mut settings = self.peer_settings(ground, threads);
                settings.push(("work", self.workload.work_millis.to_string()));
                peers::command("KeyOrder", &settings)
            }
            other => bail!("nobody is called {other}"),
        };
        Running::start(command, &self.folder.join(format!("{}.log", self.name)))
    }

    fn longshore(&self, ground: &Ground) -> Result<Command> {
        let pipeline = self.folder.join(format!("{}.yaml", self.name));
        fs::write(&pipeline, self.pipeline()).context("the pipeline file")?;
        let command = |name: &str| -> Result<Command> {
            let mut command = Command::new(beside("fleet")?);
            command.args([name, "--bootstrap-server", &ground.servers()]);
            command.arg("--pipeline").arg(&pipeline);
            command.env("BENCH_WORK_MILLIS", self.workload.work_millis.to_string());
            Ok(command)
        };
        let applied = command("apply")?.output()?;
        ensure!(applied.status.success(), "apply: {}", String::from_utf8_lossy(&applied.stderr));
        let mut work = command("work")?;
        work.args(["--admin", "127.0.0.1:0", "--logs", "json"]);
        Ok(work)
    }

    fn pipeline(&self) -> String {
        let Self { workload, name, .. } = self;
        format!(
            "pipeline: {name}\n\
             source: {{topic: {from}, schema: Work, key: key, start: earliest}}\n\
             stages:\n  relay: {{from: source, handler: relay, to: out, \
             commit_interval: {commit}ms, concurrency: {concurrency}}}\n\
             sinks:\n  out: {{topic: {to}}}\n",
            from = self.from(),
            to = self.to(),
            commit = workload.commit_millis,
            concurrency = workload.concurrency,
        )
    }

    fn bare(&self, ground: &Ground, producers: u32, as_they_come: bool) -> Result<Command> {
        let mut command = Command::new(beside("bare")?);
        command.args(["--servers", &ground.servers(), "--from", &self.from()]);
        command.args(["--to", &self.to(), "--group", &self.group()]);
        command.args(["--commit-millis", &self.workload.commit_millis.to_string()]);
        command.args(["--producers", &producers.to_string()]);
        if as_they_come {
            command.arg("--as-they-come");
        }
        Ok(command)
    }

    fn peer_settings(&self, ground: &Ground, threads: u32) -> Vec<(&'static str, String)> {
        vec![
            ("servers", ground.servers()),
            ("from", self.from()),
            ("to", self.to()),
            ("group", self.group()),
            ("dir", self.folder.join(&self.name).display().to_string()),
            ("commit", self.workload.commit_millis.to_string()),
            ("threads", threads.to_string()),
        ]
    }
}

/// How a program is set up, beyond what the workload asks of all.
pub(crate) fn settings(contestant: &str) -> &'static str {
    match contestant {
        "longshore" => {
            "one worker process with one lane, all defaults; the handler gets a decoded item and \
             answers with it"
        }
        "bare" => {
            "one thread over librdkafka with the lane's settings, headers and order of calls \
             (begin, produce, wait for delivery, offsets, commit); it decodes nothing, keeps no \
             order but the broker's, and survives nothing"
        }
        "bare-2" => "the same with two producers in turn",
        "bare-as-they-come" => "the same, but each record is produced as it is read",
        "streams" => {
            "Kafka Streams 4.3.1, `exactly_once_v2`, 1 thread, `max.poll.records` 10,000, \
             `batch.size` 1 MB, `linger.ms` 5, `buffer.memory` 64 MiB, heap 1 GiB; items decoded \
             and encoded by Avro's generated classes"
        }
        "streams-bytes" => "the same, but items are passed on unseen",
        "parallel-consumer" => {
            "Parallel Consumer 0.5.3.2, `ordering` KEY, `commitMode` \
             PERIODIC_TRANSACTIONAL_PRODUCER, a thread for each item that may be worked on at once \
             (100 at least), `max.poll.records` 10,000, `batch.size` 1 MB, `linger.ms` 5, heap 1 \
             GiB; items decoded and encoded by Avro's generated classes"
        }
        _ => "",
    }
}

/// A program of this package.
fn beside(name: &str) -> Result<std::path::PathBuf> {
    let program = std::env::current_exe()?.with_file_name(name);
    ensure!(program.exists(), "{} isn't built: build the whole package", program.display());
    Ok(program)
}
