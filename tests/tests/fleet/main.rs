//! The fleet as a whole on a real Kafka: calm, under faults, and where it must stop.

mod calm;

mod audits;

mod crashes;
mod joins;
mod producers;
mod rebalances;
mod restarts;

mod bad_items;
mod held_items;

mod bad_input;
mod lost_positions;

mod rounds;

use longshore_tests::Job;

/// Keys of the items below.
const KEYS: i64 = 20;

/// So many items that are done at once, over all keys.
fn echoes(numbers: std::ops::Range<i64>) -> impl Iterator<Item = Job> {
    numbers.map(|number| Job::echo(number, format!("key {}", number % KEYS)))
}

/// The same, and each takes a moment.
fn naps(numbers: std::ops::Range<i64>) -> impl Iterator<Item = Job> {
    echoes(numbers).map(|job| job.doing("nap"))
}
