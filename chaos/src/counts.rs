//! What the proxy did, counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the proxy did since it listens. A test that asserts nothing of it may have tested nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections of clients that were passed on to the broker.
    pub connections: u64,
    /// Connections that were closed at once: the broker is away, or there are too many.
    pub refused: u64,
    /// Connections whose stream wasn't Kafka's protocol.
    pub malformed: u64,
    /// Connections of clients that were closed in order.
    pub cut: u64,
    /// Connections of clients that were reset.
    pub reset: u64,
    /// Requests that were passed on to the broker.
    pub requests: u64,
    /// Requests that were kept back.
    pub held: u64,
    /// Of those, the ones that are kept back now.
    pub held_now: u64,
    /// Of those, the ones that reached the broker when their client had gone.
    pub delivered_late: u64,
    /// Of those, the ones that the broker has answered.
    pub answered_late: u64,
    /// Answers that were passed on to their clients.
    pub answers: u64,
    /// Answers that a trap took.
    pub swallowed: u64,
    /// Answers whose clients had gone.
    pub unheard: u64,
    /// Frames that were passed on with a delay.
    pub delayed: u64,
}

macro_rules! counters {
    ($($name:ident),+ $(,)?) => {
        /// The counters behind [`Counts`].
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: Counter,)+
        }

        impl Counters {
            pub(crate) fn counts(&self) -> Counts {
                Counts { $($name: self.$name.0.load(Ordering::Acquire),)+ }
            }
        }
    };
}

counters! {
    connections, refused, malformed, cut, reset, requests, held, held_now, delivered_late,
    answered_late, answers, swallowed, unheard, delayed,
}

/// One of them.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn subtract(&self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
