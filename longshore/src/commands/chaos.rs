//! `chaos`: the pipeline and its handlers under faults, on a Kafka of its own.

use std::fmt;
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use longshore_local::Environment;
use serde::Serialize;

use super::produce::input;
use crate::chaos::{Compare, Kind, Moment, Orders, Report, Verdict, chaos};
use crate::session::Session;
use crate::{CommandError, Exit};

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// What goes wrong, and what is looked at.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// What is published: a file with a JSON object on each line, or `tpch:SCALE`
    #[arg(value_name = "FILE | tpch:SCALE")]
    pub input: String,
    /// How long there are faults; publishing lasts as long
    #[arg(long = "for", value_name = "DURATION", default_value = "60s",
        value_parser = humantime::parse_duration)]
    pub lasts: Duration,
    /// Decides all that goes wrong
    #[arg(long, value_name = "NUMBER", default_value_t = 42)]
    pub seed: u64,
    /// What may go wrong
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_enum,
        default_values_t = [Kind::Kill, Kind::Freeze, Kind::Network, Kind::Broker])]
    pub faults: Vec<Kind>,
    /// Items a second at most; without it, as many as make publishing last as long as the faults
    #[arg(long, value_name = "ITEMS")]
    pub rate: Option<NonZeroU32>,
    /// Worker processes
    #[arg(long, value_name = "COUNT", default_value_t = 3,
        value_parser = clap::value_parser!(u32).range(1..=16))]
    pub workers: u32,
    /// Coordinator processes, if the pipeline has joins
    #[arg(long, value_name = "COUNT", default_value_t = 2,
        value_parser = clap::value_parser!(u32).range(1..=16))]
    pub coordinators: u32,
    /// What of the outputs must be the same with faults and without
    #[arg(long, value_enum, default_value_t = Compare::Values)]
    pub compare: Compare,
    /// How long everything may take to be done, once nothing goes wrong any more
    #[arg(long, value_name = "DURATION", default_value = "5m",
        value_parser = humantime::parse_duration)]
    pub patience: Duration,
    /// Stages may leave items out
    #[arg(long)]
    pub may_skip: bool,
    /// How many faults and differences are named; all are counted
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub shown: usize,
}

#[derive(Debug, Serialize)]
struct Answer {
    verdict: Verdict,
    report: Report,
}

pub(super) fn run(args: &Args, session: &mut Session<'_>) -> Result<Exit, CommandError> {
    let pipeline = session.pipeline()?;
    let source = input(&args.input).map_err(|remedy| CommandError::UnknownName {
        option: "the input",
        name: args.input.clone(),
        remedy,
    })?;
    let orders = Orders {
        input: args.input.clone(),
        source,
        pipeline_file: session.settings.pipeline.clone(),
        seed: args.seed,
        kinds: args.faults.clone(),
        lasts: args.lasts,
        rate: args.rate,
        workers: args.workers,
        coordinators: args.coordinators,
        compare: args.compare,
        patience: args.patience,
        may_skip: args.may_skip,
        shown: args.shown,
    };
    let mut told = Instant::now();
    let mut tell = |moment: &Moment| {
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            // Where nobody reads it, the work goes on.
            let _ = writeln!(io::stderr(), "{moment}");
        }
    };
    let report = chaos(&orders, &pipeline, &Environment::from_process()?, &mut tell)?;
    let verdict = report.verdict();
    session.out.answer(&Answer { verdict, report })?;
    Ok(if verdict.is_good() { Exit::Done } else { Exit::Failed })
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report.fmt(f)
    }
}
