//! A fleet whose network is disturbed while it works and somebody looks on.

use std::env;
use std::sync::{Mutex, MutexGuard, PoisonError};

use longshore_chaos::{Control, Counts, Rules};
use longshore_kafka::admin::Isolation;
use longshore_tests::{Cluster, Fleet, Onlooker, Process, Rounds, Shape, until, until_caught};

/// Items of a round: a worker is done with them in a second or two.
const ROUND: i64 = 1_200;

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
        Fleet::new(self.cluster, Shape::Stage { partitions: 4 })
    }

    /// Waits until the proxy has done something.
    pub fn until(&self, what: &str, found: impl Fn(Counts) -> bool) {
        until(what, || found(self.control.counts()).then_some(()));
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

/// Work behind gates, and somebody who looks on.
pub struct Trial<'a> {
    fleet: &'a Fleet,
    work: Rounds<'a>,
    onlooker: Onlooker,
}

impl<'a> Trial<'a> {
    /// Publishes work for so many faults.
    pub fn publish(fleet: &'a Fleet, faults: usize) -> Self {
        let rounds = i64::try_from(faults + 1).expect("a count");
        let work = Rounds::publish_of(ROUND, fleet, rounds);
        Self { fleet, work, onlooker: Onlooker::of(fleet) }
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
        worker.stop();
        self.fleet.ledger().each_once(items);
        self.fleet.ledger().in_key_order();
        self.onlooker.agrees();
        self.fleet.audit_is_clean();
        let [all, kept] = [Isolation::Uncommitted, Isolation::Committed]
            .map(|isolation| self.fleet.outputs(isolation));
        all - kept
    }
}

/// Transactions that a worker has committed.
pub fn committed(worker: &Process) -> u64 {
    worker.counter("longshore_transactions_total", &[("outcome", "committed")])
}

/// Transactions of a worker whose commits were of unknown outcome.
pub fn unknown(worker: &Process) -> u64 {
    worker.counter("longshore_transactions_total", &[("outcome", "unknown")])
}

/// Producers of a worker that were replaced for this reason.
pub fn rebuilt(worker: &Process, reason: &str) -> u64 {
    worker.counter("longshore_producer_rebuilds_total", &[("reason", reason)])
}
