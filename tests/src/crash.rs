//! A broker in front of the real one that kills the process in a chosen phase of a transaction.

use std::io::{self, Write};
use std::process;
use std::str::FromStr;
use std::time::Duration;

use longshore_kafka::lane::broker::{Broker, Locate, Polled, Sent};
use longshore_kafka::{
    Deliveries, Failure, Offset, Outgoing, Partition, ProduceError, Transactions,
};
use rustix::process::{Signal, getpid, kill_process};

/// The transaction that is crashed in: the ones before it show that the lane worked.
const CRASHES_IN: u32 = 3;
/// Long enough that the request to commit is sent, far too short for its answer to be used.
const SENT: Duration = Duration::from_micros(500);

/// Where in a transaction a worker is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It is open, and nothing is in it.
    Begun,
    /// A first record was handed to the client.
    Produced,
    /// Every record is in the log.
    Delivered,
    /// The progress is in it too.
    ProgressSent,
    /// The commit is under way, and nobody has heard its answer.
    Committing,
    /// The commit was answered, and the lane doesn't know yet.
    Committed,
}

impl Phase {
    /// All of them, in order.
    pub const ALL: [Self; 6] = [
        Self::Begun,
        Self::Produced,
        Self::Delivered,
        Self::ProgressSent,
        Self::Committing,
        Self::Committed,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Produced => "produced",
            Self::Delivered => "delivered",
            Self::ProgressSent => "progress-sent",
            Self::Committing => "committing",
            Self::Committed => "committed",
        }
    }
}

impl FromStr for Phase {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|it| it.name() == name);
        found.ok_or_else(|| anyhow::anyhow!("{name} is no phase"))
    }
}

/// A broker that dies.
pub struct CrashAt<B> {
    broker: B,
    phase: Phase,
    begun: u32,
}

impl<B> CrashAt<B> {
    /// Kills the process in this phase of its third transaction.
    pub fn new(broker: B, phase: Phase) -> Self {
        Self { broker, phase, begun: 0 }
    }

    fn reached(&self, phase: Phase) {
        if phase == self.phase && self.begun == CRASHES_IN {
            die(phase);
        }
    }
}

/// Kill -9: no destructor runs, no socket is closed in order.
fn die(phase: Phase) -> ! {
    // Nothing is lost if nobody reads it: the signal tells as well.
    let _ = writeln!(io::stderr(), "killed when {}", phase.name());
    let killed = kill_process(getpid(), Signal::KILL);
    let _ = writeln!(io::stderr(), "not killed: {killed:?}");
    process::abort()
}

impl<B: Broker> Transactions for CrashAt<B> {
    fn now(&self) -> Duration {
        self.broker.now()
    }

    fn ready(&mut self, wait: Duration) -> Result<bool, Failure> {
        self.broker.ready(wait)
    }

    fn begin(&mut self) -> Result<(), Failure> {
        self.broker.begin()?;
        self.begun += 1;
        self.reached(Phase::Begun);
        Ok(())
    }

    fn produce(&mut self, output: &Outgoing, tag: usize) -> Result<(), ProduceError> {
        self.broker.produce(output, tag)?;
        self.reached(Phase::Produced);
        Ok(())
    }

    fn deliveries(&mut self, wait: Duration) -> Deliveries {
        let deliveries = self.broker.deliveries(wait);
        if deliveries.pending == 0 && !deliveries.written.is_empty() {
            self.reached(Phase::Delivered);
        }
        deliveries
    }

    fn commit(&mut self, wait: Duration) -> Result<(), Failure> {
        if self.phase == Phase::Committing && self.begun == CRASHES_IN {
            // Whatever it answers, the lane never learns it.
            drop(self.broker.commit(SENT));
            die(self.phase);
        }
        self.broker.commit(wait)?;
        self.reached(Phase::Committed);
        Ok(())
    }

    fn abort(&mut self, wait: Duration) -> Result<(), Failure> {
        self.broker.abort(wait)
    }

    fn tainted(&self) -> bool {
        self.broker.tainted()
    }

    fn discard_producer(&mut self) {
        self.broker.discard_producer();
    }
}

impl<B: Broker> Broker for CrashAt<B> {
    fn poll(&mut self, wait: Duration) -> Result<Option<Polled>, Failure> {
        self.broker.poll(wait)
    }

    fn accept(&mut self, partitions: &[Partition]) -> Result<(), Failure> {
        self.broker.accept(partitions)
    }

    fn locate(&mut self, request: Locate) {
        self.broker.locate(request);
    }

    fn start(&mut self, partition: Partition, offset: Offset) -> Result<(), Failure> {
        self.broker.start(partition, offset)
    }

    fn rest(&mut self, wait: Duration) {
        self.broker.rest(wait);
    }

    fn pause(&mut self, partitions: &[Partition]) -> Result<(), Failure> {
        self.broker.pause(partitions)
    }

    fn resume(&mut self, partitions: &[Partition]) -> Result<(), Failure> {
        self.broker.resume(partitions)
    }

    fn release(&mut self, partitions: &[Partition]) -> Result<(), Failure> {
        self.broker.release(partitions)
    }

    fn send_progress(&mut self, progress: &[Sent], wait: Duration) -> Result<(), Failure> {
        self.broker.send_progress(progress, wait)?;
        self.reached(Phase::ProgressSent);
        Ok(())
    }
}
