//! The Kafka that the tests run on: one for all, and one of its own for whoever kills it.

use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use longshore_local::{Environment, OwnedBroker, start_owned};

/// A Kafka on this machine; it ends with the process of the tests.
pub struct Cluster {
    broker: Mutex<OwnedBroker>,
    servers: String,
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

    fn own() -> Self {
        let environment = Environment::from_process().expect("a cache folder");
        let broker = start_owned(&environment, &mut |_| {}).expect("a Kafka on this machine");
        let servers = broker.bootstrap_servers();
        Self { broker: Mutex::new(broker), servers }
    }

    /// Where clients find it.
    pub fn servers(&self) -> &str {
        &self.servers
    }

    /// Kill -9, and a start on the same data.
    pub fn crash_and_restart(&self) {
        let mut broker = self.broker();
        broker.kill();
        broker.restart(&mut |_| {}).expect("the Kafka starts again");
    }

    /// One of Kafka's own tools, by its class: a witness that shares no code with Longshore.
    pub fn tool(&self, class: &str) -> Command {
        let mut command = self.broker().tool_command(class);
        command.args(["--bootstrap-server", &self.servers]);
        command
    }

    fn broker(&self) -> MutexGuard<'_, OwnedBroker> {
        // A test that failed while it held the broker says nothing about the broker.
        self.broker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
