//! The Kafka that the tests run on: one for all, one of its own for whoever kills it, one behind a
//! proxy, and three at once.

use std::fs;
use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use longshore_chaos::{Control, Proxy};
use longshore_local::{
    Environment, OwnedBroker, Trio, start_owned, start_owned_behind, start_owned_of_release,
    start_trio,
};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tokio::runtime::Runtime;

use crate::until;

/// The tool that describes topics.
const TOPICS: &str = "org.apache.kafka.tools.TopicCommand";

/// A Kafka on this machine; it ends with the process of the tests.
pub struct Cluster {
    kafka: Mutex<Kafka>,
    servers: String,
    front: Option<Front>,
}

enum Kafka {
    One(Box<OwnedBroker>),
    Three(Trio),
}

/// What stands in front of it.
struct Front {
    proxy: Proxy,
    runtime: Runtime,
}

impl Cluster {
    /// The one that tests share: they meet only in it, under names of their own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(Self::own)
    }

    /// One for a test that kills it; it lives as long as the run.
    pub fn one_to_kill() -> &'static Self {
        Box::leak(Box::new(Self::own()))
    }

    /// One whose workers come through a proxy. Everybody else comes past it: who looks at what the
    /// workers did isn't disturbed. Tests share it, so one at a time may disturb.
    pub fn behind_proxy() -> &'static Self {
        static BEHIND: OnceLock<Cluster> = OnceLock::new();
        BEHIND.get_or_init(|| {
            let runtime = Runtime::new().expect("a runtime");
            let proxy = runtime.block_on(Proxy::listen((Ipv4Addr::LOCALHOST, 0).into()));
            let proxy = proxy.expect("a port");
            let kafka = start_owned_behind(&environment(), proxy.address(), &mut |_| {});
            let kafka = kafka.expect("a Kafka on this machine");
            let behind = kafka.proxied_address().expect("it was started behind a proxy");
            proxy.control().forward_to(behind);
            let servers = kafka.bootstrap_servers();
            let front = Some(Front { proxy, runtime });
            Self { kafka: Mutex::new(Kafka::One(Box::new(kafka))), servers, front }
        })
    }

    /// Three brokers, for a test that kills them one by one.
    pub fn three() -> &'static Self {
        let kafka = start_trio(&environment(), &mut |_| {}).expect("three brokers here");
        let servers = kafka.bootstrap_servers();
        let kafka = Mutex::new(Kafka::Three(kafka));
        Box::leak(Box::new(Self { kafka, servers, front: None }))
    }

    /// One that has the features of an older release only, for a test that upgrades them.
    pub fn of_release(release: &'static str) -> &'static Self {
        let broker = start_owned_of_release(&environment(), release, &mut |_| {});
        Box::leak(Box::new(Self::of(broker.expect("a Kafka on this machine"))))
    }

    fn own() -> Self {
        let broker = start_owned(&environment(), &mut |_| {});
        Self::of(broker.expect("a Kafka on this machine"))
    }

    fn of(broker: OwnedBroker) -> Self {
        let servers = broker.bootstrap_servers();
        Self { kafka: Mutex::new(Kafka::One(Box::new(broker))), servers, front: None }
    }

    /// Where clients find it.
    pub fn servers(&self) -> &str {
        &self.servers
    }

    /// Where workers find it: through the proxy, if there is one.
    pub fn servers_of_workers(&self) -> String {
        let front = self.front.as_ref();
        front.map_or_else(|| self.servers.clone(), |it| it.proxy.address().to_string())
    }

    /// What the proxy does.
    pub fn control(&self) -> Control {
        self.front().proxy.control()
    }

    /// Runs something on the proxy's runtime.
    pub fn runtime(&self) -> &Runtime {
        &self.front().runtime
    }

    /// Kill -9, and a start on the same data. `meanwhile` is done while it is down.
    pub fn crash_and_restart(&self, meanwhile: impl FnOnce()) {
        let mut kafka = self.kafka();
        let Kafka::One(broker) = &mut *kafka else { panic!("three are killed one by one") };
        broker.kill();
        meanwhile();
        broker.restart(&mut |_| {}).expect("the Kafka starts again");
    }

    /// None of its files may grow beyond so many bytes until it is started again: as a disk that is
    /// full, that is told to whoever writes.
    pub fn limit_files(&self, bytes: u64) {
        self.broker(|broker| {
            let pid = broker.pid().and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
            let limit = Rlimit { current: Some(bytes), maximum: None };
            prlimit(Some(pid.expect("it runs")), Resource::Fsize, limit).expect("limited");
        });
    }

    /// All that its broker has said so far.
    pub fn said(&self) -> String {
        self.broker(|broker| fs::read_to_string(broker.log()).expect("its log"))
    }

    /// Kill -9 of one of three, 0 to 2.
    pub fn crash(&self, node: usize) {
        self.trio(|trio| trio.kill(node));
    }

    /// Stops one of three in order.
    pub fn stop(&self, node: usize) {
        self.trio(|trio| trio.stop(node));
    }

    /// Starts one of three again, and waits until it has caught up with everything.
    pub fn restart(&self, node: usize) {
        self.trio(|trio| trio.restart(node, &mut |_| {}).expect("the node starts again"));
        until("every replica is in sync", || {
            let described = self
                .tool(TOPICS)
                .args(["--describe", "--under-replicated-partitions"])
                .output()
                .expect("Kafka's tool runs");
            (described.status.success() && described.stdout.is_empty()).then_some(())
        });
    }

    /// Starts those of three again that are dead, because a test has failed while they were.
    pub fn restart_the_dead(&self) {
        let mut dead = Vec::new();
        self.trio(|trio| dead.extend((0..Trio::NODES).filter(|node| trio.pid(*node).is_none())));
        dead.into_iter().for_each(|node| self.restart(node));
    }

    /// One of Kafka's own tools, by its class: a witness that shares no code with Longshore.
    pub fn tool(&self, class: &str) -> Command {
        let mut command = match &*self.kafka() {
            Kafka::One(broker) => broker.tool_command(class),
            Kafka::Three(trio) => trio.tool_command(class),
        };
        command.args(["--bootstrap-server", &self.servers]);
        command
    }

    fn broker<T>(&self, act: impl FnOnce(&OwnedBroker) -> T) -> T {
        match &*self.kafka() {
            Kafka::One(broker) => act(broker),
            Kafka::Three(_) => panic!("there are three brokers"),
        }
    }

    fn trio(&self, act: impl FnOnce(&mut Trio)) {
        match &mut *self.kafka() {
            Kafka::Three(trio) => act(trio),
            Kafka::One(_) => panic!("there is one broker only"),
        }
    }

    fn front(&self) -> &Front {
        self.front.as_ref().expect("this Kafka has no proxy in front of it")
    }

    fn kafka(&self) -> MutexGuard<'_, Kafka> {
        // A test that failed while it held the broker says nothing about the broker.
        self.kafka.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn environment() -> Environment {
    Environment::from_process().expect("a cache folder")
}
