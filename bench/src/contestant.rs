//! Who is measured: what each reads and writes, and how it is started.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use longshore::schemas::TopicName;

use crate::fill::fill;
use crate::ground::Ground;
use crate::groups::{self, Form, Groups, Inbox, Plain};
use crate::held::Held;
use crate::running::Running;
use crate::workload::{Items, Measure};
use crate::{Workload, peers, pipeline};

/// Longshore itself, and in how many processes.
const LONGSHORE: [(&str, usize); 3] = [("longshore", 1), ("longshore-2", 2), ("longshore-4", 4)];

/// One run of one program on one workload.
pub(crate) struct Run<'a> {
    pub(crate) workload: &'a Workload,
    pub(crate) contestant: &'a str,
    /// Its name: of its topics, its group and its files.
    pub(crate) name: String,
    pub(crate) folder: &'a Path,
}

impl Run<'_> {
    /// Whether it is one of Longshore.
    pub(crate) fn is_longshore(&self) -> bool {
        self.processes().is_some()
    }

    /// In how many processes Longshore runs; none if it is another one.
    fn processes(&self) -> Option<usize> {
        let own = LONGSHORE.iter().find(|(name, _)| *name == self.contestant);
        own.map(|(_, processes)| *processes)
    }

    /// What it reads: what all read who are measured, or what is written for it alone.
    pub(crate) fn from(&self) -> TopicName {
        match &self.workload.measure {
            Measure::Relay(items) | Measure::Held(items, _) => items.topic(),
            Measure::Gather(_) | Measure::Restart { .. } if self.is_longshore() => {
                pipeline::inbox(&self.pipeline())
            }
            Measure::Gather(groups) => groups.topic(),
            Measure::Latency { .. } | Measure::Restart { .. } => format!("{}-in", self.name).into(),
        }
    }

    /// Where it writes.
    pub(crate) fn to(&self) -> TopicName {
        format!("{}-out", self.name).into()
    }

    /// The group that it reads in.
    pub(crate) fn group(&self) -> String {
        match self.is_longshore() {
            true => pipeline::group(&self.pipeline(), &self.workload.measure),
            false => self.name.clone(),
        }
    }

    /// The name of its pipeline. An inbox bears it, so that runs which share one share the name.
    pub(crate) fn pipeline(&self) -> String {
        match self.workload.measure {
            Measure::Gather(_) => self.workload.name.to_owned(),
            _ => self.name.clone(),
        }
    }

    /// How it reads and writes groups.
    pub(crate) fn form(&self) -> Box<dyn Form> {
        match self.is_longshore() {
            true => Box::new(Inbox::of(pipeline::parts(&self.pipeline()))),
            false => Box::new(Plain),
        }
    }

    /// Makes what it reads and writes, as far as it isn't there.
    pub(crate) fn prepare(&self, ground: &Ground) -> Result<()> {
        let from = self.from();
        ground.make_topic(&self.to())?;
        if self.is_longshore() {
            self.apply(ground)?;
        }
        ground.make_topic(&from)?;
        match &self.workload.measure {
            Measure::Relay(items) | Measure::Held(items, _) => fill(ground, &from, items),
            Measure::Gather(groups) => self.fill(ground, &from, groups),
            Measure::Latency { .. } | Measure::Restart { .. } => Ok(()),
        }
    }

    fn fill(&self, ground: &Ground, topic: &TopicName, groups: &Groups) -> Result<()> {
        if !ground.is_empty(topic)? {
            return Ok(());
        }
        groups::fill(ground, topic, self.form().as_ref(), groups, groups.records())?;
        let is_written = ground.ends(topic)? == Groups::ends(groups.records());
        ensure!(is_written, "some records of {topic} were not written");
        Ok(())
    }

    /// Makes room on the disk, and leaves what is shared as this run found it.
    pub(crate) fn clean_up(&self, ground: &Ground) -> Result<()> {
        let mut own = vec![format!("{}-", self.name)];
        if self.is_longshore() {
            own.push(format!("{}.", self.pipeline()));
        }
        let is_own = |topic: &TopicName| own.iter().any(|it| topic.as_str().starts_with(it));
        let shared = self.shared_inbox();
        ground.delete_topics(|topic| is_own(topic) && shared.as_ref() != Some(topic))?;
        if shared.is_some() {
            ground.delete_group(&self.group())?;
        }
        self.forget_disk()
    }

    /// The inbox that all runs of Longshore on this workload read.
    fn shared_inbox(&self) -> Option<TopicName> {
        let is_shared = matches!(self.workload.measure, Measure::Gather(_)) && self.is_longshore();
        is_shared.then(|| self.from())
    }

    /// Deletes what it keeps on the disk of its machine.
    pub(crate) fn forget_disk(&self) -> Result<()> {
        let state = self.state();
        match fs::remove_dir_all(&state) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("{} to be deleted", state.display()))
            }
            _ => Ok(()),
        }
    }

    fn state(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    /// Starts the program.
    pub(crate) fn start(&self, ground: &Ground) -> Result<Running> {
        let command = |_| match &self.workload.measure {
            Measure::Relay(items) | Measure::Latency { items, .. } => {
                self.relay(ground, items, None)
            }
            Measure::Held(items, held) => self.relay(ground, items, Some(held)),
            Measure::Gather(_) | Measure::Restart { .. } => self.gather(ground),
        };
        let commands = (0..self.processes().unwrap_or(1)).map(command).collect::<Result<_>>()?;
        Running::start(commands, &self.folder.join(format!("{}.log", self.name)))
    }

    fn relay(&self, ground: &Ground, items: &Items, held: Option<&Held>) -> Result<Command> {
        let work = items.work_millis.to_string();
        let text = |of: fn(&Held) -> u64| held.map_or(0, of).to_string();
        let (held_after, held) = (text(|it| it.after_millis), text(|it| it.millis));
        Ok(match self.contestant {
            _ if self.is_longshore() => {
                let mut command = self.fleet(ground, "work")?;
                command.env("BENCH_WORK_MILLIS", work).env("BENCH_HELD_MILLIS", held);
                command.env("BENCH_HELD_AFTER_MILLIS", held_after);
                command
            }
            "bare" => self.bare(ground, 1, false)?,
            "bare-2" => self.bare(ground, 2, false)?,
            "bare-as-they-come" => self.bare(ground, 2, true)?,
            "streams" => self.peer("Relay", ground, &[]),
            "streams-bytes" => self.peer("Relay", ground, &[("bytes", "true")]),
            "parallel-consumer" => {
                let threads = items.concurrency.max(100).to_string();
                let held = [("held", held.as_str()), ("heldAfter", &held_after)];
                let work = [("threads", threads.as_str()), ("work", &work)];
                self.peer("KeyOrder", ground, &[work, held].concat())
            }
            other => bail!("nobody who relays is called {other}"),
        })
    }

    fn gather(&self, ground: &Ground) -> Result<Command> {
        Ok(match self.contestant {
            _ if self.is_longshore() => self.fleet(ground, "coordinate")?,
            "streams-rocksdb" => self.peer("Gather", ground, &[]),
            "streams-rocksdb-cached" => self.peer("Gather", ground, &[("cached", "true")]),
            "streams-memory" => self.peer("Gather", ground, &[("memory", "true")]),
            other => bail!("nobody who gathers is called {other}"),
        })
    }

    fn bare(&self, ground: &Ground, producers: u32, as_they_come: bool) -> Result<Command> {
        let mut command = Command::new(beside("bare")?);
        command.args(["--servers", &ground.servers(), "--from", self.from().as_str()]);
        command.args(["--to", self.to().as_str(), "--group", &self.group()]);
        command.args(["--commit-millis", &self.workload.commit_millis.to_string()]);
        command.args(["--producers", &producers.to_string()]);
        if as_they_come {
            command.arg("--as-they-come");
        }
        Ok(command)
    }

    /// A Java program, told these settings beside those that all are told.
    fn peer(&self, class: &str, ground: &Ground, more: &[(&'static str, &str)]) -> Command {
        let mut settings = vec![
            ("servers", ground.servers()),
            ("from", self.from().to_string()),
            ("to", self.to().to_string()),
            ("group", self.group()),
            ("dir", self.state().display().to_string()),
            ("commit", self.workload.commit_millis.to_string()),
            ("threads", 1.to_string()),
        ];
        // What is told last holds.
        settings.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        peers::command(class, &settings)
    }
}

/// A program of this package.
pub(crate) fn beside(name: &str) -> Result<PathBuf> {
    let program = std::env::current_exe()?.with_file_name(name);
    ensure!(program.exists(), "{} isn't built: build the whole package", program.display());
    Ok(program)
}
