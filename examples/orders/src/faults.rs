//! What goes wrong, and where: a seeded hash of order and line decides, so that it is known
//! beforehand.

use std::time::Duration;

/// What happens to one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Pricing it can never succeed: it is dead-lettered, and its order is partial.
    Poison,
    /// Pricing it fails twice, then succeeds.
    Transient,
    /// It is published twice: the gather drops the second outcomes, and counts those that come
    /// before the order is closed.
    Duplicate,
    /// Pricing it takes long.
    Slow,
    /// It is expected, but never published: its order closes at the deadline.
    Dropped,
    /// Its supply check ends after the order's deadline: a late part.
    Late,
}

/// Of 10,000 lines, how many have each fault.
const RATES: [(Fault, u64); 6] = [
    (Fault::Poison, 20),
    (Fault::Transient, 200),
    (Fault::Duplicate, 50),
    (Fault::Slow, 20),
    (Fault::Dropped, 5),
    (Fault::Late, 3),
];

/// The faults of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    seed: Option<u64>,
    late_after: Duration,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self { seed: None, late_after: Duration::ZERO }
    }

    /// The faults of this seed, in a join that waits as long as `timeout`.
    pub fn seeded(seed: u64, timeout: Duration) -> Self {
        // Well behind the deadline: the group was opened before its parts could be read.
        Self { seed: Some(seed), late_after: timeout + Duration::from_secs(3) }
    }

    /// What happens to this line.
    pub fn of(&self, order_key: i64, line_number: i32) -> Option<Fault> {
        let mut lot = mix(self.seed?, order_key, line_number) % 10_000;
        for (fault, rate) in RATES {
            if lot < rate {
                return Some(fault);
            }
            lot -= rate;
        }
        None
    }

    /// How long the supply check of a late line takes.
    pub fn late_after(&self) -> Duration {
        self.late_after
    }
}

/// Spreads seed, order and line evenly over 64 bits (the finalizer of SplitMix64).
fn mix(seed: u64, order_key: i64, line_number: i32) -> u64 {
    let line =
        order_key.unsigned_abs().wrapping_mul(8).wrapping_add(line_number.unsigned_abs().into());
    let mut bits = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(line);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn every_fault_comes_about_as_often_as_its_rate() {
        let faults = Faults::seeded(7, Duration::from_secs(10));
        let mut counts: HashMap<String, u64> = HashMap::new();
        for order in 0..50_000 {
            for line in 1..=4 {
                if let Some(fault) = faults.of(order, line) {
                    *counts.entry(format!("{fault:?}")).or_default() += 1;
                }
            }
        }
        for (fault, rate) in RATES {
            let count = counts[&format!("{fault:?}")];
            let expected = rate * 20;
            assert!(count.abs_diff(expected) < expected / 3, "{fault:?}: {count} of {expected}");
        }
    }

    #[test]
    fn another_seed_hits_other_lines() {
        let hits = |seed| {
            let faults = Faults::seeded(seed, Duration::ZERO);
            (0..1_000).filter(|order| faults.of(*order, 1).is_some()).collect::<Vec<_>>()
        };
        assert_eq!(hits(1), hits(1));
        assert_ne!(hits(1), hits(2));
        assert!(Faults::none().of(1, 1).is_none());
    }
}
