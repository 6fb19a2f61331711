//! How often an item is tried, and the pause between two attempts.

use std::num::NonZeroU32;
use std::time::Duration;

use rand::Rng;

/// How an attempt that failed is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The attempt after which an item is given up.
    pub attempts_max: NonZeroU32,
    /// The longest pause after the first attempt; it doubles with each further one.
    pub backoff_initial: Duration,
    /// The longest pause after any attempt.
    pub backoff_max: Duration,
}

impl Retry {
    /// The pause after so many failed attempts: any up to the longest one, so that items which
    /// failed together don't come back together.
    pub fn pause(&self, failed: u32, random: &mut impl Rng) -> Duration {
        random.random_range(Duration::ZERO..=self.pause_max(failed))
    }

    fn pause_max(&self, failed: u32) -> Duration {
        let doublings = failed.saturating_sub(1);
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let pause = self.backoff_initial.saturating_mul(factor);
        pause.min(self.backoff_max)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    const RETRY: Retry = Retry {
        attempts_max: NonZeroU32::new(5).unwrap(),
        backoff_initial: Duration::from_millis(100),
        backoff_max: Duration::from_secs(1),
    };

    #[test]
    fn the_longest_pause_doubles_up_to_its_bound() {
        let millis = |failed| RETRY.pause_max(failed).as_millis();
        let pauses: Vec<_> = (1..=7).map(millis).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1000, 1000, 1000]);
        assert_eq!((millis(33), millis(u32::MAX)), (1000, 1000));
    }

    #[test]
    fn pauses_are_spread_from_nothing_to_the_longest() {
        let mut random = StdRng::seed_from_u64(7);
        let pauses: Vec<_> = (0..1000).map(|_| RETRY.pause(2, &mut random)).collect();
        let share = |from, to| {
            let range = Duration::from_millis(from)..Duration::from_millis(to);
            pauses.iter().filter(|pause| range.contains(pause)).count()
        };
        assert_eq!(share(0, 201), 1000);
        for quarter in 0..4 {
            let count = share(quarter * 50, quarter * 50 + 50);
            assert!((200..300).contains(&count), "quarter {quarter}: {count}");
        }
    }
}
