//! How many items end in a moment: so many may be at work at once, whatever they take.

use std::time::Duration;

/// Longer than most transactions take, during which nothing new is handed out.
const MOMENT: Duration = Duration::from_millis(50);

/// The items that ended in the last moment, and in the one that isn't over.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ended {
    since: Duration,
    now: usize,
    before: usize,
}

impl Ended {
    /// An item has ended.
    pub(super) fn note(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.since);
        if passed >= MOMENT {
            // What ended long ago says nothing of the pace.
            self.before = if passed < 2 * MOMENT { self.now } else { 0 };
            (self.since, self.now) = (now, 0);
        }
        self.now += 1;
    }

    /// How many ended in a moment.
    pub(super) fn in_a_moment(&self) -> usize {
        self.now.max(self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(at: &[(u64, usize)]) -> usize {
        let mut ended = Ended::default();
        for &(millis, count) in at {
            (0..count).for_each(|_| ended.note(Duration::from_millis(millis)));
        }
        ended.in_a_moment()
    }

    #[test]
    fn the_better_of_two_moments_counts() {
        assert_eq!(noted(&[]), 0);
        assert_eq!(noted(&[(60, 7), (100, 2)]), 9);
        assert_eq!(noted(&[(60, 7), (110, 2)]), 7);
        assert_eq!(noted(&[(60, 7), (110, 2), (170, 3)]), 3);
        assert_eq!(noted(&[(60, 7), (161, 2)]), 2, "nothing ended in a whole moment");
    }
}
