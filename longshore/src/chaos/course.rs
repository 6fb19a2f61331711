//! A run on its way: first with troubles, then without, until everything is done.

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::error::ChaosError;
use super::kafka::Kafka;
use super::publisher::Publisher;
use super::trouble::{Kind, Tally, Trouble, Troubles};
use crate::inspect::open_groups::JoinView;
use crate::inspect::{InspectError, Observer, Total};
use crate::staff::{Counters, Interrupt, Service, Staff, StaffError};

/// How often the processes are looked at.
const TURN: Duration = Duration::from_millis(100);
/// How often their counters and what is left are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Processes that may end by themselves in one run. Each is started again at once, as a supervisor
/// would, so one that can't run at all is found out soon.
const ENDED_MAX: u64 = 100;
/// Everything is done when it was found done so often, one look after another: a transaction is
/// visible in one partition a moment before it is in the next.
const DONE_LOOKS: u32 = 2;

/// What goes wrong in a run, and for how long.
#[derive(Clone, Debug)]
pub(super) struct Storm {
    pub(super) seed: u64,
    pub(super) kinds: Vec<Kind>,
    pub(super) lasts: Duration,
}

/// A run that is on its way.
pub(super) struct Course<'a> {
    pub(super) name: &'static str,
    pub(super) kafka: Kafka,
    pub(super) staff: Staff,
    pub(super) publisher: Publisher,
    pub(super) observer: Observer,
    pub(super) total: Total,
    pub(super) joins: Vec<JoinView>,
    pub(super) interrupt: &'a Interrupt,
    pub(super) tell: &'a mut dyn FnMut(&Moment),
    pub(super) tally: Tally,
    pub(super) counters: Counters,
    pub(super) began: Instant,
    pub(super) looked: Instant,
    /// Processes that stand still, and until when.
    pub(super) frozen: Vec<(usize, Instant)>,
    /// The memory of a worker in the mean, look by look.
    pub(super) memory: Vec<u64>,
    pub(super) pace: Option<Pace>,
}

/// How much was done while things went wrong.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Pace {
    /// For how long, in seconds.
    pub seconds: f64,
    /// Items that ended meanwhile, in all stages; those are missing that a process ended since it
    /// was last looked at before it was killed.
    pub items: u64,
}

/// What is told of a run while it runs.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Which run.
    pub run: &'static str,
    /// Since it began.
    pub elapsed: Duration,
    /// Records that aren't finished, at most.
    pub unfinished: u64,
    /// What went wrong so far.
    pub tally: Tally,
    /// What its processes counted.
    pub counters: Counters,
}

/// A run that has come to its end. Its Kafka still runs.
pub(super) struct Ended {
    pub(super) _kafka: Kafka,
    pub(super) observer: Observer,
    pub(super) tally: Tally,
    pub(super) service: Service,
    pub(super) took: Duration,
    /// The memory of a worker in the mean, look by look, while things went wrong.
    pub(super) memory: Vec<u64>,
    pub(super) pace: Option<Pace>,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { run, elapsed, unfinished, tally, counters } = self;
        write!(
            f,
            "{run}, {} s: {} items ended, up to {unfinished} unfinished; {} transactions \
             committed, {} not; {tally}",
            elapsed.as_secs(),
            counters.items,
            counters.committed,
            counters.aborted
        )
    }
}

