//! The processes of a history, over one cluster; and what must hold of them at any time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use longshore_kafka::lane::Lane;
use longshore_kafka::model::{Cluster, Fault, Identity};
use longshore_kafka::{Partition, Remedy};

use crate::action::{Action, Slot};
use crate::clockwork::Clockwork;
use crate::history::History;
use crate::progress::Progress;
use crate::running::{Running, Turned};
use crate::subject::{Process, Simulated};

/// The group of every lane.
pub(crate) const GROUP: &str = "p.work";
/// What passes between two turns.
const TURN: Duration = Duration::from_millis(5);
/// Turns after which what hasn't come to its end is stuck. They are longer than those before: what
/// a handler, a session or a transaction takes at most passes within a tenth of them.
const TURNS_TO_END_MAX: usize = 1_600;
const TURN_TO_END: Duration = Duration::from_secs(1);
/// After so many turns it is looked whether all has come to its end: not at once, although all may
/// be done, since a process that was just started has yet to end its predecessor's transaction.
const TURNS_PER_LOOK: usize = 4;
/// After so long a group misses a member that is dead.
const SESSION: Duration = Duration::from_secs(46);

/// A call that waits for a second is repeated as often before it is given up.
const STALLED_CALLS: usize = 10;

/// Lanes of one group that come and go.
pub(crate) struct Fleet<S: Simulated> {
    cluster: Cluster,
    clockwork: Clockwork,
    subject: S,
    named_slots: bool,
    lanes: BTreeMap<Slot, Running<S>>,
    /// Those that stand still; their slots may have others by now.
    frozen: Vec<Running<S>>,
    /// Those that went on after they had stood still.
    thawed: Vec<Running<S>>,
    clocks: Vec<Arc<AtomicI64>>,
    owners: u64,
    progress: BTreeMap<Partition, Progress>,
    committed: u64,
    partitions: i32,
    stopped: u64,
    /// Processes that have died.
    deaths: u64,
    /// Whether one of them had stood still, so that another had its slot by then: if it took that
    /// one's transactional id back, nobody ends what it has left open but the broker.
    died_beside_successor: bool,
}

impl<S: Simulated> Fleet<S> {
    pub(crate) fn new(history: &History) -> Self {
        let cluster = Cluster::new(history.seed);
        cluster.slow_calls(history.call_max);
        let clockwork = Clockwork::new();
        let subject = S::new(history, &cluster);
        Self {
            cluster,
            clockwork,
            subject,
            named_slots: history.named_slots,
            lanes: BTreeMap::new(),
            frozen: Vec::new(),
            thawed: Vec::new(),
            clocks: (0..history.slots).map(|_| Arc::default()).collect(),
            owners: 0,
            progress: BTreeMap::new(),
            committed: 0,
            partitions: history.partitions,
            stopped: 0,
            deaths: 0,
            died_beside_successor: false,
        }
    }

    pub(crate) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Lanes that stopped with an error they are allowed to stop with.
    pub(crate) fn stopped(&self) -> u64 {
        self.stopped
    }

    /// What only some histories come to.
    pub(crate) fn rare(&self) -> u64 {
        self.subject.rare()
    }

    /// Groups that were gathered from a file.
    pub(crate) fn spilled(&self) -> u64 {
        self.subject.spilled()
    }

