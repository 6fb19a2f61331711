//! What both runs came to.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use serde::{Serialize, Serializer};

use super::course::{Ended, Pace};
use super::difference::Difference;
use super::trouble::{Kind, Tally};
use crate::audit;
use crate::staff::Counters;

/// The outcome. `{}` prints it for people.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Decides all that went wrong.
    pub seed: u64,
    /// The run in peace, if there was one.
    pub calm: Option<RunReport>,
    /// The run under faults.
    pub stormy: RunReport,
    /// Kinds of faults that were asked for and never came.
    #[serde(serialize_with = "names")]
    pub missed: Vec<Kind>,
    /// What the run under faults left.
    pub audit: audit::Report,
    /// How the outputs of both differ, if they were compared.
    pub difference: Option<Difference>,
    /// The logs of the processes; they are removed where all is good.
    pub logs: PathBuf,
}

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// How long it took.
    pub seconds: f64,
    /// What went wrong.
    pub tally: Tally,
    /// How much was done while it did.
    pub pace: Option<Pace>,
    /// Transactions committed.
    pub committed: u64,
    /// Transactions that ended otherwise.
    pub aborted: u64,
    /// Of those, transactions of which it wasn't known at first how they ended.
    pub unknown: u64,
    /// Items that were begun and given back unfinished.
    pub discarded: u64,
    /// The most memory that a worker had, in bytes.
    pub worker_memory_peak: u64,
    /// What a worker had in the mean in the first quarter of the faults (of the run, if
    /// there were none), in bytes.
    pub worker_memory_at_first: u64,
    /// What a worker had in the mean in the last quarter of them, in bytes.
    pub worker_memory_at_last: u64,
}

/// The short answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The audit is clean, and the outputs don't differ.
    Good,
    /// Something is wrong.
    Bad,
    /// Nothing wrong was found, but not all was tried or could be checked.
    Inconclusive,
}

impl Verdict {
    /// Whether nothing is wrong and nothing is left to be tried.
    pub fn is_good(self) -> bool {
        self == Self::Good
    }
}

impl Report {
    /// The short answer.
    pub fn verdict(&self) -> Verdict {
        let differs = self.difference.as_ref().is_some_and(|it| !it.is_none());
        match self.audit.verdict() {
            audit::Verdict::Faulty => Verdict::Bad,
            _ if differs => Verdict::Bad,
            audit::Verdict::Inconclusive => Verdict::Inconclusive,
            audit::Verdict::Clean if self.missed.is_empty() => Verdict::Good,
            audit::Verdict::Clean => Verdict::Inconclusive,
        }
    }
}

impl RunReport {
    pub(super) fn of(run: &Ended) -> Self {
        let Counters { committed, aborted, unknown, discarded, .. } = run.service.counters;
        let worker_memory_peak = run.service.worker_memory_peak;
        let [worker_memory_at_first, worker_memory_at_last] = outer_quarters(&run.memory);
        Self {
            seconds: run.took.as_secs_f64(),
            tally: run.tally,
            pace: run.pace,
            committed,
            aborted,
            unknown,
            discarded,
            worker_memory_peak,
            worker_memory_at_first,
            worker_memory_at_last,
        }
    }
}

/// The means of the first and of the last quarter; 0 where there is nothing.
fn outer_quarters(samples: &[u64]) -> [u64; 2] {
    let quarter = samples.len().div_ceil(4);
    let mean = |some: &[u64]| some.iter().sum::<u64>() / some.len().max(1) as u64;
    [mean(&samples[..quarter]), mean(&samples[samples.len() - quarter..])]
}

fn names<S: Serializer>(kinds: &[Kind], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(kinds.iter().map(|it| name(*it)))
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Kill => "kill",
        Kind::Freeze => "freeze",
        Kind::Network => "network",
        Kind::Broker => "broker",
    }
}

impl fmt::Display for RunReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let took = humantime::format_duration(Duration::from_secs(self.seconds as u64));
        let Self { committed, aborted, unknown, discarded, .. } = self;
        let [first, last] = [self.worker_memory_at_first, self.worker_memory_at_last]
            .map(|bytes| ByteSize(bytes).display().si());
        write!(
            f,
            "{took}, {committed} transactions committed and {aborted} not, {unknown} of those of \
             unknown outcome, {discarded} items begun and given back; a worker had {first} in the \
             first quarter and {last} in the last"
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(calm) = &self.calm {
            writeln!(f, "in peace:     {calm}")?;
        }
        writeln!(f, "under faults: {}", self.stormy)?;
        writeln!(f, "faults:       {} (seed {})", self.stormy.tally, self.seed)?;
        if let Some(Pace { seconds, items }) = self.stormy.pace {
            let pace = items as f64 / seconds;
            writeln!(
                f,
                "pace:         {items} items in {seconds:.0} s of faults, {pace:.0} a second"
            )?;
        }
        writeln!(f, "\n{}\n", self.audit)?;
        if let Some(difference) = &self.difference {
            writeln!(f, "{difference}")?;
        }
        for kind in &self.missed {
            let kind = name(*kind);
            writeln!(f, "not tried: no fault of kind {kind} came; give it more time (--for)")?;
        }
        if !self.verdict().is_good() {
            writeln!(f, "the logs of the processes are in {}", self.logs.display())?;
        }
        f.write_str(match self.verdict() {
            Verdict::Good => "the faults changed nothing",
            Verdict::Bad => "THE FAULTS CHANGED SOMETHING",
            Verdict::Inconclusive => "nothing wrong was found, but not all was tried or checked",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_quarter_have_their_means() {
        assert_eq!(outer_quarters(&[1, 3, 50, 50, 50, 50, 6, 8]), [2, 7]);
        assert_eq!(outer_quarters(&[5]), [5, 5]);
        assert_eq!(outer_quarters(&[]), [0, 0]);
    }
}
