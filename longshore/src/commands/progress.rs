//! `progress`: what is committed, and the deliberate ways on where a lane stops.

use std::fmt;

use longshore_kafka::Partition;
use longshore_kafka::admin::{AdminError, Stability};
use longshore_kafka::lane::progress::{FinishedMap, Metadata};
use serde::Serialize;

use super::which::Which;
use crate::inspect::mending::{Change, accept_loss, drop_map, start_anew};
use crate::inspect::{Consumer, InspectError, Observer, Progress, Standing};
use crate::session::Session;
use crate::table::Table;
use crate::{CommandError, Exit};

/// What is asked of committed progress, or done to it.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Show position, finished map and owner of each partition
    Show(Which),
    /// Forget what is finished ahead of a position: it is worked on and written again
    DropMap(Changing),
    /// Go on behind records that expired unread, or that a truncated log lost
    AcceptLoss(Changing),
    /// Begin at the first record of a topic that was made again, or where progress is gone
    StartAnew(Changing),
}

/// Where something is changed.
#[derive(Clone, Debug, clap::Args)]
pub struct Changing {
    /// Of which stage or group, which must have no members
    #[command(flatten)]
    pub which: Which,
    /// Only in this partition
    #[arg(long, value_name = "PARTITION")]
    pub partition: Option<i32>,
    /// Do it; without it is only said what would be done
    #[arg(long)]
    pub yes: bool,
}

/// How a change is found: none where there is nothing to change.
type Find = fn(&Consumer, &Standing) -> Result<Option<Change>, InspectError>;

/// A partition's progress, as it is shown.
#[derive(Debug, Serialize)]
struct Shown {
    stage: String,
    group: String,
    topic: String,
    partition: i32,
    log_start: i64,
    end: i64,
    position: Option<i64>,
    /// Ranges `[from, to)` that are finished ahead of the position.
    finished: Vec<(i64, i64)>,
    owner: Option<String>,
    order: Option<String>,
    guard: Option<String>,
    state: Option<String>,
    /// What is wrong with what stands beside the position.
    wrong: Option<String>,
}

#[derive(Debug, Serialize)]
struct Progresses(Vec<Shown>);

/// What is done to a group's progress.
#[derive(Debug, Serialize)]
struct Changes {
    group: String,
    topic: String,
    done: bool,
    changes: Vec<String>,
}

pub(super) fn run(command: &Command, session: &mut Session<'_>) -> Result<Exit, CommandError> {
    match command {
        Command::Show(which) => show(which, session),
        Command::DropMap(args) => change(args, drop_map, session),
        Command::AcceptLoss(args) => change(args, accept_loss, session),
        Command::StartAnew(args) => change(args, start_anew, session),
    }
}

fn show(which: &Which, session: &mut Session<'_>) -> Result<Exit, CommandError> {
    let consumers = which.consumers(session)?;
    let observer = Observer::connect(&session.kafka()?)?;
    let mut shown = Vec::new();
    for consumer in &consumers {
        let standings = observer.standings(consumer, Stability::AsWritten)?;
        shown.extend(standings.iter().map(|it| Shown::of(consumer, it)));
    }
    session.out.answer(&Progresses(shown))?;
    Ok(Exit::Done)
}

fn change(args: &Changing, find: Find, session: &mut Session<'_>) -> Result<Exit, CommandError> {
    let consumers = args.which.consumers(session)?;
    let [consumer] = &consumers[..] else {
        return Err(CommandError::UnknownName {
            option: "--stage",
            name: "(none)".to_owned(),
            remedy: "name the one stage or join whose progress is to be changed".to_owned(),
        });
    };
    let observer = Observer::connect(&session.kafka()?)?;
    let changes = found(&observer, consumer, args.partition, find)?;
    let done = args.yes && !changes.is_empty();
    session.out.answer(&Changes {
        group: consumer.group.clone(),
        topic: consumer.topic.to_string(),
        done: args.yes,
        changes: changes.iter().map(ToString::to_string).collect(),
    })?;
    if done {
        let writes: Vec<_> = changes.into_iter().map(|it| it.write).collect();
        observer.progress(&consumer.group)?.write(&consumer.topic, &writes)?;
    }
    Ok(Exit::Done)
}