    /// Has it happen.
    pub(crate) fn perform(&mut self, action: Action) -> Result<()> {
        match action {
            Action::Publish(count) => self.subject.publish(count),
            Action::PublishAborted(count) => self.subject.publish_aborted(count),
            Action::Turns(count) => return self.turns(count),
            Action::TurnsOf(slot, count) => {
                for _ in 0..count {
                    self.turn_of(slot)?;
                    self.pass(TURN)?;
                }
            }
            Action::Pass(time) => return self.pass(time),
            Action::Start(slot) => self.start(slot),
            Action::Crash(slot) => self.crash(slot),
            Action::Freeze(slot) => self.freeze(slot),
            Action::Thaw => self.thawed.append(&mut self.frozen),
            Action::Drain(slot) => self.drain(slot),
            Action::Rebalance => self.cluster.rebalance(GROUP),
            Action::Expel(slot) => {
                let lane = self.lanes.get(&slot);
                lane.into_iter().for_each(|it| self.cluster.expel(it.member()));
            }
            Action::TakeSlot(slot) => {
                let lane = self.lanes.get(&slot);
                lane.into_iter().for_each(|it| self.cluster.take_slot(it.member()));
            }
            Action::FallBehind(slot) => {
                let lane = self.lanes.get(&slot);
                lane.into_iter().for_each(|it| self.cluster.fall_behind(it.member()));
            }
            Action::Fault(slot, call, fault) => {
                self.cluster.fail_next_of(&transactional_id(slot), call, fault);
            }
            Action::Stall(slot, call, after) => {
                let id = transactional_id(slot);
                let late = Fault::Late(Duration::from_millis(after));
                let lost = [Fault::Fails(Remedy::Retry); STALLED_CALLS];
                for fault in [late].into_iter().chain(lost) {
                    self.cluster.fail_next_of(&id, call, fault);
                }
            }
            Action::HoldMarkers(held) => self.cluster.hold_markers(held),
            Action::ReleaseMarkers => self.cluster.release_markers(),
            Action::Expire => self.expire(),
            Action::Clock(slot, millis) => self.clocks[slot].store(millis, Ordering::Relaxed),
        }
        Ok(())
    }

    /// Everything heals, every slot has its process, and all comes to its end: LV-1, LV-4, RS-3.
    pub(crate) fn come_to_its_end(&mut self) -> Result<()> {
        self.subject.check_actions()?;
        self.cluster.end_faults();
        self.cluster.release_markers();
        self.cluster.slow_calls(Duration::ZERO);
        let beside = self.frozen.drain(..).chain(self.thawed.drain(..)).map(Running::crash).count();
        self.died_beside_successor |= beside > 0;
        for slot in 0..self.clocks.len() {
            self.clocks[slot].store(0, Ordering::Relaxed);
            self.start(slot);
        }
        for turn in 0.. {
            if turn > 0 && turn % TURNS_PER_LOOK == 0 && self.subject.is_done()? {
                break;
            }
            ensure!(turn < TURNS_TO_END_MAX, "LV-4: it never came to its end: {}", self.told());
            let died = self.deaths;
            self.turn_to_end()?;
            if died != self.deaths {
                self.miss_the_dead()?;
            }
            for slot in 0..self.clocks.len() {
                self.start(slot);
            }
        }
        self.subject.check_end()?;
        self.drain_all()
    }

    fn turn_to_end(&mut self) -> Result<()> {
        self.turns(1)?;
        self.pass(TURN_TO_END)
    }

    /// Whoever has no slot in the group is missed when its session ends. The others go on: who
    /// stood still as long would be taken for dead as well.
    fn miss_the_dead(&mut self) -> Result<()> {
        (0..SESSION.as_secs()).try_for_each(|_| self.turn_to_end())
    }

    fn drain_all(&mut self) -> Result<()> {
        self.lanes.values_mut().for_each(|it| it.lane.begin_drain());
        for turn in 0.. {
            self.lanes.retain(|_, it| !it.lane.is_drained());
            if self.lanes.is_empty() {
                break;
            }
            ensure!(turn < TURNS_TO_END_MAX, "RS-3: a lane never drains");
            self.turns(1)?;
        }
        // No successor ends what such a one has left open: the broker does.
        if self.died_beside_successor {
            self.pass(SESSION)?;
        }
        for partition in (0..self.partitions).map(Partition) {
            for topic in self.subject.outputs() {
                if let Some((stable, end)) = self.cluster.ends(&topic, partition) {
                    ensure!(
                        stable == end,
                        "LV-1: a transaction is left open in {topic}/{partition}"
                    );
                }
            }
        }
        self.subject.check_end()
    }

    fn told(&self) -> String {
        format!("{:?}, {} lanes", self.cluster.seen(), self.lanes.len())
    }

    // ----- processes

