//! How long a program that holds a million open parts takes to go on after it was stopped, and what
//! they take in memory.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use longshore::kafka::admin::Isolation;
use longshore::kafka::reader::{Following, ReadFrom, Reader};

use crate::contestant::Run;
use crate::ground::Ground;
use crate::groups::{Form, Groups, fill};
use crate::progress::Progress;
use crate::report::Column;
use crate::running::Running;

/// How long all parts may take to be gathered.
const GATHERED_MAX: Duration = Duration::from_secs(300);
/// How long a result, the first one or any later, may take.
const RESULT_MAX: Duration = Duration::from_secs(300);
const LOOK_EVERY: Duration = Duration::from_millis(100);
const POLL: Duration = Duration::from_millis(10);

/// What the columns of a restart are: seconds from the start of the process to the first result of
/// a group that is completed after it, and to the last; the most that the process before had in
/// memory when it had gathered all parts, and that this one had.
pub(crate) const COLUMNS: &[Column] = &[
    ("first result after s", 2),
    ("last result after s", 2),
    ("peak MiB with open parts", 0),
    ("peak MiB after restart", 0),
];

/// Has a program gather all parts but the last of each group, stops it, writes the last parts of so
/// many groups, and starts it again. Answers the columns.
pub(crate) fn measure(
    ground: &Ground,
    run: &Run<'_>,
    groups: &Groups,
    completed: u64,
) -> Result<Vec<f64>> {
    let form = run.form();
    let before = gather(ground, run, form.as_ref(), groups)?;
    fill(ground, &run.from(), form.as_ref(), groups, groups.last_parts(completed))?;
    run.forget_disk()?;
    let mut reader = Reader::open(ground.settings(), &run.to(), Isolation::Committed)?;
    let mut results = reader.follow(&ReadFrom::LogStart)?;
    let mut running = run.start(ground)?;
    let (first, last) = await_results(&mut results, &mut running, completed)?;
    let after = running.peak_mib()?;
    running.stop()?;
    Ok(vec![first, last, before, after])
}

/// All parts but the last of each group, gathered by a program that is stopped then: what it had in
/// memory, in MiB.
fn gather(ground: &Ground, run: &Run<'_>, form: &dyn Form, groups: &Groups) -> Result<f64> {
    let ends = Groups::ends(groups.lacking_one());
    fill(ground, &run.from(), form, groups, groups.lacking_one())?;
    ensure!(ground.ends(&run.from())? == ends, "some records of the groups were not written");
    let progress = Progress::open(ground, run)?;
    let mut running = run.start(ground)?;
    let deadline = Instant::now() + GATHERED_MAX;
    while progress.positions()?.iter().zip(&ends).any(|(position, end)| position < end) {
        running.check()?;
        ensure!(Instant::now() < deadline, "not all parts were gathered within {GATHERED_MAX:?}");
        thread::sleep(LOOK_EVERY);
    }
    let peak = running.peak_mib()?;
    running.stop()?;
    progress.await_left()?;
    Ok(peak)
}

/// Seconds from the start of a program to its first result, and to so many.
fn await_results(
    results: &mut Following<'_>,
    running: &mut Running,
    count: u64,
) -> Result<(f64, f64)> {
    let (mut first, mut last) = (None, running.since());
    let mut seen = 0;
    while seen < count {
        running.check()?;
        if results.poll(POLL)?.is_some() {
            last = Instant::now();
            first.get_or_insert(last);
            seen += 1;
        }
        ensure!(
            last.elapsed() < RESULT_MAX,
            "{seen} of {count} results came, and no other within {RESULT_MAX:?}"
        );
    }
    let since = |at: Instant| at.duration_since(running.since()).as_secs_f64();
    Ok((since(first.context("a result")?), since(last)))
}
