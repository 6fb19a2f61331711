//! A Kafka that is reached through a proxy, which loses answers and delivers requests late.

use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use longshore_chaos::{ApiKey, Control, Counts, Proxy, Then, Trap};
use longshore_kafka::Settings;
use longshore_local::{Environment, OwnedBroker, start_owned_behind};
use tokio::runtime::Runtime;

use crate::harness::DEADLINE;

/// A broker behind a proxy.
pub struct Proxied {
    pub control: Control,
    proxy: Proxy,
    kafka: OwnedBroker,
    _runtime: Runtime,
}

impl Proxied {
    fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let proxy = runtime.block_on(Proxy::listen((Ipv4Addr::LOCALHOST, 0).into()));
        let proxy = proxy.expect("a port");
        let environment = Environment::from_process().expect("a cache folder");
        let kafka = start_owned_behind(&environment, proxy.address(), &mut |_| {});
        let kafka = kafka.expect("a Kafka on this machine");
        let control = proxy.control();
        control.forward_to(kafka.proxied_address().expect("it was started behind a proxy"));
        Self { control, proxy, kafka, _runtime: runtime }
    }

    /// One for all tests, and for one at a time: a trap catches whoever comes.
    pub fn alone() -> MutexGuard<'static, Self> {
        static SHARED: OnceLock<Mutex<Proxied>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| Mutex::new(Self::start()));
        let shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.control.clear_traps();
        shared.control.release();
        shared
    }

    /// How clients come through the proxy.
    pub fn settings(&self) -> Settings {
        Settings::new(self.proxy.address().to_string())
    }

    /// Where clients come past it.
    pub fn direct(&self) -> String {
        self.kafka.bootstrap_servers()
    }

    /// The next request of this kind is kept back, and its connection reset.
    pub fn hold_next(&self, of: ApiKey) {
        let at_most = DEADLINE;
        assert!(self.control.set_trap(Trap::HoldRequest { of, at_most, then: Then::Reset }, 1));
    }

    /// Delivers what is kept back, and waits until the broker has answered it.
    pub fn deliver_held(&self) {
        let before = self.control.counts();
        assert_eq!(before.held_now, 1, "{before:?}");
        self.control.release();
        self.until("the late request is answered", |counts| {
            counts.answered_late > before.answered_late
        });
    }

    pub fn until(&self, what: &str, found: impl Fn(Counts) -> bool) {
        let begun = Instant::now();
        while !found(self.control.counts()) {
            assert!(begun.elapsed() < DEADLINE, "{what}: {:?}", self.control.counts());
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
