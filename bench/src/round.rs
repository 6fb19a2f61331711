//! Rounds of runs: in each, all who are measured on a workload take their turn.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use longshore::schemas::TopicName;

use crate::check::check;
use crate::contestant::Run;
use crate::fill::fill;
use crate::ground::Ground;
use crate::pace::{Pace, measure};
use crate::{Workload, peers};

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

/// The figures of one program.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) contestant: String,
    pub(crate) paces: Vec<Pace>,
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
    if plan.contestants.iter().any(|it| it == "streams" || it == "parallel-consumer") {
        peers::build()?;
    }
    let ground = Ground::start()?;
    tell("writing the items");
    fill(&ground, &plan.workload)?;
    let mut figures: Vec<_> = plan
        .contestants
        .iter()
        .map(|contestant| Figures { contestant: contestant.clone(), paces: Vec::new() })
        .collect();
    for round in 1..=plan.rounds {
        for figures in &mut figures {
            let contestant = figures.contestant.as_str();
            let name = format!("{}-{contestant}-{round}", plan.workload.name);
            let run = Run { workload: &plan.workload, contestant, name, folder };
            let (pace, count) =
                one(&ground, &run, &plan).with_context(|| format!("{} failed", run.name))?;
            tell(&format!("{}: {:.0} items/s, {count} outputs are right", run.name, pace.rate));
            figures.paces.push(pace);
        }
    }
    Ok(Results { plan, kafka: ground.version().to_owned(), figures })
}

/// One run: measured, ended, and its outputs checked.
fn one(ground: &Ground, run: &Run<'_>, plan: &Plan) -> Result<(Pace, u64)> {
    let to = TopicName::from(run.to());
    ground.make_topic(&to)?;
    let mut running = run.start(ground)?;
    let pace = measure(ground, run, &mut running, (plan.warm_up, plan.span))?;
    running.stop()?;
    let count = check(ground, &plan.workload, &to)?;
    ensure!(count > 0, "it wrote nothing");
    ground.delete_topic(&to)?;
    Ok((pace, count))
}
