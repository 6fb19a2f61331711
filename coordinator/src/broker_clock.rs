//! The brokers' clock as an owner knows it: what it read there, and the time that has passed since.
//!
//! An owner's own clock may be wrong, and be set while it runs. So it isn't asked: a clock that
//! nobody sets counts on from append times.

use std::time::Duration;

use longshore_schemas::Timestamp;

/// A clock that is never ahead of the brokers', as long as theirs doesn't go back.
#[derive(Clone, Copy, Debug, Default)]
pub struct BrokerClock {
    /// How far it is ahead of the steady clock.
    ahead: Option<Duration>,
}

impl BrokerClock {
    /// By `steady`, a record is there that was appended at `appended`: it is at least as late as
    /// that. An old record says less than a new one did.
    pub fn read(&mut self, appended: Timestamp, steady: Duration) {
        let ahead = appended.minus(steady).since(Timestamp(0));
        self.ahead = self.ahead.max(Some(ahead));
    }

    /// What time it is at least; none if nothing was read.
    pub fn now(&self, steady: Duration) -> Option<Timestamp> {
        self.ahead.map(|ahead| Timestamp(0).plus(ahead + steady))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_from_what_was_read_and_never_back() {
        let seconds = Duration::from_secs;
        let mut clock = BrokerClock::default();
        assert_eq!(clock.now(seconds(5)), None);
        clock.read(Timestamp(1_000_000), seconds(5));
        assert_eq!(clock.now(seconds(5)), Some(Timestamp(1_000_000)));
        assert_eq!(clock.now(seconds(65)), Some(Timestamp(1_060_000)));
        // Of a backlog: appended long before it was read.
        clock.read(Timestamp(1_010_000), seconds(65));
        assert_eq!(clock.now(seconds(65)), Some(Timestamp(1_060_000)));
        clock.read(Timestamp(1_070_000), seconds(70));
        assert_eq!(clock.now(seconds(70)), Some(Timestamp(1_070_000)));
    }
}
