//! Work that can't run out before a test is done with it, however fast or slow the machine is.

use std::fs;

use crate::{Fleet, Job, Shape};

/// Keys of the items below.
const KEYS: i64 = 20;
/// Items of one round, where nothing else is said.
const ROUND: i64 = 1_000;

/// So many items that are done at once, over all keys.
pub fn echoes(numbers: std::ops::Range<i64>) -> impl Iterator<Item = Job> {
    numbers.map(|number| Job::echo(number, format!("key {}", number % KEYS)))
}

/// The same, and each takes a moment.
pub fn naps(numbers: std::ops::Range<i64>) -> impl Iterator<Item = Job> {
    echoes(numbers).map(|job| job.doing("nap"))
}

/// Items that take a moment each, in rounds. The last ones of a round, one of each key, are held
/// until its gate is opened: nobody gets beyond.
pub struct Rounds<'a> {
    fleet: &'a Fleet,
    rounds: i64,
    round: i64,
    opened: i64,
}

impl<'a> Rounds<'a> {
    /// Publishes them all.
    pub fn publish(fleet: &'a Fleet, rounds: i64) -> Self {
        Self::publish_of(ROUND, fleet, rounds)
    }

    /// The same, in rounds of so many items.
    pub fn publish_of(round: i64, fleet: &'a Fleet, rounds: i64) -> Self {
        let held = |job: Job| {
            let (number, place) = (job.number / round, job.number % round);
            match fleet.shape() {
                _ if place < round - KEYS => job,
                Shape::Stage { .. } => job.held_until(&gate(fleet, number)),
                // Parts have keys of their own: only where it is split an item holds those behind.
                Shape::Join => job.split_when(&gate(fleet, number)),
            }
        };
        fleet.publish(naps(0..rounds * round).map(held));
        Self { fleet, rounds, round, opened: 0 }
    }

    /// How many items there are.
    pub fn items(&self) -> i64 {
        self.rounds * self.round
    }

    /// Lets the round end that is being worked on, and the next begin.
    pub fn next(&mut self) {
        fs::write(gate(self.fleet, self.opened), "").expect("the gate opens");
        self.opened += 1;
    }

    /// Opens every gate, and waits for the end of all.
    pub fn finish(mut self) {
        while self.opened < self.rounds {
            self.next();
        }
        self.fleet.until_ended(usize::try_from(self.items()).expect("a count"));
    }
}

fn gate(fleet: &Fleet, round: i64) -> std::path::PathBuf {
    fleet.file(&format!("gate-{round}"))
}
