//! What happens to chosen requests, a number of times.

use std::time::Duration;

use crate::ApiKey;

/// Traps that may be set at once; more are a mistake of whoever sets them.
const TRAPS_MAX: usize = 64;

/// A fault that the next requests of one kind run into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// The request reaches the broker, and its answer never reaches the client.
    SwallowAnswer {
        /// Of which requests.
        of: ApiKey,
        /// What happens to the client's connection after that.
        then: Then,
    },
    /// The request is kept back, and so are the later ones of its connection. It is passed on when
    /// [`crate::Control::release`] is called, or after this time at most: also when its client has
    /// given it up and its connection is long gone, as a network may do (KAFKA-17754).
    HoldRequest {
        /// Which requests.
        of: ApiKey,
        /// The longest time.
        at_most: Duration,
        /// What happens to the client's connection meanwhile.
        then: Then,
    },
}

/// What happens to the connection of a client whose request ran into a trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It stays open, and the client waits.
    Stay,
    /// It is closed in order.
    Cut,
    /// It is reset.
    Reset,
}

/// The traps that are set, in order. The first that fits is taken.
#[derive(Debug, Default)]
pub(crate) struct Traps(Vec<(Trap, u32)>);

impl Traps {
    /// Sets a trap for so many requests; none is set where there are too many. Whether it is set.
    pub(crate) fn set(&mut self, trap: Trap, times: u32) -> bool {
        let set = times > 0 && self.0.len() < TRAPS_MAX;
        if set {
            self.0.push((trap, times));
        }
        set
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// How long a request of this kind is kept back, and what happens to its client.
    pub(crate) fn take_hold(&mut self, api_key: ApiKey) -> Option<(Duration, Then)> {
        self.take(|trap| match trap {
            Trap::HoldRequest { of, at_most, then } if of == api_key => Some((at_most, then)),
            _ => None,
        })
    }

    /// What happens to the client whose answer is taken.
    pub(crate) fn take_swallow(&mut self, api_key: ApiKey) -> Option<Then> {
        self.take(|trap| match trap {
            Trap::SwallowAnswer { of, then } if of == api_key => Some(then),
            _ => None,
        })
    }

    fn take<T>(&mut self, fits: impl Fn(Trap) -> Option<T>) -> Option<T> {
        let (at, found) =
            self.0.iter().enumerate().find_map(|(at, (trap, _))| Some((at, fits(*trap)?)))?;
        self.0[at].1 -= 1;
        if self.0[at].1 == 0 {
            self.0.remove(at);
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SWALLOW: Trap = Trap::SwallowAnswer { of: ApiKey::END_TXN, then: Then::Stay };
    const HOLD: Trap = Trap::HoldRequest {
        of: ApiKey::END_TXN,
        at_most: Duration::from_secs(1),
        then: Then::Reset,
    };

    #[test]
    fn a_trap_takes_its_own_kind_and_so_many_times() {
        let mut traps = Traps::default();
        assert!(traps.set(SWALLOW, 2) && traps.set(HOLD, 1));
        assert_eq!(traps.take_swallow(ApiKey::PRODUCE), None);
        assert_eq!(traps.take_swallow(ApiKey::END_TXN), Some(Then::Stay));
        assert_eq!(traps.take_hold(ApiKey::END_TXN), Some((Duration::from_secs(1), Then::Reset)));
        assert_eq!(traps.take_hold(ApiKey::END_TXN), None);
        assert_eq!(traps.take_swallow(ApiKey::END_TXN), Some(Then::Stay));
        assert_eq!(traps.take_swallow(ApiKey::END_TXN), None);
    }

    #[test]
    fn traps_are_bounded() {
        let mut traps = Traps::default();
        assert!(!traps.set(SWALLOW, 0));
        assert_eq!((0..TRAPS_MAX + 5).filter(|_| traps.set(SWALLOW, 1)).count(), TRAPS_MAX);
        traps.clear();
        assert_eq!(traps.take_swallow(ApiKey::END_TXN), None);
    }
}
