//! Who is killed next: a seeded choice, at a steady pace.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Time between two kills.
const EVERY: Duration = Duration::from_secs(2);

/// Chooses victims.
pub struct Killer {
    choices: StdRng,
    next: Duration,
}

impl Killer {
    /// The same seed makes the same choices.
    pub fn seeded(seed: u64) -> Self {
        Self { choices: StdRng::seed_from_u64(seed), next: EVERY }
    }

    /// The victim, if one is due `elapsed` after the beginning: a number below `members`. Kills
    /// that were missed aren't made up for.
    pub fn due(&mut self, elapsed: Duration, members: usize) -> Option<usize> {
        if elapsed < self.next {
            return None;
        }
        self.next = elapsed + EVERY;
        Some(self.choices.random_range(0..members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn victims(seed: u64) -> Vec<(u64, usize)> {
        let mut killer = Killer::seeded(seed);
        let due = |second| Some((second, killer.due(Duration::from_secs(second), 5)?));
        (0..200).filter_map(due).collect()
    }

    #[test]
    fn a_victim_is_due_every_two_seconds_and_everybodys_turn_comes() {
        let victims = victims(7);
        assert_eq!(victims.len(), 99);
        assert!(victims.windows(2).all(|pair| pair[1].0 - pair[0].0 == 2));
        assert!((0..5).all(|member| victims.iter().any(|(_, victim)| *victim == member)));
    }

    #[test]
    fn the_seed_decides() {
        assert_eq!(victims(1), victims(1));
        assert_ne!(victims(1), victims(2));
    }
}
