//! How fast a program goes once it is warm, and what it and the broker take for it.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use procfs::process::Process;

use crate::ground::Ground;
use crate::progress::Progress;
use crate::report::Column;
use crate::running::Running;

/// How often it is looked how far it has come.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long it may take to its first commit.
const FIRST_COMMIT_MAX: Duration = Duration::from_secs(60);

/// The program's CPU seconds for a million of what is counted.
const CPU: Column = ("CPU s per million", 2);
/// The broker's.
const BROKER_CPU: Column = ("broker's", 2);
/// The most that the program had in memory.
const PEAK: Column = ("peak MiB", 0);
/// Seconds from its start to the first commit that anyone could see.
const FIRST_COMMIT: Column = ("first commit after s", 2);

/// The columns where items are counted, those of a second once the program is warm first.
pub(crate) const OF_ITEMS: &[Column] = &[("items/s", 0), CPU, BROKER_CPU, PEAK, FIRST_COMMIT];
/// The same where parts are counted.
pub(crate) const OF_PARTS: &[Column] = &[("parts/s", 0), CPU, BROKER_CPU, PEAK, FIRST_COMMIT];

/// The records that a program reads.
pub(crate) struct Records {
    /// How far it has come in them.
    pub(crate) progress: Progress,
    /// How many there are.
    pub(crate) count: u64,
    /// How many of a record are counted: less than one where some records are no items.
    pub(crate) share: f64,
}

/// A look at the program and the broker, at a moment when progress had just been made.
#[derive(Clone, Copy, Debug)]
struct Look {
    at: Instant,
    done: i64,
    cpu: f64,
    broker_cpu: f64,
}

/// Measures a program that has just been started: `warm_up` after its first commit, for `span`.
/// Answers the columns.
pub(crate) fn measure(
    ground: &Ground,
    records: &Records,
    running: &mut Running,
    (warm_up, span): (Duration, Duration),
) -> Result<Vec<f64>> {
    let watcher = Watcher {
        progress: &records.progress,
        processes: running.processes()?,
        broker: Process::new(i32::try_from(ground.pid()?)?)?,
        ticks: procfs::ticks_per_second() as f64,
    };
    let first = watcher.progress_beyond(0, running, FIRST_COMMIT_MAX)?;
    let first_commit = first.at.duration_since(running.since()).as_secs_f64();
    let warm = watcher.progress_after(first, warm_up, running)?;
    let last = watcher.progress_after(warm, span, running)?;
    let counted = (last.done - warm.done) as f64 * records.share;
    ensure!(
        last.done < i64::try_from(records.count)?,
        "all {} records were read before the time was over: give more of them",
        records.count
    );
    Ok(vec![
        counted / last.at.duration_since(warm.at).as_secs_f64(),
        (last.cpu - warm.cpu) / counted * 1e6,
        (last.broker_cpu - warm.broker_cpu) / counted * 1e6,
        running.peak_mib()?,
        first_commit,
    ])
}

struct Watcher<'a> {
    progress: &'a Progress,
    processes: Vec<Process>,
    broker: Process,
    ticks: f64,
}

impl Watcher<'_> {
    /// The first progress that is seen once `span` has passed since a look: commits come in steps,
    /// so a span is measured from step to step.
    fn progress_after(&self, since: Look, span: Duration, running: &mut Running) -> Result<Look> {
        let until = since.at + span;
        thread::sleep(until.saturating_duration_since(Instant::now()));
        let done = self.progress.done()?;
        self.progress_beyond(done, running, FIRST_COMMIT_MAX)
    }

    fn progress_beyond(&self, done: i64, running: &mut Running, max: Duration) -> Result<Look> {
        let deadline = Instant::now() + max;
        loop {
            let (now, at) = (self.progress.done()?, Instant::now());
            if now > done {
                let of_each = self.processes.iter().map(|it| self.cpu(it));
                let cpu: f64 = of_each.collect::<Result<Vec<_>>>()?.iter().sum();
                let broker_cpu = self.cpu(&self.broker)?;
                return Ok(Look { at, done: now, cpu, broker_cpu });
            }
            running.check()?;
            ensure!(at < deadline, "nothing was committed within {max:?}");
            thread::sleep(LOOK_EVERY);
        }
    }

    fn cpu(&self, process: &Process) -> Result<f64> {
        let stat = process.stat()?;
        Ok((stat.utime + stat.stime) as f64 / self.ticks)
    }
}
