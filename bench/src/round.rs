//! Rounds of runs: in each, all who are measured on a workload take their turn.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::contestant::Run;
use crate::ground::Ground;
use crate::turn::take;
use crate::workload::Measure;
use crate::{Workload, peers};

/// How long the broker is kept busy, twice, before anyone is measured.
const WARM: Duration = Duration::from_secs(2);

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// On what.
    pub workload: Workload,
    /// Who.
    pub contestants: Vec<String>,
    /// How often each.
    pub rounds: u32,
    /// How long each is left to get warm.
    pub warm_up: Duration,
    /// How long each is measured.
    pub span: Duration,
}

impl Plan {
    fn run<'a>(&'a self, contestant: &'a str, round: u32, folder: &'a Path) -> Run<'a> {
        let name = format!("{}-{contestant}-{round}", self.workload.name);
        Run { workload: &self.workload, contestant, name, folder }
    }
}

/// The figures of one program.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) contestant: String,
    /// One for each run: what the columns say.
    pub(crate) runs: Vec<Vec<f64>>,
}

/// The results of a plan.
#[derive(Debug)]
pub struct Results {
    pub(crate) plan: Plan,
    pub(crate) kafka: String,
    pub(crate) figures: Vec<Figures>,
}

/// Runs it, on a Kafka of its own. `tell` hears of each run.
pub fn run(plan: Plan, folder: &Path, mut tell: impl FnMut(&str)) -> Result<Results> {
    let is_peer = |it: &String| it.starts_with("streams") || it == "parallel-consumer";
    if plan.contestants.iter().any(is_peer) {
        peers::build()?;
    }
    let ground = Ground::start()?;
    tell("writing what is read");
    for contestant in &plan.contestants {
        plan.run(contestant, 1, folder).prepare(&ground)?;
    }
    warm(&ground, &plan, folder)?;
    let mut figures: Vec<_> = plan
        .contestants
        .iter()
        .map(|contestant| Figures { contestant: contestant.clone(), runs: Vec::new() })
        .collect();
    for round in 1..=plan.rounds {
        for figures in &mut figures {
            let run = plan.run(&figures.contestant, round, folder);
            let (measured, count) = take(&ground, &run, (plan.warm_up, plan.span))
                .with_context(|| format!("{} failed", run.name))?;
            let (column, digits) = plan.workload.measure.columns()[0];
            let value = measured[0];
            tell(&format!("{}: {value:.digits$} {column}, {count} outputs are right", run.name));
            figures.runs.push(measured);
        }
    }
    Ok(Results { plan, kafka: ground.version().to_owned(), figures })
}

/// A run that nobody measures: the broker compiles its own code while it first works, and who comes
/// first would pay for it.
fn warm(ground: &Ground, plan: &Plan, folder: &Path) -> Result<()> {
    let contestant = match plan.workload.measure {
        Measure::Relay(_) | Measure::Latency { .. } => "bare",
        // It is warm before the item is held.
        Measure::Held(..) => return Ok(()),
        // A bare loop gathers nothing.
        Measure::Gather(_) => plan.contestants.first().context("somebody to be measured")?,
        // Its first half keeps the broker busy before anything is measured.
        Measure::Restart { .. } => return Ok(()),
    };
    let name = format!("{}-warm", plan.workload.name);
    let run = Run { workload: &plan.workload, contestant, name, folder };
    // A bare loop is through with a slow workload's items before it would have been measured.
    take(ground, &run, (WARM, WARM)).with_context(|| format!("{} failed", run.name))?;
    Ok(())
}
