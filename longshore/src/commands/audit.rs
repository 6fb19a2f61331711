//! `audit`: whether topics and committed progress agree.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use longshore_kafka::lane::config::Ordering;
use longshore_schemas::TopicName;
use serde::Serialize;

use crate::audit::{ByHand, Options, Plan, Report, Verdict, audit};
use crate::inspect::Observer;
use crate::session::Session;
use crate::{CommandError, Exit};

/// What is audited.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Topics of the pipeline: the stages that read or write one of them are audited; all without
    /// any. With --input, the topics that the stage writes
    #[arg(value_name = "TOPIC")]
    pub topics: Vec<String>,
    /// The input of a stage that is in no pipeline
    #[arg(long, value_name = "TOPIC", requires = "group", requires = "topics")]
    pub input: Option<String>,
    /// Its consumer group
    #[arg(long, value_name = "GROUP", requires = "input")]
    pub group: Option<String>,
    /// Its dead letters
    #[arg(long, value_name = "TOPIC", requires = "input")]
    pub dead_letters: Option<String>,
    /// Which of its items wait for one another
    #[arg(long, value_enum, default_value_t = Waits::Key, requires = "input")]
    pub ordering: Waits,
    /// Stages may leave items out: those that nothing came of are counted, and no fault
    #[arg(long)]
    pub may_skip: bool,
    /// How many faults are named; all are counted
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub shown: usize,
    /// How long a transaction may stay open that holds a partition back
    #[arg(long, value_name = "DURATION", default_value = "60s",
        value_parser = humantime::parse_duration)]
    pub patience: Duration,
    /// A folder with room for up to a hundred bytes per record; by default the system's folder for
    /// temporary files
    #[arg(long, value_name = "FOLDER")]
    pub state_dir: Option<PathBuf>,
}

/// Which items of a stage wait for one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Waits {
    /// Those of a key
    Key,
    /// Those of a partition
    Partition,
    /// None
    None,
}

#[derive(Debug, Serialize)]
struct Audited {
    verdict: Verdict,
    report: Report,
}

pub(super) fn run(args: &Args, session: &mut Session<'_>) -> Result<Exit, CommandError> {
    let plan = plan(args, session)?;
    let options = Options {
        shown: args.shown,
        may_skip: args.may_skip,
        patience: args.patience,
        state_dir: args.state_dir.clone(),
    };
    let report = audit(&Observer::connect(&session.kafka()?)?, &plan, &options)?;
    let verdict = report.verdict();
    session.out.answer(&Audited { verdict, report })?;
    Ok(match verdict {
        Verdict::Clean => Exit::Done,
        Verdict::Faulty | Verdict::Inconclusive => Exit::Failed,
    })
}

fn plan(args: &Args, session: &Session<'_>) -> Result<Plan, CommandError> {
    let topics = args.topics.iter().map(|it| TopicName::from(it.as_str())).collect();
    let (Some(input), Some(group)) = (&args.input, &args.group) else {
        let topics: Vec<_> = topics;
        return Ok(Plan::of(&session.pipeline()?, &topics)?);
    };
    Ok(Plan::by_hand(ByHand {
        group: group.clone(),
        input: input.as_str().into(),
        outputs: topics,
        dead_letters: args.dead_letters.as_deref().map(TopicName::from),
        ordering: match args.ordering {
            Waits::Key => Ordering::Key,
            Waits::Partition => Ordering::Partition,
            Waits::None => Ordering::None,
        },
    }))
}

impl fmt::Display for Audited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report.fmt(f)
    }
}
