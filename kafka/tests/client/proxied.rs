//! A Kafka that is reached through a proxy, which loses answers and delivers requests late, and
//! that reaches itself through another one.

use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use longshore_chaos::{ApiKey, Control, Counts, Proxy, Rules, Then, Trap};
use longshore_kafka::Settings;
use longshore_local::{Environment, OwnedBroker, start_owned_behind_both};
use tokio::runtime::Runtime;

/// No condition may take longer, and nothing is kept back for longer.
const DEADLINE: Duration = Duration::from_secs(60);

/// A broker behind a proxy.
pub struct Proxied {
    pub control: Control,
    /// Of what the broker sends to itself.
    pub among_brokers: Control,
    proxy: Proxy,
    _proxy_among_brokers: Proxy,
    kafka: OwnedBroker,
    _runtime: Runtime,
}

impl Proxied {
    fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let [proxy, between] = [(); 2].map(|()| {
            let proxy = runtime.block_on(Proxy::listen((Ipv4Addr::LOCALHOST, 0).into()));
            proxy.expect("a port")
        });
        let environment = Environment::from_process().expect("a cache folder");
        let addresses = (proxy.address(), between.address());
        let kafka = start_owned_behind_both(&environment, addresses.0, addresses.1, &mut |_| {});
        let kafka = kafka.expect("a Kafka on this machine");
        let (control, among_brokers) = (proxy.control(), between.control());
        control.forward_to(kafka.proxied_address().expect("it was started behind a proxy"));
        among_brokers.forward_to(kafka.address_among_brokers().expect("and behind another one"));
        Self {
            control,
            among_brokers,
            proxy,
            _proxy_among_brokers: between,
            kafka,
            _runtime: runtime,
        }
    }

    /// One for all tests, and for one at a time: a trap catches whoever comes.
    pub fn alone() -> MutexGuard<'static, Self> {
        static SHARED: OnceLock<Mutex<Proxied>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| Mutex::new(Self::start()));
        let shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.control.clear_traps();
        // What a client that died in the test before would still have said is lost with it.
        shared.control.reset_all();
        shared.control.set_rules(Rules::default());
        shared.control.release();
        shared.among_brokers.clear_traps();
        shared.among_brokers.release();
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

    /// The next request of this kind is kept back, and this becomes of its connection.
    pub fn hold_next(&self, of: ApiKey, then: Then) {
        let at_most = DEADLINE;
        assert!(self.control.set_trap(Trap::HoldRequest { of, at_most, then }, 1));
    }

    /// Delivers what is kept back of a client that has gone, and waits until the broker has
    /// answered it.
    pub fn deliver_held(&self) {
        let before = self.control.counts();
        assert_eq!(before.held_now, 1, "{before:?}");
        self.control.release();
        self.until("the late request is answered", |counts| {
            counts.answered_late > before.answered_late
        });
    }

    pub fn until(&self, what: &str, found: impl Fn(Counts) -> bool) {
        until(&self.control, what, found);
    }
}

/// Waits until a proxy has done something.
pub fn until(control: &Control, what: &str, found: impl Fn(Counts) -> bool) {
    let begun = Instant::now();
    while !found(control.counts()) {
        assert!(begun.elapsed() < DEADLINE, "{what}: {:?}", control.counts());
        std::thread::sleep(Duration::from_millis(2));
    }
}
