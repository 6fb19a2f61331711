//! A fleet whose network is disturbed while it works and somebody looks on.

use std::env;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use longshore_chaos::{ApiKey, Control, Counts, Rules, Then, Trap};
use longshore_kafka::admin::Watermarks;
use longshore_tests::{Cluster, Fleet, Process, Rounds, Shape, Watch, until, until_caught};

/// What is under test: the worker of a stage, or the coordinator of a join.
pub const STAGE: Shape = Shape::Stage { partitions: 4 };
pub const JOIN: Shape = Shape::Join;

/// Items of a round: a worker is done with them in a second or two.
const ROUND: i64 = 1_200;
/// Groups of a round: a splitter takes twice as long for each.
const ROUND_OF_GROUPS: i64 = 600;
/// Longer than any wait of these tests.
pub const HELD_MAX: Duration = Duration::from_secs(120);

/// How many times as many faults as in an ordinary run, by the environment.
pub fn times() -> usize {
    let asked = env::var("LONGSHORE_FAULT_ROUNDS").unwrap_or_default();
    if asked.is_empty() {
        return 1;
    }
    asked.parse().expect("LONGSHORE_FAULT_ROUNDS is a number")
}

/// One fleet at a time behind the proxy: what is disturbed is disturbed for all.
pub struct Network {
    pub control: Control,
    cluster: &'static Cluster,
    _alone: MutexGuard<'static, ()>,
}

impl Network {
    pub fn undisturbed() -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let cluster = Cluster::behind_proxy();
        let network = Self { control: cluster.control(), cluster, _alone: alone };
        network.clear();
        network
    }

    pub fn cluster(&self) -> &'static Cluster {
        self.cluster
    }

    pub fn fleet(&self) -> Fleet {
        self.fleet_of(STAGE)
    }

    pub fn fleet_of(&self, shape: Shape) -> Fleet {
        Fleet::new(self.cluster, shape)
    }

    /// Waits until the proxy has done something.
    pub fn until(&self, what: &str, found: impl Fn(Counts) -> bool) {
        until(what, || found(self.control.counts()).then_some(()));
    }

    /// Keeps back the commit of a transaction that has outputs of the fleet, while its owner waits.
    pub fn hold_a_commit(&self, fleet: &Fleet) {
        let hold = Trap::HoldRequest { of: ApiKey::END_TXN, at_most: HELD_MAX, then: Then::Stay };
        until("a commit of outputs is kept back", || {
            let held = self.control.counts().held;
            self.control.set_trap(hold, 1);
            self.until("a commit is kept back", |it| it.held > held);
            if open_outputs(fleet) > 0 {
                return Some(());
            }
            // A join may have taken in parts, and closed no group yet.
            self.control.release();
            None
        });
    }

    /// Everything passes, and what was kept back is delivered.
    pub fn clear(&self) {
        self.control.set_rules(Rules::default());
        self.control.clear_traps();
        self.control.release();
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // A test that failed must not fail the next one.
        self.clear();
    }
}

/// Three brokers, for one test at a time: one that is dead is so for all.
pub struct Brokers {
    pub cluster: &'static Cluster,
    _alone: MutexGuard<'static, ()>,
}

impl Brokers {
    pub fn all_alive() -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        static THREE: OnceLock<&Cluster> = OnceLock::new();
        let cluster = *THREE.get_or_init(Cluster::three);
        cluster.restart_the_dead();
        Self { cluster, _alone: alone }
    }
}

/// Work behind gates, and somebody who looks on.
pub struct Trial<'a> {
    fleet: &'a Fleet,
    work: Rounds<'a>,
    watch: Watch<'a>,
    /// Of a join: who splits the items and works on their parts, disturbed by no network.
    worker: Option<Process>,
}

impl<'a> Trial<'a> {
    /// Publishes work for so many faults.
    pub fn publish(fleet: &'a Fleet, faults: usize) -> Self {
        let rounds = i64::try_from(faults + 1).expect("a count");
        let (round, worker) = match fleet.shape() {
            Shape::Stage { .. } => (ROUND, None),
            Shape::Join => (ROUND_OF_GROUPS, Some(fleet.process(&["work"]))),
        };
        let work = Rounds::publish_of(round, fleet, rounds);
        Self { fleet, work, watch: Watch::of(fleet), worker }
    }

    /// Waits until there are outputs.
    pub fn has_begun(&self) {
        until("work has begun", || (self.fleet.ledger().ended() > 0).then_some(()));
    }

    /// Gives the worker something to commit.
    pub fn next(&mut self) {
        self.work.next();
    }

    /// Waits until the worker has committed so many transactions more, from now on.
    pub fn until_commits(&self, worker: &Process, more: u64) {
        let before = committed(worker);
        until_caught("the worker commits", || (committed(worker) >= before + more).then_some(()));
    }

    /// Waits for the end of all, stops the worker, and looks at what there is: the outputs that
    /// were aborted.
    pub fn ends_well(self, worker: Process) -> usize {
        let items = self.work.items();
        self.work.finish();
        self.watch.ends_well(items, [worker].into_iter().chain(self.worker))
    }
}

/// How many offsets of its outputs are in a transaction that is open.
pub fn open_outputs(fleet: &Fleet) -> i64 {
    let logs = fleet.admin().watermarks(&fleet.done()).expect("the Kafka answers");
    logs.iter().map(|&Watermarks { last_stable, high, .. }| high.0 - last_stable.0).sum()
}

/// Transactions that a worker has committed.
pub fn committed(worker: &Process) -> u64 {
    worker.counter("longshore_transactions_total", &[("outcome", "committed")])
}

/// Transactions of a worker whose commits were of unknown outcome.
pub fn unknown(worker: &Process) -> u64 {
    worker.counter("longshore_transactions_total", &[("outcome", "unknown")])
}

/// Transactions of a worker that were aborted.
pub fn aborted(worker: &Process) -> u64 {
    worker.counter("longshore_transactions_total", &[("outcome", "aborted")])
}

/// Producers of a worker that were replaced for this reason.
pub fn rebuilt(worker: &Process, reason: &str) -> u64 {
    worker.counter("longshore_producer_rebuilds_total", &[("reason", reason)])
}

/// The same for any reason.
pub fn rebuilt_at_all(worker: &Process) -> u64 {
    worker.counter("longshore_producer_rebuilds_total", &[])
}
