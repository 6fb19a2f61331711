//! A run on its way: from the first order to the moment when all that is awaited is there.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;
use longshore::staff::{Child, Counters, Interrupt, Staff};

use super::counts::{Counts, Tally};
use super::killer::Killer;
use super::lag::Watch;
use super::live::{Live, Moment};

/// How often the run is looked at.
const TURN: Duration = Duration::from_millis(100);
/// How often its processes are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A run that is on its way.
pub struct Course<'a> {
    /// When the publishing began.
    pub began: Instant,
    /// Its processes.
    pub staff: Staff,
    goal: Goal,
    counts: &'a Counts,
    lag: &'a Watch,
    producer: Option<Child>,
    counters: Counters,
    looked: Instant,
}

/// What a run is to come to.
pub struct Goal {
    /// What must stand on the topics in the end.
    pub awaited: Tally,
    /// When it must stand there, after the beginning.
    pub deadline: Duration,
    /// Chooses the processes that are killed on the way, if any are.
    pub killer: Option<Killer>,
}

impl<'a> Course<'a> {
    /// The publishing begins, by this command.
    pub fn begin(
        (publish, log): (&Command, &Path),
        goal: Goal,
        (counts, lag): (&'a Counts, &'a Watch),
        staff: Staff,
    ) -> anyhow::Result<Self> {
        let producer = Child::start(publish, log.to_owned())?;
        let began = Instant::now();
        Ok(Self {
            began,
            goal,
            counts,
            lag,
            staff,
            producer: Some(producer),
            counters: Counters::default(),
            looked: began,
        })
    }

    /// Returns when all that is awaited stands on the topics, and the committed progress of every
    /// group has reached the ends.
    pub fn until_all_is_there(&mut self, interrupt: &Interrupt) -> anyhow::Result<()> {
        let mut live = Live::new(self.goal.awaited.orders);
        let mut complete_since: Option<Instant> = None;
        // Bounded by the deadline.
        loop {
            let missing = self.counts.tally().missing(&self.goal.awaited);
            if missing.is_none() {
                let since = *complete_since.get_or_insert_with(Instant::now);
                let look = self.lag.latest();
                // Only a look that began later has seen what the last results did.
                if look.is_some_and(|it| it.at > since && it.unfinished == 0) {
                    return self.published();
                }
            }
            if interrupt.is_asked() {
                bail!("interrupted");
            }
            if self.began.elapsed() > self.goal.deadline {
                bail!(self.overdue(missing));
            }
            self.turn()?;
            live.tell(&self.moment());
            thread::sleep(TURN);
        }
    }

    fn turn(&mut self) -> anyhow::Result<()> {
        self.staff.check()?;
        self.check_producer()?;
        if self.looked.elapsed() >= LOOK_EVERY {
            self.looked = Instant::now();
            self.counters = self.staff.look();
        }
        // Orders that wait for their deadline are left alone: a part that is late begins anew with
        // each kill, and would never end.
        let settling = self.counts.tally().complete < self.goal.awaited.complete;
        let killer = self.goal.killer.as_mut().filter(|_| settling);
        let victim = killer.and_then(|it| it.due(self.began.elapsed(), self.staff.size()));
        victim.map_or(Ok(()), |victim| Ok(self.staff.kill(victim)?))
    }

    fn check_producer(&mut self) -> anyhow::Result<()> {
        let Some(producer) = &mut self.producer else {
            return Ok(());
        };
        match producer.ended() {
            None => {}
            Some(status) if status.success() => self.producer = None,
            Some(status) => {
                bail!("publishing failed ({status}); its last words:\n{}", producer.log_tail())
            }
        }
        Ok(())
    }

    /// Everything was published; the producer itself may need a moment more.
    fn published(&mut self) -> anyhow::Result<()> {
        while self.producer.is_some() {
            if self.began.elapsed() > self.goal.deadline {
                bail!("the producer does not end");
            }
            self.check_producer()?;
            thread::sleep(TURN);
        }
        Ok(())
    }

    fn moment(&self) -> Moment {
        Moment {
            elapsed: self.began.elapsed(),
            tally: self.counts.tally(),
            counters: self.counters,
            lag: self.lag.latest().map(|look| look.unfinished),
            kills: self.staff.kills(),
        }
    }

    fn overdue(&self, missing: Option<String>) -> String {
        let lag = self.lag.latest().map(|look| look.unfinished);
        let missing = missing.unwrap_or_else(|| match lag {
            Some(lag) => format!("up to {lag} records that no group has finished"),
            None => "the groups' committed progress, which can't be read".to_owned(),
        });
        format!("after {} s there is still missing: {missing}", self.goal.deadline.as_secs())
    }
}
