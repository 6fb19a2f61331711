//! How fast a program goes once it is warm, and what it and the broker take for it.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use longshore::kafka::admin::{GroupProgress, Stability};
use longshore::schemas::TopicName;
use procfs::process::Process;

use crate::contestant::Run;
use crate::ground::Ground;
use crate::running::Running;

/// How often it is looked how far it has come.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long it may take to its first commit.
const FIRST_COMMIT_MAX: Duration = Duration::from_secs(60);

/// What the columns of a pace are, each with the digits that are shown: items a second once it is
/// warm; the program's CPU seconds for a million items, and the broker's; the most that it had in
/// memory; seconds from its start to the first commit that anyone could see.
pub(crate) const COLUMNS: &[(&str, usize)] = &[
    ("items/s", 0),
    ("CPU s per million", 2),
    ("broker's", 2),
    ("peak MiB", 0),
    ("first commit after s", 2),
];

/// A look at both processes, at a moment when progress had just been made.
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
    run: &Run<'_>,
    running: &mut Running,
    (warm_up, span): (Duration, Duration),
) -> Result<Vec<f64>> {
    let watcher = Watcher {
        progress: GroupProgress::open(ground.settings(), &run.group())?,
        topic: run.workload.source().into(),
        process: process(running.pid())?,
        broker: process(ground.pid()?)?,
        ticks: procfs::ticks_per_second() as f64,
    };
    let first = watcher.progress_beyond(0, running, FIRST_COMMIT_MAX)?;
    let first_commit = first.at.duration_since(running.since()).as_secs_f64();
    let warm = watcher.progress_after(first, warm_up, running)?;
    let last = watcher.progress_after(warm, span, running)?;
    let items = (last.done - warm.done) as f64;
    ensure!(
        last.done < i64::try_from(run.workload.items)?,
        "all {} items were done before the time was over: give more of them",
        run.workload.items
    );
    let peak = watcher.process.status()?.vmhwm.context("its peak memory")?;
    Ok(vec![
        items / last.at.duration_since(warm.at).as_secs_f64(),
        (last.cpu - warm.cpu) / items * 1e6,
        (last.broker_cpu - warm.broker_cpu) / items * 1e6,
        peak as f64 / 1024.0,
        first_commit,
    ])
}

fn process(pid: u32) -> Result<Process> {
    Ok(Process::new(i32::try_from(pid)?)?)
}

struct Watcher {
    progress: GroupProgress,
    topic: TopicName,
    process: Process,
    broker: Process,
    ticks: f64,
}

impl Watcher {
    /// The first progress that is seen once `span` has passed since a look: commits come in steps,
    /// so a span is measured from step to step.
    fn progress_after(&self, since: Look, span: Duration, running: &mut Running) -> Result<Look> {
        let until = since.at + span;
        thread::sleep(until.saturating_duration_since(Instant::now()));
        let done = self.done()?;
        self.progress_beyond(done, running, FIRST_COMMIT_MAX)
    }

    fn progress_beyond(&self, done: i64, running: &mut Running, max: Duration) -> Result<Look> {
        let deadline = Instant::now() + max;
        loop {
            let (now, at) = (self.done()?, Instant::now());
            if now > done {
                let (cpu, broker_cpu) = (self.cpu(&self.process)?, self.cpu(&self.broker)?);
                return Ok(Look { at, done: now, cpu, broker_cpu });
            }
            running.check()?;
            ensure!(at < deadline, "nothing was committed within {max:?}");
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Items before the group's positions: sources begin at 0 and have no gaps.
    fn done(&self) -> Result<i64> {
        let progress = self.progress.read(&self.topic, Stability::AsWritten)?;
        Ok(progress.iter().filter_map(|(_, it)| Some(it.as_ref()?.offset.0)).sum())
    }

    fn cpu(&self, process: &Process) -> Result<f64> {
        let stat = process.stat()?;
        Ok((stat.utime + stat.stime) as f64 / self.ticks)
    }
}
