//! The short report at the end of a run.

use std::fmt;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount};
use longshore::staff::Service;
use longshore_orders::verify::Report;

/// All that is told of a run that came to its end.
pub struct Summary {
    /// The run's name.
    pub name: String,
    /// Decides its faults and kills.
    pub seed: u64,
    /// The expected sets, and what was found of them.
    pub report: Report,
    /// Records of aborted transactions.
    pub hidden: u64,
    /// What the processes did.
    pub service: Service,
    /// From the first publishing to the last complete order; none if none was seen.
    pub complete_after: Option<Duration>,
    /// From the first publishing to the last late part and the end of all progress.
    pub everything_after: Duration,
    /// How long the reading of the topics took.
    pub verified_in: Duration,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{}, seed {}, from its topics alone:", self.name, self.seed)?;
        write!(f, "{}", self.report)?;
        let Service { counters, worker_memory_peak, coordinator_memory_peak, kills } =
            &self.service;
        writeln!(f, "\naborted records  {}, hidden from read_committed", HumanCount(self.hidden))?;
        writeln!(
            f,
            "transactions     {} committed, {} aborted",
            HumanCount(counters.committed),
            HumanCount(counters.aborted)
        )?;
        writeln!(f, "kills            {}", Kills(kills))?;
        writeln!(
            f,
            "peak memory      {} a worker, {} a coordinator",
            HumanBytes(*worker_memory_peak),
            HumanBytes(*coordinator_memory_peak)
        )?;
        if let Some(complete) = self.complete_after {
            writeln!(f, "complete orders  all settled after {:.1} s", complete.as_secs_f64())?;
        }
        writeln!(
            f,
            "everything       after {:.1} s, verified in {:.1} s",
            self.everything_after.as_secs_f64(),
            self.verified_in.as_secs_f64()
        )
    }
}

/// Kills by slot.
struct Kills<'a>(&'a [(String, u32)]);

impl fmt::Display for Kills<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum: u32 = self.0.iter().map(|(_, kills)| kills).sum();
        if sum == 0 {
            return f.write_str("none");
        }
        let slots: Vec<_> = self.0.iter().map(|(slot, kills)| format!("{slot} {kills}")).collect();
        write!(f, "{sum} ({})", slots.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kills_are_told_by_slot() {
        let kills = [("w0".to_owned(), 2), ("c0".to_owned(), 1)];
        assert_eq!(Kills(&kills).to_string(), "3 (w0 2, c0 1)");
        assert_eq!(Kills(&[("w0".to_owned(), 0)]).to_string(), "none");
    }
}
