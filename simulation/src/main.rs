//! Runs histories for as long as is wanted, on every core. One that fails is shortened and told,
//! and its seed replays it.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use longshore_simulation::{History, Subject, run, shorten};

/// A history is mostly allocation.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How often it is told how far the run is.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Simulates fleets over the model of Kafka: a seed decides what goes wrong.
#[derive(Parser)]
struct Arguments {
    /// How many histories are run of each subject.
    #[arg(long, default_value_t = 100_000)]
    seeds: u64,
    /// The first seed. `--from S --seeds 1` replays a history.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// What is simulated; both if it isn't said.
    #[arg(long)]
    subject: Option<Of>,
    /// Threads; as many as there are cores if it isn't said.
    #[arg(long)]
    jobs: Option<usize>,
    /// Say what happens in each history, before it is run.
    #[arg(long)]
    show: bool,
    /// Say what the lanes log while the shortened history fails.
    #[arg(long)]
    trace: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Of {
    /// A worker's stage.
    Stage,
    /// A coordinator's join.
    Join,
}

fn main() -> io::Result<ExitCode> {
    let arguments = Arguments::parse();
    let subjects = match arguments.subject {
        Some(Of::Stage) => vec![Subject::Stage],
        Some(Of::Join) => vec![Subject::Join],
        None => vec![Subject::Stage, Subject::Join],
    };
    for subject in subjects {
        if let Some(failing) = search(subject, &arguments)? {
            tell(subject, failing, arguments.trace)?;
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The first seed that fails, if any does.
fn search(subject: Subject, arguments: &Arguments) -> io::Result<Option<u64>> {
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    let jobs = arguments.jobs.unwrap_or_else(cores).max(1);
    let end = arguments.from.saturating_add(arguments.seeds);
    let (next, failing) = (AtomicU64::new(arguments.from), AtomicU64::new(u64::MAX));
    let begun = Instant::now();
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end || failing.load(Ordering::Relaxed) < u64::MAX {
                return;
            }
            let history = History::of(subject, seed);
            if arguments.show {
                // Without a reader there is nobody to be told.
                let _told = writeln!(io::stdout(), "{history}");
            }
            if run(&history).is_err() {
                failing.fetch_min(seed, Ordering::Relaxed);
            }
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        let mut told = begun;
        while workers.iter().any(|worker| !worker.is_finished()) {
            thread::sleep(Duration::from_millis(20));
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                progress(subject, next.load(Ordering::Relaxed).min(end) - arguments.from, begun)?;
            }
        }
        io::Result::Ok(())
    })?;
    let failing = failing.into_inner();
    progress(subject, next.into_inner().min(end) - arguments.from, begun)?;
    Ok((failing < u64::MAX).then_some(failing))
}

fn progress(subject: Subject, histories: u64, begun: Instant) -> io::Result<()> {
    let took = begun.elapsed();
    let rate = histories as f64 / took.as_secs_f64();
    writeln!(io::stdout(), "{subject:?}: {histories} histories in {took:.1?}, {rate:.0} a second")
}

/// What fails, as short as can be, and how to see it again.
fn tell(subject: Subject, seed: u64, trace: bool) -> io::Result<()> {
    let history = History::of(subject, seed);
    let shortest = shorten(&history);
    let mut out = io::stdout();
    let left_out = history.actions.len() - shortest.actions.len();
    writeln!(
        out,
        "seed {seed} fails; {left_out} of its actions aren't needed for it:\n{shortest}"
    )?;
    if trace {
        tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).without_time().init();
    }
    match run(&shortest) {
        Err(error) => writeln!(out, "{error:#}")?,
        Ok(_) => writeln!(out, "it didn't fail when it was run again: it isn't deterministic")?,
    }
    let subject = format!("{subject:?}").to_lowercase();
    writeln!(out, "again: --subject {subject} --from {seed} --seeds 1")
}
