//! Rounds of runs: in each, all who are measured on a workload take their turn.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use longshore::schemas::TopicName;

use crate::check::check;
use crate::contestant::Run;
use crate::fill::fill;
use crate::ground::Ground;
use crate::{Workload, latency, pace, peers};

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
    /// What is measured.
    pub(crate) fn columns(&self) -> &'static [(&'static str, usize)] {
        match self.workload.rate {
            None => pace::COLUMNS,
            Some(_) => latency::COLUMNS,
        }
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
    if plan.workload.items > 0 {
        tell("writing the items");
        fill(&ground, &plan.workload)?;
    }
    warm(&ground, &plan, folder)?;
    let mut figures: Vec<_> = plan
        .contestants
        .iter()
        .map(|contestant| Figures { contestant: contestant.clone(), runs: Vec::new() })
        .collect();
    for round in 1..=plan.rounds {
        for figures in &mut figures {
            let contestant = figures.contestant.as_str();
            let name = format!("{}-{contestant}-{round}", plan.workload.name);
            let run = Run { workload: &plan.workload, contestant, name, folder };
            let (measured, count) =
                one(&ground, &run, &plan).with_context(|| format!("{} failed", run.name))?;
            let (column, digits) = plan.columns()[0];
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
    let name = format!("{}-warm", plan.workload.name);
    let run = Run { workload: &plan.workload, contestant: "bare", name, folder };
    // A bare loop is through with a slow workload's items before it would have been measured.
    let plan = Plan { warm_up: WARM, span: WARM, ..plan.clone() };
    one(ground, &run, &plan).with_context(|| format!("{} failed", run.name))?;
    Ok(())
}

/// One run: measured, ended, and its outputs checked.
fn one(ground: &Ground, run: &Run<'_>, plan: &Plan) -> Result<(Vec<f64>, u64)> {
    let to = TopicName::from(run.to());
    ground.make_topic(&to)?;
    ground.make_topic(&run.from().into())?;
    let mut running = run.start(ground)?;
    let times = (plan.warm_up, plan.span);
    let measured = match plan.workload.rate {
        None => pace::measure(ground, run, &mut running, times)?,
        Some(_) => latency::measure(ground, run, &mut running, times)?,
    };
    running.stop()?;
    let count = check(ground, &plan.workload, &to)?;
    ensure!(count > 0, "it wrote nothing");
    ground.delete_topic(&to)?;
    Ok((measured, count))
}
