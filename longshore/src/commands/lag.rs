//! `lag`: how many records each stage and join has still to finish.

use std::fmt;
use std::thread;
use std::time::Duration;

use serde::Serialize;

use super::which::Which;
use crate::inspect::lag::{Lag, Unfinished, Worst, lag};
use crate::inspect::{Consumer, Observer};
use crate::session::Session;
use crate::table::Table;
use crate::{CommandError, Exit};

/// How often `--watch` looks.
const EVERY: Duration = Duration::from_secs(2);

/// What is looked at, and how often.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Of which stages; all without it
    #[command(flatten)]
    pub which: Which,
    /// Look again every two seconds, until interrupted
    #[arg(long)]
    pub watch: bool,
}

#[derive(Debug, Serialize)]
struct Lags(Vec<Lag>);

pub(super) fn run(args: &Args, session: &mut Session<'_>) -> Result<Exit, CommandError> {
    let consumers = args.which.consumers(session)?;
    let observer = Observer::connect(&session.kafka()?)?;
    loop {
        session.out.answer(&look(&observer, &consumers)?)?;
        if !args.watch {
            return Ok(Exit::Done);
        }
        thread::sleep(EVERY);
    }
}

fn look(observer: &Observer, consumers: &[Consumer]) -> Result<Lags, CommandError> {
    let lags: Result<_, _> = consumers.iter().map(|it| lag(observer, it)).collect();
    Ok(Lags(lags?))
}

impl fmt::Display for Lags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table =
            Table::new(&["STAGE", "TOPIC", "PARTITION", "POSITION", "END", "UNFINISHED"]);
        for lag in &self.0 {
            for it in &lag.partitions {
                let position = it.position.map_or("-".to_owned(), |it| it.to_string());
                let names = [lag.name.clone(), lag.topic.clone(), it.partition.to_string()];
                let counts = [position, it.end.to_string(), shown(&it.unfinished)];
                table.row(names.into_iter().chain(counts));
            }
        }
        table.fmt(f)?;
        for lag in &self.0 {
            if let Some(worst) = &lag.worst {
                writeln!(f, "{}: {}", lag.name, told(worst))?;
            }
        }
        Ok(())
    }
}

fn shown(unfinished: &Unfinished) -> String {
    match unfinished {
        Unfinished::Exactly(count) => count.to_string(),
        Unfinished::AtMost(count) => format!("at most {count}"),
        Unfinished::Unknown(reason) => format!("unknown: {reason}"),
    }
}

fn told(worst: &Worst) -> String {
    let key = worst.key.as_ref().map_or("no key".to_owned(), |key| format!("key {key}"));
    let span = |millis: Option<u64>| match millis {
        Some(millis) => humantime::format_duration(Duration::from_millis(millis)).to_string(),
        None => "an unknown time".to_owned(),
    };
    format!(
        "next unfinished is offset {} of partition {} ({key}), written {} ago, {} after the first \
         record that is still there",
        worst.offset,
        worst.partition,
        span(worst.age_ms),
        span(worst.log_start_ms),
    )
}
