//! `groups`: the open groups of joins, and what they wait for.

use std::fmt;

use longshore_schemas::records::{Counts, ExpectedPart};
use longshore_schemas::{GroupId, Timestamp};
use serde::Serialize;

use crate::inspect::Observer;
use crate::inspect::open_groups::{JoinView, Waiting};
use crate::pipeline::{Join, Pipeline};
use crate::session::Session;
use crate::table::Table;
use crate::{CommandError, Exit};

/// What is asked of the groups.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// List open groups, the one that is due first at the top
    List {
        /// Of which joins
        #[command(flatten)]
        of: Of,
        /// How many are shown
        #[arg(long, value_name = "COUNT", default_value_t = 50)]
        limit: usize,
    },
    /// Show one group, with the parts that it waits for
    Get {
        /// The group's id: topic/partition/offset of the item that opened it
        #[arg(value_name = "GROUP")]
        id: String,
        /// Of which joins
        #[command(flatten)]
        of: Of,
    },
}

/// Which joins, and how far they are read.
#[derive(Clone, Debug, clap::Args)]
pub struct Of {
    /// A join of the pipeline; all without it
    #[arg(long, value_name = "NAME")]
    pub join: Option<String>,
    /// Inbox records that are read of one partition, at most
    #[arg(long, value_name = "COUNT", default_value_t = 10_000_000)]
    pub records_max: u64,
}

/// An open group, as it is shown.
#[derive(Clone, Debug, Serialize)]
struct Shown {
    join: String,
    partition: i32,
    group: GroupId,
    revision: u32,
    opened_at_ms: i64,
    opened_offset: i64,
    deadline_ms: i64,
    sealed: bool,
    counts: Counts,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<ExpectedPart>,
}

#[derive(Debug, Serialize)]
struct List {
    open: usize,
    groups: Vec<Shown>,
}

#[derive(Debug, Serialize)]
struct Got(Vec<Shown>);

pub(super) fn run(command: &Command, session: &mut Session<'_>) -> Result<Exit, CommandError> {
    match command {
        Command::List { of, limit } => list(of, *limit, session),
        Command::Get { id, of } => get(id, of, session),
    }
}

fn list(of: &Of, limit: usize, session: &mut Session<'_>) -> Result<Exit, CommandError> {
    let mut groups = read(of, session, |_| true)?;
    let open = groups.len();
    groups.truncate(limit);
    groups.iter_mut().for_each(|group| group.missing.clear());
    session.out.answer(&List { open, groups })?;
    Ok(Exit::Done)
}

fn get(id: &str, of: &Of, session: &mut Session<'_>) -> Result<Exit, CommandError> {
    let groups = read(of, session, |group| group.as_str() == id)?;
    let exit = if groups.is_empty() { Exit::Failed } else { Exit::Done };
    session.out.answer(&Got(groups))?;
    Ok(exit)
}

fn read(
    of: &Of,
    session: &Session<'_>,
    wanted: impl Fn(&GroupId) -> bool + Copy,
) -> Result<Vec<Shown>, CommandError> {
    let pipeline = session.pipeline()?;
    let joins = joins(of, &pipeline)?;
    let observer = Observer::connect(&session.kafka()?)?;
    let mut found = Vec::new();
    for join in joins {
        let view = JoinView::of(&pipeline, join, of.records_max);
        let groups = view.open_groups(&observer, wanted)?;
        found.extend(groups.into_iter().map(|it| Shown::of(&join.name, it)));
    }
    found.sort_by_key(|it| it.deadline_ms);
    Ok(found)
}

fn joins<'a>(of: &Of, pipeline: &'a Pipeline) -> Result<Vec<&'a Join>, CommandError> {
    let Some(name) = &of.join else {
        return Ok(pipeline.joins().iter().collect());
    };
    let names: Vec<_> = pipeline.joins().iter().map(|it| it.name.as_str()).collect();
    let found = pipeline.join(name).ok_or_else(|| CommandError::UnknownName {
        option: "--join",
        name: name.clone(),
        remedy: format!("the pipeline has {}", names.join(", ")),
    })?;
    Ok(vec![found])
}

impl Shown {
    fn of(join: &str, waiting: Waiting) -> Self {
        let Waiting { partition, group, missing } = waiting;
        Self {
            join: join.to_owned(),
            partition: partition.0,
            group: group.group_id,
            revision: group.revision.0,
            opened_at_ms: group.opened_at.0,
            opened_offset: group.opened_offset,
            deadline_ms: group.deadline.0,
            sealed: group.sealed,
            counts: group.counts,
            missing,
        }
    }

    fn ended(&self) -> String {
        let Counts { expected, done, skipped, failed, .. } = self.counts;
        let open = if self.sealed { "" } else { "+" };
        format!("{} of {expected}{open}", done + skipped + failed)
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.open == 0 {
            return f.write_str("no group is open");
        }
        let head = ["JOIN", "GROUP", "OPENED", "DUE", "ENDED", "FAILED", "MISSING"];
        let mut table = Table::new(&head);
        for it in &self.groups {
            let names = [it.join.clone(), it.group.to_string()];
            let times = [time(it.opened_at_ms), time(it.deadline_ms)];
            let (failed, missing) = (it.counts.failed, it.counts.missing);
            let counts = [it.ended(), failed.to_string(), missing.to_string()];
            table.row(names.into_iter().chain(times).chain(counts));
        }
        write!(f, "{table}{} of {} open groups", self.groups.len(), self.open)
    }
}

impl fmt::Display for Got {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no such group is open: it closed, or never opened");
        }
        self.0.iter().try_for_each(|it| it.describe(f))
    }
}

impl Shown {
    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "group     {}, revision {}, of join {}", self.group, self.revision, self.join)?;
        writeln!(f, "inbox     partition {}, offset {}", self.partition, self.opened_offset)?;
        writeln!(f, "opened    {}", time(self.opened_at_ms))?;
        writeln!(f, "due       {}", time(self.deadline_ms))?;
        writeln!(f, "ended     {}, {} of them failed", self.ended(), self.counts.failed)?;
        for part in &self.missing {
            writeln!(f, "missing   part {} of {}", part.part_id, part.stage)?;
        }
        Ok(())
    }
}

/// A time as people read it.
pub(super) fn time(millis: i64) -> String {
    let elapsed = std::time::Duration::from_millis(u64::try_from(millis).unwrap_or(0));
    let time = std::time::UNIX_EPOCH.checked_add(elapsed);
    // Years of five digits aren't written by RFC 3339.
    match time.filter(|_| millis < 253_402_300_800_000) {
        Some(time) => humantime::format_rfc3339_millis(time).to_string(),
        None => Timestamp(millis).to_string(),
    }
}
