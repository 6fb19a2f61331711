//! The handle that changes what the proxy does while it runs.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::counts::Counters;
use crate::link::Link;
use crate::traps::Traps;
use crate::{Counts, Rules, Then, Trap};

/// Connections of one proxy.
const LINKS_MAX: usize = 1_024;

/// Changes what a proxy does. Every call takes effect at once, and none waits.
#[derive(Clone, Debug)]
pub struct Control {
    shared: Arc<Shared>,
}

/// What the connections of a proxy look at.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) counters: Counters,
    rules: watch::Sender<Rules>,
    /// How often it was released.
    released: watch::Sender<u64>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    broker: Option<SocketAddr>,
    traps: Traps,
    links: BTreeMap<u64, Arc<Link>>,
    next: u64,
}

impl Control {
    pub(crate) fn new() -> Self {
        let shared = Shared {
            counters: Counters::default(),
            rules: watch::Sender::new(Rules::default()),
            released: watch::Sender::new(0),
            state: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Says where the broker is. Before that, connections are refused.
    pub fn forward_to(&self, broker: SocketAddr) {
        self.shared.state().broker = Some(broker);
    }

    /// How the network is from now on, for old connections and new ones.
    pub fn set_rules(&self, rules: Rules) {
        self.shared.rules.send_replace(rules);
    }

    /// How the network is.
    pub fn rules(&self) -> Rules {
        *self.shared.rules.borrow()
    }

    /// Sets a trap for the next so many requests of its kind. False: there are too many traps.
    pub fn set_trap(&self, trap: Trap, times: u32) -> bool {
        self.shared.state().traps.set(trap, times)
    }

    /// Takes all traps away. What is kept back stays so until it is released.
    pub fn clear_traps(&self) {
        self.shared.state().traps.clear();
    }

    /// Passes on every request that is kept back.
    pub fn release(&self) {
        self.shared.released.send_modify(|times| *times += 1);
    }

    /// Closes all connections in order. A request that hasn't reached the broker yet is lost,
    /// unless a trap keeps it back.
    pub fn cut_all(&self) {
        self.part_all(Then::Cut);
    }

    /// Resets all connections (RST). A request that hasn't reached the broker yet is lost, unless a
    /// trap keeps it back.
    pub fn reset_all(&self) {
        self.part_all(Then::Reset);
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        self.shared.counters.counts()
    }

    fn part_all(&self, then: Then) {
        let links: Vec<_> = self.shared.state().links.values().cloned().collect();
        for link in links {
            link.lose_client(then, &self.shared.counters);
            if !link.is_holding() {
                link.end();
            }
        }
    }
}

impl Shared {
    pub(crate) fn rules(&self) -> watch::Receiver<Rules> {
        self.rules.subscribe()
    }

    pub(crate) fn released(&self) -> watch::Receiver<u64> {
        self.released.subscribe()
    }

    pub(crate) fn broker(&self) -> Option<SocketAddr> {
        self.state().broker
    }

    /// Takes a connection on; none if there are too many.
    pub(crate) fn enter(&self) -> Option<(u64, Arc<Link>)> {
        let mut state = self.state();
        if state.links.len() >= LINKS_MAX {
            return None;
        }
        let (number, link) = (state.next, Arc::new(Link::default()));
        state.next += 1;
        state.links.insert(number, Arc::clone(&link));
        Some((number, link))
    }

    pub(crate) fn leave(&self, number: u64) {
        self.state().links.remove(&number);
    }

    /// Looks at the traps.
    pub(crate) fn trapped<T>(&self, look: impl FnOnce(&mut Traps) -> Option<T>) -> Option<T> {
        look(&mut self.state().traps)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
