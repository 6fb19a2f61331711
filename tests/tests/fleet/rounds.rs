//! Work that can't run out before a test is done with it, however fast or slow the machine is.

use std::fs;

use longshore_tests::{Fleet, Job};

use crate::{KEYS, naps};

/// Items of one round.
const ROUND: i64 = 1_000;

/// Items that take a moment each, in rounds. The last ones of a round, one of each key, are held
/// until its gate is opened: nobody gets beyond.
pub struct Rounds<'a> {
    fleet: &'a Fleet,
    rounds: i64,
    opened: i64,
}

impl<'a> Rounds<'a> {
    /// Publishes them all.
    pub fn publish(fleet: &'a Fleet, rounds: i64) -> Self {
        let held = |job: Job| {
            let (round, place) = (job.number / ROUND, job.number % ROUND);
            if place < ROUND - KEYS { job } else { job.held_until(&gate(fleet, round)) }
        };
        fleet.publish(naps(0..rounds * ROUND).map(held));
        Self { fleet, rounds, opened: 0 }
    }

    /// How many items there are.
    pub fn items(&self) -> i64 {
        self.rounds * ROUND
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