/// The changes to be made. Members would overwrite them, so there must be none from the beginning.
fn found(
    observer: &Observer,
    consumer: &Consumer,
    partition: Option<i32>,
    find: Find,
) -> Result<Vec<Change>, CommandError> {
    if let Some(group) = observer.progress(&consumer.group)?.describe()?
        && !group.members.is_empty()
    {
        let (group, members) = (group.name, group.members);
        return Err(AdminError::GroupLive { group, members }.into());
    }
    let mut standings = observer.standings(consumer, Stability::Stable)?;
    if let Some(partition) = partition.map(Partition) {
        standings.retain(|it| it.partition == partition);
        if standings.is_empty() {
            let topic = consumer.topic.clone();
            return Err(InspectError::NoPartition { topic, partition }.into());
        }
    }
    let changes = standings.iter().filter_map(|it| find(consumer, it).transpose());
    Ok(changes.collect::<Result<_, _>>()?)
}

impl Shown {
    fn of(consumer: &Consumer, standing: &Standing) -> Self {
        let Standing { partition, log, progress } = standing;
        let ours = |text: fn(&Metadata) -> String| match progress {
            Progress::Ours(metadata) => Some(text(metadata)),
            _ => None,
        };
        let ranges = progress.finished().into_iter().flat_map(FinishedMap::ranges);
        Self {
            stage: consumer.name.to_string(),
            group: consumer.group.clone(),
            topic: consumer.topic.to_string(),
            partition: partition.0,
            log_start: log.log_start.0,
            end: log.last_stable.0,
            position: progress.position().map(|it| it.0),
            finished: ranges.map(|(from, to)| (from.0, to.0)).collect(),
            owner: ours(|it| format!("{}.{}", it.owner, it.seq)),
            order: ours(|it| it.order.clone()),
            guard: ours(|it| it.guard.clone()),
            state: ours(|it| it.state.clone()),
            wrong: match progress {
                Progress::Unusable { reason, .. } => Some(reason.to_string()),
                _ => None,
            },
        }
    }

    /// The first ranges of the map, or what is wrong with it.
    fn map(&self) -> String {
        const SHOWN: usize = 5;
        if let Some(wrong) = &self.wrong {
            return format!("unusable: {wrong}");
        }
        let ranges = self.finished.iter().take(SHOWN);
        let mut ranges: Vec<_> = ranges.map(|(from, to)| format!("{from}..{to}")).collect();
        if let Some(more) = self.finished.len().checked_sub(SHOWN).filter(|it| *it > 0) {
            ranges.push(format!("{more} more"));
        }
        if ranges.is_empty() { "-".to_owned() } else { ranges.join(" ") }
    }
}

impl fmt::Display for Progresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head =
            ["STAGE", "PARTITION", "LOG", "POSITION", "OWNER", "ORDER", "STATE", "FINISHED AHEAD"];
        let mut table = Table::new(&head);
        for it in &self.0 {
            let or_none = |text: &Option<String>| match text.as_deref() {
                None | Some("") => "-".to_owned(),
                Some(text) => text.to_owned(),
            };
            table.row([
                it.stage.clone(),
                it.partition.to_string(),
                format!("{}..{}", it.log_start, it.end),
                or_none(&it.position.map(|it| it.to_string())),
                or_none(&it.owner),
                or_none(&it.order),
                or_none(&it.state),
                it.map(),
            ]);
        }
        table.fmt(f)
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group, topic, .. } = self;
        if self.changes.is_empty() {
            return write!(f, "group {group} on {topic}: nothing is to be changed");
        }
        let begin = if self.done { "is changed" } else { "would be changed, with --yes" };
        writeln!(f, "group {group} on {topic} {begin}:")?;
        self.changes.iter().try_for_each(|it| writeln!(f, "  {it}"))
    }
}
