//! One run of one program: prepared, measured, ended, and its outputs checked.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::check::check;
use crate::contestant::Run;
use crate::ground::Ground;
use crate::groups::{self, Groups};
use crate::pace::Records;
use crate::progress::Progress;
use crate::workload::{Items, Measure};
use crate::{held, latency, pace, restart};

/// What is measured in a run, and how many outputs of it are right.
pub(crate) type Taken = (Vec<f64>, u64);

/// Runs it. `times` are how long it is left to get warm, and how long it is measured then.
pub(crate) fn take(ground: &Ground, run: &Run<'_>, times: (Duration, Duration)) -> Result<Taken> {
    run.prepare(ground)?;
    let (measured, count) = match &run.workload.measure {
        Measure::Relay(items) => relay(ground, run, items, times)?,
        Measure::Latency { items, rate } => {
            let mut running = run.start(ground)?;
            let measured = latency::measure(ground, run, (*items, *rate), &mut running, times)?;
            running.stop()?;
            (measured, check(ground, items.keys, &run.to())?)
        }
        Measure::Held(items, held) => held::measure(ground, run, items, *held)?,
        Measure::Gather(groups) => gather(ground, run, groups, times)?,
        Measure::Restart { groups, completed } => {
            let measured = restart::measure(ground, run, groups, *completed)?;
            let complete: Vec<_> = (0..groups.count).map(|group| group < *completed).collect();
            (measured, check_groups(ground, run, groups, &complete)?)
        }
    };
    ensure!(count > 0, "it wrote nothing");
    run.clean_up(ground)?;
    Ok((measured, count))
}

fn relay(
    ground: &Ground,
    run: &Run<'_>,
    items: &Items,
    times: (Duration, Duration),
) -> Result<Taken> {
    let progress = Progress::open(ground, run)?;
    let records = Records { progress, count: items.count, share: 1.0 };
    let mut running = run.start(ground)?;
    let measured = pace::measure(ground, &records, &mut running, times)?;
    running.stop()?;
    Ok((measured, check(ground, items.keys, &run.to())?))
}

/// Openings stand evenly among the parts, so parts are a share of all records.
fn gather(
    ground: &Ground,
    run: &Run<'_>,
    groups: &Groups,
    times: (Duration, Duration),
) -> Result<Taken> {
    let parts = f64::from(groups.parts);
    let progress = Progress::open(ground, run)?;
    let records = Records { progress, count: groups.record_count(), share: parts / (parts + 1.0) };
    let mut running = run.start(ground)?;
    let measured = pace::measure(ground, &records, &mut running, times)?;
    running.stop()?;
    let complete = groups.complete(&records.progress.stable()?);
    Ok((measured, check_groups(ground, run, groups, &complete)?))
}

fn check_groups(ground: &Ground, run: &Run<'_>, groups: &Groups, complete: &[bool]) -> Result<u64> {
    groups::check(ground, &run.to(), run.form().as_ref(), groups, complete)
}
