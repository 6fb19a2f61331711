//! `longshore-bench WORKLOAD...`: measures, checks, and writes a report.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use longshore_bench::{Plan, WORKLOADS, Workload, report, run, save};

/// Longshore beside its peers, on the same Kafka, machine and topics
#[derive(Parser)]
struct Told {
    /// Which workloads; all without any
    workloads: Vec<String>,
    /// Who is measured, instead of all that a workload names
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// How often each is run
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Seconds that each is left to get warm
    #[arg(long, default_value_t = 4)]
    warm_up: u64,
    /// Seconds that each is measured
    #[arg(long, default_value_t = 6)]
    span: u64,
    /// A folder for a page and a picture of each workload's results
    #[arg(long, value_name = "FOLDER")]
    save: Option<PathBuf>,
}

fn main() -> Result<()> {
    let told = Told::parse();
    for workload in chosen(&told.workloads)? {
        let folder = tempfile::tempdir()?;
        let contestants = match told.only.as_slice() {
            [] => workload.contestants.iter().map(|it| (*it).to_owned()).collect(),
            only => only.to_vec(),
        };
        let plan = Plan {
            workload,
            contestants,
            rounds: told.rounds,
            warm_up: Duration::from_secs(told.warm_up),
            span: Duration::from_secs(told.span),
        };
        let results = run(plan, folder.path(), tell);
        if results.is_err() {
            tell(&format!("what the programs said is in {}", folder.keep().display()));
        }
        let results = results?;
        writeln!(std::io::stdout(), "{}", report(&results))?;
        if let Some(folder) = &told.save {
            save(&results, folder)?;
        }
    }
    Ok(())
}

/// Progress goes where it doesn't mix with the report.
fn tell(line: &str) {
    // Where standard error is closed, the report alone says it.
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn chosen(names: &[String]) -> Result<Vec<Workload>> {
    if names.is_empty() {
        return Ok(WORKLOADS.to_vec());
    }
    let of_name = |name: &String| {
        let known = WORKLOADS.iter().find(|it| it.name == name);
        let all: Vec<_> = WORKLOADS.iter().map(|it| it.name).collect();
        known.copied().with_context(|| format!("no workload is called {name}: {}", all.join(", ")))
    };
    names.iter().map(of_name).collect()
}