impl Course<'_> {
    /// Goes through the storm, if there is one, and waits until everything is done.
    pub(super) fn finish(
        mut self,
        storm: Option<&Storm>,
        patience: Duration,
    ) -> Result<Ended, ChaosError> {
        let under_faults = match storm {
            Some(storm) => {
                self.weather(storm)?;
                Some(std::mem::take(&mut self.memory))
            }
            None => None,
        };
        self.settle(patience)?;
        let took = self.began.elapsed();
        let service = self.staff.stop()?;
        let Self { kafka, observer, tally, memory, pace, .. } = self;
        // Where things go wrong less is done at once: what is compared has to be alike.
        let memory = under_faults.unwrap_or(memory);
        Ok(Ended { _kafka: kafka, observer, tally, service, took, memory, pace })
    }

    /// Troubles, each kind once at least, until their time is over or there is nothing left to do.
    fn weather(&mut self, storm: &Storm) -> Result<(), ChaosError> {
        let mut troubles = Troubles::seeded(storm.seed, &storm.kinds, self.staff.size() + 1);
        let disturbs = storm.kinds.contains(&Kind::Network);
        let mut nth = storm.seed;
        if disturbs {
            self.kafka.disturb(nth);
        }
        while troubles.owes() || self.began.elapsed() < storm.lasts {
            self.turn()?;
            self.thaw(|until| until <= Instant::now());
            // Kafka may not answer now: then there is something left.
            if self.look_is_due() && self.is_done().unwrap_or(false) && !troubles.owes() {
                break;
            }
            match troubles.due(self.began.elapsed()) {
                None => {}
                Some(Trouble::Kill(process)) => self.kill(process)?,
                Some(Trouble::Freeze(process, lasts)) => self.freeze(process, lasts),
                Some(Trouble::Broker) => {
                    self.tally.disturbances += self.kafka.leave_in_peace();
                    self.kill_broker()?;
                    nth += 1;
                    if disturbs {
                        self.kafka.disturb(nth);
                    }
                }
            }
            thread::sleep(TURN);
        }
        self.tally.disturbances += self.kafka.leave_in_peace();
        self.thaw(|_| true);
        let (seconds, items) = (self.began.elapsed().as_secs_f64(), self.staff.look().items);
        self.pace = Some(Pace { seconds, items });
        Ok(())
    }

    /// Waits until everything is done.
    fn settle(&mut self, patience: Duration) -> Result<(), ChaosError> {
        let (since, mut looks) = (Instant::now(), 0);
        // Bounded by the patience.
        loop {
            self.turn()?;
            if self.look_is_due() {
                looks = if self.is_done()? { looks + 1 } else { 0 };
                if looks == DONE_LOOKS {
                    return Ok(());
                }
                // Publishing takes what its rate makes it take.
                if self.publisher.is_done() && since.elapsed() > patience {
                    return Err(self.unsettled(patience)?);
                }
            }
            thread::sleep(TURN);
        }
    }

    fn turn(&mut self) -> Result<(), ChaosError> {
        if self.interrupt.is_asked() {
            return Err(ChaosError::Interrupted);
        }
        let ended = self.staff.restart_ended()?;
        let failed = self.publisher.look()?;
        for last in ended.into_iter().chain(failed) {
            self.note_end(last)?;
        }
        Ok(())
    }

    fn note_end(&mut self, last: StaffError) -> Result<(), ChaosError> {
        self.tally.ended += 1;
        if self.tally.ended < ENDED_MAX {
            tracing::debug!(%last, "started again");
            return Ok(());
        }
        let (run, times) = (self.name, self.tally.ended);
        Err(ChaosError::KeepsEnding { run, times, last: Box::new(last) })
    }

    fn look_is_due(&mut self) -> bool {
        let is_due = self.looked.elapsed() >= LOOK_EVERY;
        if is_due {
            self.looked = Instant::now();
            self.counters = self.staff.look();
            self.memory.push(self.staff.worker_memory());
        }
        is_due
    }

    /// All is published, every group has finished all, and no group of a join is open.
    fn is_done(&mut self) -> Result<bool, InspectError> {
        let is_published = self.publisher.is_done();
        let unfinished = self.total.unfinished(&self.observer)?;
        (self.tell)(&Moment {
            run: self.name,
            elapsed: self.began.elapsed(),
            unfinished,
            tally: self.tally,
            counters: self.counters,
        });
        Ok(is_published && unfinished == 0 && self.open_groups()? == 0)
    }

    fn open_groups(&self) -> Result<usize, InspectError> {
        let open = self.joins.iter().map(|it| Ok(it.open_groups(&self.observer, |_| true)?.len()));
        open.sum()
    }

    fn unsettled(&self, waited: Duration) -> Result<ChaosError, InspectError> {
        let unfinished = self.total.unfinished(&self.observer)?;
        let open = self.open_groups()?;
        Ok(ChaosError::Unsettled {
            run: self.name,
            waited,
            left: format!("up to {unfinished} records unfinished, and {open} groups open"),
            logs: self.staff.logs().display().to_string(),
        })
    }

    fn kill(&mut self, process: usize) -> Result<(), ChaosError> {
        // Killed is killed, frozen or not.
        self.frozen.retain(|(frozen, _)| *frozen != process);
        if process < self.staff.size() {
            self.staff.kill(process)?;
        } else if self.publisher.is_done() {
            return Ok(());
        } else {
            self.publisher.kill()?;
        }
        self.tally.kills += 1;
        Ok(())
    }

    fn freeze(&mut self, process: usize, lasts: Duration) {
        if process < self.staff.size() {
            self.staff.freeze(process);
        } else if let Some(child) = self.publisher.child() {
            child.freeze();
        } else {
            return;
        }
        self.frozen.push((process, Instant::now() + lasts));
        self.tally.freezes += 1;
    }

    /// Lets go on who stands still until a time that is meant.
    fn thaw(&mut self, is_meant: impl Fn(Instant) -> bool) {
        let (due, frozen) = self.frozen.drain(..).partition(|(_, until)| is_meant(*until));
        self.frozen = frozen;
        // One that is to stand still for longer, by another trouble, stands still.
        let stays = |process: usize| self.frozen.iter().any(|(it, _)| *it == process);
        let due: Vec<(usize, Instant)> = due;
        for (process, _) in due.into_iter().filter(|(process, _)| !stays(*process)) {
            if process < self.staff.size() {
                self.staff.thaw(process);
            } else if let Some(child) = self.publisher.child() {
                child.thaw();
            }
        }
    }

    /// Everybody stands still while the broker is killed: see [`Kafka::kill_and_restart`].
    fn kill_broker(&mut self) -> Result<(), ChaosError> {
        let everybody = 0..=self.staff.size();
        let before = self.tally.freezes;
        let asleep: Vec<usize> = self.frozen.iter().map(|(process, _)| *process).collect();
        for process in everybody.filter(|it| !asleep.contains(it)) {
            self.freeze(process, Duration::ZERO);
        }
        self.tally.freezes = before;
        self.tally.broker_kills += u64::from(self.kafka.kill_and_restart()?);
        self.thaw(|until| until <= Instant::now());
        Ok(())
    }
}
