//! How fast items may enter.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// Time that is made up for at once after a wait for the source or for a commit: as much as a slow
/// commit takes, so that the rate is kept in spite of it.
const BURST: Duration = Duration::from_secs(1);

/// A rate, item by item: each is due an interval behind the one before.
pub(crate) struct Pace {
    interval: Duration,
    due: Instant,
}

impl Pace {
    /// So many items a second, the first of them now; without a rate as many as there are.
    pub(crate) fn new(rate: Option<NonZeroU32>, now: Instant) -> Self {
        let interval = rate.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate.get());
        Self { interval, due: now }
    }

    /// How long the next item must wait.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        self.due.saturating_duration_since(now)
    }

    /// An item has entered.
    pub(crate) fn took(&mut self, now: Instant) {
        let late = now.saturating_duration_since(self.due);
        self.due += late.saturating_sub(BURST) + self.interval;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Items that enter until `end`, if each is taken as soon as it may.
    fn taken(pace: &mut Pace, mut now: Instant, end: Instant) -> usize {
        for count in 0.. {
            now += pace.wait(now);
            if now >= end {
                return count;
            }
            pace.took(now);
        }
        unreachable!("a rate has an end")
    }

    #[test]
    fn so_many_items_enter_in_a_second() {
        for rate in [1, 7, 1000, 150_000] {
            let start = Instant::now();
            let mut pace = Pace::new(NonZeroU32::new(rate), start);
            let count = taken(&mut pace, start, start + SECOND);
            // An interval is a whole number of nanoseconds, so a few items more.
            let expected = rate as usize;
            assert!((expected..=expected + expected / 1000 + 1).contains(&count), "{count}");
        }
    }

    #[test]
    fn a_source_that_was_slow_makes_up_for_little() {
        let start = Instant::now();
        let mut pace = Pace::new(NonZeroU32::new(100), start);
        let late = start + 60 * SECOND;
        let count = taken(&mut pace, late, late + SECOND);
        assert!((100..=201).contains(&count), "{count}");
    }

    #[test]
    fn without_a_rate_nothing_waits() {
        let now = Instant::now();
        let mut pace = Pace::new(None, now);
        (0..1000).for_each(|_| pace.took(now));
        assert_eq!(pace.wait(now), Duration::ZERO);
    }
}
