//! Faults in a random order, the same for the same seed. Pure: who runs it has the clock.

use std::ops::Range;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::ApiKey;

/// The time between two disturbances, in milliseconds.
const PAUSE_MILLIS: Range<u64> = 200..1_500;
/// How long one lasts, in milliseconds.
const LASTS_MILLIS: Range<u64> = 50..800;
/// The delay of a frame, in milliseconds.
const DELAY_MILLIS: Range<u64> = 5..300;
/// The pace of a slow network, in bytes per second.
const PACE: Range<u64> = 20_000..500_000;
/// One disturbance in so many leaves commits unanswered.
const UNANSWERED_ONE_IN: u32 = 10;
/// For how long: a lane gives up asking after ten seconds, and doesn't know then.
const UNANSWERED: Duration = Duration::from_secs(12);

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Requests arrive late.
    DelayRequests(Duration),
    /// Answers arrive late.
    DelayAnswers(Duration),
    /// So many bytes per second, and no more.
    Throttle(u64),
    /// Nothing passes, and nobody is told.
    BlackHole,
    /// Every connection is closed.
    Cut,
    /// Every connection is reset.
    Reset,
    /// The answer to the next request of this kind is lost, and its connection with it.
    SwallowAnswer(ApiKey),
    /// The next request of this kind reaches the broker when its client has given it up.
    DeliverLate(ApiKey),
    /// No request of this kind is answered, however often it is asked again: who asked to commit
    /// can't know whether that was done.
    Unanswered(ApiKey),
}

/// A fault with its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disturbance {
    /// How long after the one before it is over.
    pub after: Duration,
    /// What goes wrong.
    pub fault: Fault,
    /// How long it lasts.
    pub lasts: Duration,
}

/// Disturbances without an end.
#[derive(Clone, Debug)]
pub struct Schedule {
    random: StdRng,
}

impl Schedule {
    /// The schedule of a seed. It is the same in every run of the same version.
    pub fn from_seed(seed: u64) -> Self {
        Self { random: StdRng::seed_from_u64(seed) }
    }

    fn millis(&mut self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.random.random_range(range))
    }

    fn transactional(&mut self) -> ApiKey {
        ApiKey::TRANSACTIONAL[self.random.random_range(0..ApiKey::TRANSACTIONAL.len())]
    }

    fn fault(&mut self) -> Fault {
        if self.random.random_ratio(1, UNANSWERED_ONE_IN) {
            return Fault::Unanswered(ApiKey::END_TXN);
        }
        match self.random.random_range(0..8) {
            0 => Fault::DelayRequests(self.millis(DELAY_MILLIS)),
            1 => Fault::DelayAnswers(self.millis(DELAY_MILLIS)),
            2 => Fault::Throttle(self.random.random_range(PACE)),
            3 => Fault::BlackHole,
            4 => Fault::Cut,
            5 => Fault::Reset,
            6 => Fault::SwallowAnswer(self.transactional()),
            _ => Fault::DeliverLate(self.transactional()),
        }
    }
}

impl Iterator for Schedule {
    type Item = Disturbance;

    fn next(&mut self) -> Option<Disturbance> {
        let (after, fault) = (self.millis(PAUSE_MILLIS), self.fault());
        let lasts = match fault {
            Fault::Unanswered(_) => UNANSWERED,
            _ => self.millis(LASTS_MILLIS),
        };
        Some(Disturbance { after, fault, lasts })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::mem::discriminant;

    use super::*;

    #[test]
    fn a_seed_says_it_all() {
        let of = |seed| Schedule::from_seed(seed).take(50).collect::<Vec<_>>();
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }

    #[test]
    fn every_fault_comes_and_every_time_is_within_its_bounds() {
        let all: Vec<_> = Schedule::from_seed(1).take(500).collect();
        let kinds: HashSet<_> = all.iter().map(|it| discriminant(&it.fault)).collect();
        assert_eq!(kinds.len(), 9);
        for it in all {
            assert!(PAUSE_MILLIS.contains(&u64::try_from(it.after.as_millis()).expect("short")));
            if matches!(it.fault, Fault::Unanswered(_)) {
                assert_eq!(it.lasts, UNANSWERED);
                continue;
            }
            assert!(LASTS_MILLIS.contains(&u64::try_from(it.lasts.as_millis()).expect("short")));
        }
    }

    /// Faults of other kinds keep clients away from their commits for some of the time, so of these
    /// only a part leaves a commit whose outcome nobody knows.
    #[test]
    fn commits_go_unanswered_more_than_two_times_a_minute() {
        const HOURS: usize = 10;
        let (mut elapsed, mut unanswered) = (Duration::ZERO, 0);
        for it in Schedule::from_seed(1) {
            elapsed += it.after + it.lasts;
            if elapsed > Duration::from_secs(3_600 * HOURS as u64) {
                break;
            }
            unanswered += usize::from(matches!(it.fault, Fault::Unanswered(ApiKey::END_TXN)));
        }
        assert!(unanswered > 2 * 60 * HOURS, "{unanswered} in {HOURS} hours");
    }
}
