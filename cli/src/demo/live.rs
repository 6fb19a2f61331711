//! Tells the progress of a run: live on a terminal, by a line every few seconds elsewhere.

use std::fmt;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use longshore::staff::Counters;

use super::counts::Tally;

/// How often progress is told where there is no terminal.
const TELL_EVERY: Duration = Duration::from_secs(3);

/// All that is told.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Since the beginning.
    pub elapsed: Duration,
    /// What stands on the topics.
    pub tally: Tally,
    /// What the processes count.
    pub counters: Counters,
    /// Records unfinished; none if that isn't known.
    pub lag: Option<u64>,
    /// Processes killed.
    pub kills: u32,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { elapsed, tally, counters, lag, kills } = self;
        let settled = tally.complete + tally.partial;
        write!(f, "{:>3} s  items {}", elapsed.as_secs(), HumanCount(tally.orders))?;
        write!(f, ", lines {}", HumanCount(tally.lines))?;
        write!(f, ", settled {}", HumanCount(settled))?;
        write!(f, " ({} partial)", tally.partial)?;
        write!(f, ", late {}, retries {}", tally.late, HumanCount(counters.retries))?;
        write!(f, ", dead letters {}", tally.dead_letters)?;
        write!(f, ", transactions {}", HumanCount(counters.committed))?;
        match lag {
            Some(lag) => write!(f, ", lag {}", HumanCount(*lag))?,
            None => write!(f, ", lag unknown")?,
        }
        match kills {
            0 => Ok(()),
            kills => write!(f, ", kills {kills}"),
        }
    }
}

/// Tells moments.
pub struct Live {
    bar: ProgressBar,
    told: Option<Instant>,
}

impl Live {
    /// For a run that settles so many orders.
    pub fn new(orders: u64) -> Self {
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} settled\n{msg}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        Self { bar: ProgressBar::new(orders).with_style(style), told: None }
    }

    /// Tells how it stands.
    pub fn tell(&mut self, moment: &Moment) {
        if !self.bar.is_hidden() {
            self.bar.set_position(moment.tally.complete + moment.tally.partial);
            self.bar.set_message(moment.to_string());
        } else if self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            self.told = Some(Instant::now());
            say(&moment.to_string());
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A line for people, beside the report on standard output.
pub fn say(line: &str) {
    // Where nobody reads it, the work goes on.
    let _ = writeln!(io::stderr(), "{line}");
}
