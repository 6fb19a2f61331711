//! What goes wrong, and when: the same for the same seed. Pure; who makes it has the clock.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use serde::Serialize;

/// The time between two troubles, in milliseconds.
const PAUSE_MILLIS: Range<u64> = 1_000..3_000;
/// How long a process stands still, in milliseconds: up to twice its session.
const FREEZE_MILLIS: Range<u64> = 500..24_000;

/// What may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Kind {
    /// A process is killed (SIGKILL) and started again
    Kill,
    /// A process stands still (SIGSTOP), often for longer than its session
    Freeze,
    /// Connections are slowed down, cut and reset; requests arrive late, answers are lost
    Network,
    /// The broker is killed and started again
    Broker,
}

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// This process is killed.
    Kill(usize),
    /// This process stands still for so long.
    Freeze(usize, Duration),
    /// The broker is killed.
    Broker,
}

/// Troubles without an end. Those of the network have a schedule of their own.
#[derive(Debug)]
pub(super) struct Troubles {
    random: StdRng,
    /// Those that haven't come yet, before any comes again.
    first: Vec<Kind>,
    /// How often each comes later, in proportion.
    weights: [(Kind, u32); 3],
    processes: usize,
    next: Duration,
}

impl Troubles {
    /// Of these kinds, for so many processes.
    pub(super) fn seeded(seed: u64, kinds: &[Kind], processes: usize) -> Self {
        let weights = [(Kind::Kill, 6), (Kind::Freeze, 3), (Kind::Broker, 1)];
        let asked = |(kind, weight)| (kind, if kinds.contains(&kind) { weight } else { 0 });
        let weights = weights.map(asked);
        let mut random = StdRng::seed_from_u64(seed);
        let asked = weights.iter().filter(|(_, weight)| *weight > 0);
        let mut first: Vec<_> = asked.map(|(kind, _)| *kind).collect();
        first.shuffle(&mut random);
        let next = pause(&mut random);
        Self { random, first, weights, processes, next }
    }

    /// The trouble, if one is due so long after the beginning. What was missed isn't made up for.
    pub(super) fn due(&mut self, elapsed: Duration) -> Option<Trouble> {
        if elapsed < self.next {
            return None;
        }
        let kind = self.first.pop().or_else(|| self.any())?;
        self.next = elapsed + pause(&mut self.random);
        Some(match kind {
            Kind::Kill => Trouble::Kill(self.process()),
            Kind::Freeze => {
                let process = self.process();
                Trouble::Freeze(process, millis(&mut self.random, FREEZE_MILLIS))
            }
            Kind::Broker | Kind::Network => Trouble::Broker,
        })
    }

    /// Whether a kind that was asked for hasn't come yet.
    pub(super) fn owes(&self) -> bool {
        !self.first.is_empty()
    }

    fn any(&mut self) -> Option<Kind> {
        let all: u32 = self.weights.iter().map(|(_, weight)| weight).sum();
        let mut drawn = (all > 0).then(|| self.random.random_range(0..all))?;
        let is_drawn = |(kind, weight): &(Kind, u32)| {
            let is_it = drawn < *weight;
            drawn = drawn.saturating_sub(*weight);
            is_it.then_some(*kind)
        };
        self.weights.iter().find_map(is_drawn)
    }

    fn process(&mut self) -> usize {
        self.random.random_range(0..self.processes.max(1))
    }
}

fn pause(random: &mut StdRng) -> Duration {
    millis(random, PAUSE_MILLIS)
}

fn millis(random: &mut StdRng, range: Range<u64>) -> Duration {
    Duration::from_millis(random.random_range(range))
}

/// What went wrong, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Processes that were killed.
    pub kills: u64,
    /// Processes that stood still.
    pub freezes: u64,
    /// Disturbances of the network.
    pub disturbances: u64,
    /// Times the broker was killed.
    pub broker_kills: u64,
    /// Processes that ended by themselves and were started again, as a supervisor would.
    pub ended: u64,
}

impl Tally {
    /// How often something of this kind went wrong.
    pub fn of(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Kill => self.kills,
            Kind::Freeze => self.freezes,
            Kind::Network => self.disturbances,
            Kind::Broker => self.broker_kills,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, freezes, disturbances, broker_kills, ended } = self;
        write!(
            f,
            "{kills} kills, {freezes} freezes, {disturbances} disturbances of the network, \
             {broker_kills} kills of the broker, {ended} processes that ended by themselves"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn troubles(seed: u64, kinds: &[Kind]) -> Vec<Trouble> {
        let mut troubles = Troubles::seeded(seed, kinds, 5);
        (0..1_000).filter_map(|second| troubles.due(Duration::from_secs(second))).collect()
    }

    #[test]
    fn the_seed_decides() {
        let all = [Kind::Kill, Kind::Freeze, Kind::Broker];
        assert_eq!(troubles(1, &all), troubles(1, &all));
        assert_ne!(troubles(1, &all), troubles(2, &all));
    }

    #[test]
    fn only_what_was_asked_for_comes_and_all_of_that() {
        let kills = troubles(1, &[Kind::Kill, Kind::Network]);
        for process in 0..5 {
            assert!(kills.contains(&Trouble::Kill(process)), "{process} is spared");
        }
        assert!(kills.iter().all(|it| matches!(it, Trouble::Kill(_))), "{kills:?}");
        assert_eq!(troubles(1, &[Kind::Network]), []);
        assert!(!Troubles::seeded(1, &[Kind::Network], 5).owes());
        let all = troubles(1, &[Kind::Kill, Kind::Freeze, Kind::Broker]);
        let freezes = all.iter().filter(|it| matches!(it, Trouble::Freeze(..))).count();
        let brokers = all.iter().filter(|it| **it == Trouble::Broker).count();
        let kinds = all[..3].iter().map(std::mem::discriminant).collect::<HashSet<_>>();
        assert_eq!(kinds.len(), 3, "each comes before any comes again: {all:?}");
        assert!(brokers > 10 && freezes > 2 * brokers && all.len() > 2 * freezes, "{all:?}");
    }

    #[test]
    fn the_counts_are_told() {
        let tally = Tally { kills: 3, broker_kills: 1, ..Tally::default() };
        assert_eq!((tally.of(Kind::Kill), tally.of(Kind::Network)), (3, 0));
        assert!(tally.to_string().starts_with("3 kills, 0 freezes,"), "{tally}");
    }
}