    fn start(&mut self, slot: Slot) {
        if self.lanes.contains_key(&slot) {
            return;
        }
        self.owners += 1;
        let member = self.cluster.member_as(Identity {
            group: GROUP.to_owned(),
            topic: self.subject.input(),
            transactional_id: transactional_id(slot),
            slot: self.named_slots.then(|| format!("slot{slot}")),
        });
        let process = Process {
            cluster: self.cluster.clone(),
            runtime: self.clockwork.handle().clone(),
            clock: Arc::clone(&self.clocks[slot]),
            killed: Arc::default(),
        };
        let killed = Arc::clone(&process.killed);
        let config = self.subject.lane(format!("owner{}", self.owners));
        let lane = Lane::new(member, self.subject.step(process), config);
        self.lanes.insert(slot, Running { lane, killed });
    }

    fn crash(&mut self, slot: Slot) {
        if let Some(running) = self.lanes.remove(&slot) {
            running.crash();
            self.deaths += 1;
        }
    }

    fn freeze(&mut self, slot: Slot) {
        if let Some(running) = self.lanes.remove(&slot) {
            self.cluster.expel(running.member());
            self.frozen.push(running);
        }
    }

    fn drain(&mut self, slot: Slot) {
        if let Some(running) = self.lanes.get_mut(&slot) {
            running.lane.begin_drain();
        }
    }

    fn expire(&mut self) {
        for partition in (0..self.partitions).map(Partition) {
            if let Some(below) = self.subject.done_with(partition) {
                self.cluster.delete_records(&self.subject.input(), partition, below);
            }
        }
    }

    // ----- time

    fn turns(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            for slot in 0..self.clocks.len() {
                self.turn_of(slot)?;
            }
            self.turn_the_thawed()?;
            self.pass(TURN)?;
        }
        Ok(())
    }

    fn turn_of(&mut self, slot: Slot) -> Result<()> {
        let Some(running) = self.lanes.get_mut(&slot) else {
            return Ok(());
        };
        match running.turn()? {
            Turned::On => {}
            Turned::Drained => drop(self.lanes.remove(&slot)),
            Turned::Ended => {
                self.stopped += 1;
                self.crash(slot);
            }
        }
        self.look()
    }

    /// They may find out at any call that their time is over.
    fn turn_the_thawed(&mut self) -> Result<()> {
        for mut running in std::mem::take(&mut self.thawed) {
            match running.turn()? {
                Turned::On => self.thawed.push(running),
                Turned::Drained => {}
                Turned::Ended => {
                    self.stopped += 1;
                    self.died_beside_successor = true;
                    running.crash();
                }
            }
            self.look()?;
        }
        Ok(())
    }

    fn pass(&mut self, time: Duration) -> Result<()> {
        self.cluster.advance(time);
        if self.rests() {
            self.clockwork.skip_to(self.cluster.now());
        } else {
            self.clockwork.advance_to(self.cluster.now());
        }
        self.subject.serve();
        self.look()
    }

    /// Whether no task has anything to do: no item is at work, and there are no tasks but those
    /// that wait for items.
    fn rests(&self) -> bool {
        let lanes = self.lanes.values().chain(&self.frozen).chain(&self.thawed);
        let statuses = lanes.map(|it| it.lane.status());
        let (in_flight, partitions) = statuses.fold((0, 0), |(in_flight, partitions), it| {
            (in_flight + it.in_flight, partitions + it.partitions)
        });
        in_flight == 0 && self.clockwork.tasks() == partitions * S::TASKS_OF_A_PARTITION
    }

    /// Looks whether all holds that must at any time, if anything was committed.
    fn look(&mut self) -> Result<()> {
        let committed = self.cluster.seen().committed;
        if committed == self.committed {
            return Ok(());
        }
        self.committed = committed;
        let input = self.subject.input();
        for partition in (0..self.partitions).map(Partition) {
            if let Some(committed) = self.cluster.decided(GROUP, &input, partition) {
                self.progress.entry(partition).or_default().see(partition, committed)?;
            }
        }
        let progress = &self.progress;
        self.subject.check(&|partition, offset| {
            progress.get(&partition).is_some_and(|it| it.is_finished(offset))
        })
    }
}

fn transactional_id(slot: Slot) -> String {
    format!("{GROUP}-{slot}")
}
