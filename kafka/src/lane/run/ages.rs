//! How long a partition's position has stood, and how old its oldest unfinished item is.

use std::collections::VecDeque;
use std::time::Duration;

use crate::Offset;

/// The ages of one partition during one assignment, from looks at its progress.
#[derive(Debug)]
pub(super) struct Ages {
    position: Offset,
    /// When the position last moved, or there was nothing to do.
    moved: Duration,
    /// How far was read at which time, for what is read and not finished. One for each look that
    /// found more read, so a full window bounds them.
    read: VecDeque<(Offset, Duration)>,
}

impl Ages {
    pub(super) fn new(position: Offset, now: Duration) -> Self {
        Self { position, moved: now, read: VecDeque::new() }
    }

    /// Takes note of a look: everything before `position` is finished, everything before `horizon`
    /// is read.
    pub(super) fn look(&mut self, position: Offset, horizon: Offset, now: Duration) {
        if position > self.position || position >= horizon {
            self.position = position;
            self.moved = now;
        }
        while self.read.front().is_some_and(|(end, _)| *end <= position) {
            self.read.pop_front();
        }
        let known = self.read.back().map_or(position, |(end, _)| *end);
        if horizon > known {
            self.read.push_back((horizon, now));
        }
    }

    /// Time since the position last moved while there was work.
    pub(super) fn position(&self, now: Duration) -> Duration {
        now.saturating_sub(self.moved)
    }

    /// Time since the oldest unfinished item was read, to the interval of the looks; none if every
    /// item is finished.
    pub(super) fn oldest_item(&self, now: Duration) -> Duration {
        self.read.front().map_or(Duration::ZERO, |(_, read)| now.saturating_sub(*read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// The age of the position and of the oldest item, after looks at (position, horizon, time).
    fn ages(looks: &[(i64, i64, u64)], now: u64) -> (u64, u64) {
        let mut ages = Ages::new(Offset(0), at(0));
        for &(position, horizon, time) in looks {
            ages.look(Offset(position), Offset(horizon), at(time));
        }
        (ages.position(at(now)).as_secs(), ages.oldest_item(at(now)).as_secs())
    }

    #[test]
    fn without_work_nothing_ages() {
        assert_eq!(ages(&[(0, 0, 5), (0, 0, 9)], 10), (1, 0));
        assert_eq!(ages(&[(0, 3, 5), (3, 3, 9)], 10), (1, 0));
    }

    #[test]
    fn an_item_that_stays_ages_while_others_are_read() {
        assert_eq!(ages(&[(0, 3, 1), (0, 50, 2), (0, 90, 3)], 10), (10, 9));
    }

    #[test]
    fn the_next_unfinished_item_is_as_old_as_its_reading() {
        assert_eq!(ages(&[(0, 3, 1), (0, 50, 2), (0, 90, 3), (20, 90, 4)], 10), (6, 8));
        assert_eq!(ages(&[(0, 3, 1), (0, 50, 2), (0, 90, 3), (60, 90, 4)], 10), (6, 7));
    }

    #[test]
    fn what_is_kept_is_bounded_by_what_is_read_anew() {
        let mut ages = Ages::new(Offset(0), at(0));
        for second in 0..1_000 {
            ages.look(Offset(0), Offset(700), at(second));
        }
        assert_eq!(ages.read.len(), 1);
    }
}
