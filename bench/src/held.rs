//! What one item that takes long does to the others.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use longshore::kafka::Partition;

use crate::check::check_each;
use crate::contestant::Run;
use crate::ground::Ground;
use crate::progress::Progress;
use crate::report::Column;
use crate::running::Running;
use crate::turn::Taken;
use crate::workload::Items;

/// What the handler writes into the item that it holds, in the place of when it was sent.
pub const HELD: i64 = -1;
/// How long it may take to the first commit.
const FIRST_COMMIT_MAX: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long it goes on when the item should have ended: it ends after the first commits, and is
/// committed itself.
const AFTERWARDS: Duration = Duration::from_secs(5);
/// Milliseconds before the item begins, and after, that are compared.
const SPAN: i64 = 3_000;
/// Milliseconds after it has begun: those behind it have filled the room that there is for them.
const LATER: i64 = 10_000;

/// What the columns are: outputs in a second in the three seconds before the item begins; in the
/// three after that, in percent of them; those of the partitions that it isn't in, once it has
/// been held for ten seconds and until it ends, in percent of theirs before; and the longest time
/// without an output of these partitions while it is held.
pub(crate) const COLUMNS: &[Column] = &[
    ("items/s before", 0),
    ("% of them in the next 3 s", 0),
    ("% of other partitions later", 0),
    ("longest pause of those, ms", 0),
];

/// How one item is held.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// It is the first one that is begun so many milliseconds after the first of all.
    pub after_millis: u64,
    /// And worked on for so long.
    pub millis: u64,
}

/// When an output was written, in milliseconds since 1970.
struct Written {
    at: i64,
    partition: Partition,
}

/// Runs a program until the item that it holds has ended, and looks at what it wrote when.
pub(crate) fn measure(ground: &Ground, run: &Run<'_>, items: &Items, held: Held) -> Result<Taken> {
    let progress = Progress::open(ground, run)?;
    let mut running = run.start(ground)?;
    await_first(&progress, &mut running)?;
    let rest = Duration::from_millis(held.after_millis + held.millis) + AFTERWARDS;
    thread::sleep(rest);
    running.stop()?;
    let done = progress.done()?;
    ensure!(done < i64::try_from(items.count)?, "all items were read before the time was over");
    let (mut outputs, mut ended) = (Vec::new(), None);
    let count = check_each(ground, items.keys, &run.to(), |record, item| {
        let at = record.timestamp.context("an output without a timestamp")?.0;
        outputs.push(Written { at, partition: record.partition });
        if item.sent == HELD {
            ended = Some(Written { at, partition: record.partition });
        }
        Ok(())
    })?;
    let ended = ended.context("the item that was held has no output")?;
    Ok((columns(outputs, &ended, i64::try_from(held.millis)?)?, count))
}

fn await_first(progress: &Progress, running: &mut Running) -> Result<()> {
    let deadline = Instant::now() + FIRST_COMMIT_MAX;
    while progress.done()? == 0 {
        running.check()?;
        ensure!(Instant::now() < deadline, "nothing was committed within {FIRST_COMMIT_MAX:?}");
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

fn columns(outputs: Vec<Written>, ended: &Written, millis: i64) -> Result<Vec<f64>> {
    let begun = ended.at - millis;
    let all = times(&outputs, |_| true);
    let mut others = times(&outputs, |partition| partition != ended.partition);
    let before = rate(&all, begun - SPAN, begun);
    ensure!(before > 0.0, "nothing was written in the three seconds before the item began");
    let next = rate(&all, begun, begun + SPAN);
    let others_before = rate(&others, begun - SPAN, begun);
    let later = rate(&others, begun + LATER, ended.at);
    others.retain(|at| (begun..ended.at).contains(at));
    let bounds = std::iter::once(begun).chain(others).chain([ended.at]).collect::<Vec<_>>();
    let pause = bounds.windows(2).map(|two| two[1] - two[0]).max().unwrap_or_default();
    Ok(vec![before, next / before * 1e2, later / others_before * 1e2, pause as f64])
}

/// When the outputs of some partitions were written, in order.
fn times(outputs: &[Written], of: impl Fn(Partition) -> bool) -> Vec<i64> {
    let mut times: Vec<_> = outputs.iter().filter(|it| of(it.partition)).map(|it| it.at).collect();
    times.sort_unstable();
    times
}

/// How many in a second.
fn rate(times: &[i64], from: i64, to: i64) -> f64 {
    let count = times.partition_point(|at| *at < to) - times.partition_point(|at| *at < from);
    count as f64 * 1e3 / (to - from) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::PARTITIONS;

    #[test]
    fn others_are_compared_with_what_they_were_before() {
        let (held, other) = (Partition(0), Partition(PARTITIONS - 1));
        let ended = Written { at: 60_000, partition: held };
        // Each partition writes every ten milliseconds, the one that is held not while it is.
        let outputs = (0..7_000).flat_map(|number| [held, other].map(|it| (number * 10, it)));
        let goes_on = |(at, it): &(i64, Partition)| *it == other || !(30_000..60_000).contains(at);
        let paused = |(at, _): &(i64, Partition)| !(40_000..41_000).contains(at);
        let written = |(at, partition)| Written { at, partition };
        let all = outputs.clone().filter(goes_on).map(written).collect();
        assert_eq!(columns(all, &ended, 30_000).unwrap(), [200.0, 50.0, 100.0, 10.0]);
        let all = outputs.filter(goes_on).filter(paused).map(written).collect();
        let figures = columns(all, &ended, 30_000).unwrap();
        assert_eq!((figures[2], figures[3]), (95.0, 1_010.0));
    }
}
