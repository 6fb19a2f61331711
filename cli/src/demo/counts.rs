//! What has come to stand on the topics so far, counted as it comes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use longshore::schemas::records::GroupStatus;

/// Counters that the followers of topics share with whoever looks.
#[derive(Debug, Default)]
pub struct Counts {
    orders: AtomicU64,
    lines: AtomicU64,
    complete: AtomicU64,
    partial: AtomicU64,
    dead_letters: AtomicU64,
    late: AtomicU64,
    last_complete: Mutex<Option<Instant>>,
}

/// What a record on a topic stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// An order was published.
    Order,
    /// A line was split off.
    Line,
    /// An order was settled.
    Settled(GroupStatus),
    /// An item was given up.
    DeadLetter,
    /// A part came late.
    Late,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Orders published.
    pub orders: u64,
    /// Lines split off, those that are published twice counted twice.
    pub lines: u64,
    /// Orders settled with all their parts.
    pub complete: u64,
    /// Orders settled without some of their parts.
    pub partial: u64,
    /// Items given up.
    pub dead_letters: u64,
    /// Parts that came late.
    pub late: u64,
}

impl Counts {
    /// One more.
    pub fn add(&self, seen: Seen) {
        let counter = match seen {
            Seen::Order => &self.orders,
            Seen::Line => &self.lines,
            Seen::Settled(GroupStatus::Complete) => {
                let last = self.last_complete.lock();
                *last.unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                &self.complete
            }
            Seen::Settled(GroupStatus::Partial | GroupStatus::Failed) => &self.partial,
            Seen::DeadLetter => &self.dead_letters,
            Seen::Late => &self.late,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// As they are now.
    pub fn tally(&self) -> Tally {
        let now = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Tally {
            orders: now(&self.orders),
            lines: now(&self.lines),
            complete: now(&self.complete),
            partial: now(&self.partial),
            dead_letters: now(&self.dead_letters),
            late: now(&self.late),
        }
    }

    /// When the last complete order was seen.
    pub fn last_complete(&self) -> Option<Instant> {
        *self.last_complete.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    /// What is still missing of what is awaited, for people; none if nothing is.
    pub fn missing(&self, awaited: &Self) -> Option<String> {
        let pairs = [
            ("orders published", self.orders, awaited.orders),
            ("complete orders", self.complete, awaited.complete),
            ("partial orders", self.partial, awaited.partial),
            ("dead letters", self.dead_letters, awaited.dead_letters),
            ("late parts", self.late, awaited.late),
        ];
        let short = pairs.iter().filter(|(_, found, awaited)| found < awaited);
        let told: Vec<_> =
            short.map(|(what, found, awaited)| format!("{what}: {found} of {awaited}")).collect();
        (!told.is_empty()).then(|| told.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_until_nothing_is() {
        let counts = Counts::default();
        let awaited = Tally { orders: 1, complete: 1, ..Tally::default() };
        counts.add(Seen::Order);
        assert_eq!(counts.last_complete(), None);
        assert_eq!(counts.tally().missing(&awaited).unwrap(), "complete orders: 0 of 1");
        counts.add(Seen::Settled(GroupStatus::Complete));
        assert_eq!(counts.tally().missing(&awaited), None);
        assert!(counts.last_complete().is_some());
    }
}
