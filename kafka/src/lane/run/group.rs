//! Partitions come and go.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Lane, Producing};
use crate::lane::broker::{Broker, Locate, Located, PartitionFacts};
use crate::lane::error::LaneError;
use crate::lane::guard::Guard;
use crate::lane::start::{StartError, StartPolicy, check_bounds, decide};
use crate::lane::step::{Assignment, Step};
use crate::{Failure, Partition, Remedy};

/// What the lane knows of its membership, beside the partitions it holds.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Partitions that are ours but not taken up, each with the question about its progress.
    locating: BTreeMap<Partition, u64>,
    /// Partitions that were ours when the group had no progress at all. None of them is new, though
    /// the group may have progress elsewhere by the time that it is taken up.
    since_begin: BTreeSet<Partition>,
    /// Partitions that the group wants back, acknowledged all at once.
    revocation: Vec<Partition>,
    /// The question about the log's bounds, after a fetch was out of range, and the partitions that
    /// aren't told of yet.
    checking: Option<(u64, BTreeSet<Partition>)>,
    questions: u64,
    joined: bool,
}

impl Group {
    /// Whether the group has given an assignment.
    pub(super) fn joined(&self) -> bool {
        self.joined
    }

    /// Partitions whose progress isn't known yet are not taken up any more.
    pub(super) fn stop_locating(&mut self) {
        self.locating.clear();
    }

    /// Whether the progress of any partition is being asked for.
    #[cfg(test)]
    pub(super) fn is_locating(&self) -> bool {
        !self.locating.is_empty()
    }

    /// Partitions that wait for the answer to this question before they are taken up.
    fn located_by(&self, id: u64) -> Vec<Partition> {
        let asked = self.locating.iter().filter(|&(_, question)| *question == id);
        asked.map(|(partition, _)| *partition).collect()
    }

    /// The id of a new question.
    pub(super) fn question(&mut self) -> u64 {
        self.questions += 1;
        self.questions
    }
}

impl<B: Broker, S: Step> Lane<B, S> {
    /// The group gave us partitions: they are accepted, and read once their progress is known.
    pub(super) fn assigned(&mut self, partitions: Vec<Partition>) -> Result<(), LaneError> {
        self.group.joined = true;
        self.meter.rebalanced("assigned");
        let (topic, group) = (&self.config.topic, &self.config.group);
        tracing::info!(%topic, %group, ?partitions, "assigned");
        let accepted = self.broker.accept(&partitions);
        self.unless_stop(accepted)?;
        if !self.is_draining() && !partitions.is_empty() {
            self.locate_starts(partitions);
        }
        Ok(())
    }

    fn locate_starts(&mut self, partitions: Vec<Partition>) {
        let id = self.group.question();
        self.group.locating.extend(partitions.iter().map(|partition| (*partition, id)));
        let time = match self.config.start {
            Some(StartPolicy::At(time)) => Some(time.0),
            _ => None,
        };
        let marks = self.config.marks.clone();
        self.broker.locate(Locate { id, partitions, time, marks });
    }

    /// An answer about progress came.
    pub(super) fn located(&mut self, located: Located) -> Result<(), LaneError> {
        let facts = match located.partitions {
            Ok(facts) => facts,
            Err(failure) => {
                self.unless_stop(Err(failure.clone()))?;
                self.ask_again(located.id, &failure);
                return Ok(());
            }
        };
        if self.group.checking.as_ref().is_some_and(|(id, _)| *id == located.id) {
            return self.checked(&facts);
        }
        if self.asked_to_settle(located.id) {
            return self.settle(&facts);
        }
        if facts.iter().any(|it| it.committed.is_none() && !it.siblings_committed) {
            let since_begin = self.group.located_by(located.id);
            self.group.since_begin.extend(since_begin);
        }
        facts.iter().try_for_each(|facts| self.take_up(located.id, facts))
    }

    /// What is left of a question found no answer in all this time: it is asked once more.
    fn ask_again(&mut self, id: u64, failure: &Failure) {
        let again = self.group.located_by(id);
        if !again.is_empty() {
            self.warn_unanswered(&again, failure, "where they begin");
            self.locate_starts(again);
        } else if self.asked_to_settle(id) {
            self.warn_unanswered(&self.settling(), failure, "what became of a commit");
            self.forget_question(id);
        } else if let Some((question, untold)) = &self.group.checking
            && *question == id
        {
            let untold: Vec<Partition> = untold.iter().copied().collect();
            self.warn_unanswered(&untold, failure, "which of them is out of range");
            self.check_bounds();
        }
    }

    /// Whatever waits for the answer stands still: somebody should know.
    fn warn_unanswered(&self, partitions: &[Partition], failure: &Failure, wanted: &'static str) {
        let (topic, group) = (&self.config.topic, &self.config.group);
        tracing::warn!(%topic, %group, ?partitions, wanted, %failure, "no answer, asks again");
    }

    /// Takes a partition up where its progress says.
    fn take_up(&mut self, id: u64, facts: &PartitionFacts) -> Result<(), LaneError> {
        let partition = facts.partition;
        if self.group.locating.get(&partition) != Some(&id) {
            return Ok(());
        }
        self.group.locating.remove(&partition);
        let siblings_committed =
            facts.siblings_committed && !self.group.since_begin.contains(&partition);
        let facts = &PartitionFacts { siblings_committed, ..facts.clone() };
        let start =
            decide(facts, self.config.start, self.config.ordering.hash(), &self.config.owner)
                .map_err(|reason| self.cannot_start(reason))?;
        self.tell_deaths(partition, &start.guard);
        let epoch = self.core.assign(partition, &start, self.broker.now());
        let (position, state) = (start.position, start.state);
        self.step.assigned(&Assignment { partition, epoch, position, state });
        Ok(())
    }

    fn tell_deaths(&self, partition: Partition, guard: &Guard) {
        if guard.deaths() > 0 && self.config.deaths_max.is_some() {
            tracing::warn!(
                topic = %self.config.topic,
                group = %self.config.group,
                %partition,
                deaths = guard.deaths(),
                through = %guard.through(),
                "the last owners of this partition died at work: fewer items are begun at once \
                 until those are done that may be at fault"
            );
        }
    }

    /// Some fetch was out of range: whose, only the logs' bounds can tell.
    pub(super) fn check_bounds(&mut self) {
        let partitions: Vec<Partition> =
            self.core.partitions().map(|owned| owned.partition).collect();
        if partitions.is_empty() {
            return;
        }
        let id = self.group.question();
        self.group.checking = Some((id, partitions.iter().copied().collect()));
        self.broker.locate(Locate::progress(id, partitions));
    }

    /// The client reads the partition at fault no further, whatever its bounds say by now.
    fn checked(&mut self, facts: &[PartitionFacts]) -> Result<(), LaneError> {
        for facts in facts {
            if let Some(owned) = self.core.partition(facts.partition) {
                check_bounds(facts, owned.next_read).map_err(|reason| self.cannot_start(reason))?;
            }
        }
        if let Some((_, untold)) = &mut self.group.checking {
            untold.retain(|partition| facts.iter().all(|facts| facts.partition != *partition));
            if !untold.is_empty() {
                return Ok(());
            }
        }
        Err(self.stop(Failure {
            remedy: Remedy::Stop,
            call: "fetch",
            code: "_AUTO_OFFSET_RESET".to_owned(),
            message: "a partition was out of range for a moment and isn't read any further; start \
                      again, progress is kept"
                .to_owned(),
        }))
    }

    fn cannot_start(&self, reason: StartError) -> LaneError {
        LaneError::Start {
            topic: self.config.topic.clone(),
            group: self.config.group.clone(),
            reason,
        }
    }

    /// The group wants partitions back.
    pub(super) fn revoked(
        &mut self,
        partitions: Vec<Partition>,
        lost: bool,
    ) -> Result<(), LaneError> {
        self.meter.rebalanced(if lost { "lost" } else { "revoked" });
        let (topic, group) = (&self.config.topic, &self.config.group);
        tracing::info!(%topic, %group, ?partitions, lost, "revoked");
        for partition in &partitions {
            self.group.locating.remove(partition);
        }
        if lost {
            return self.let_go(partitions);
        }
        let now = self.broker.now();
        self.core.begin_release(&partitions, now + self.config.revoke_budget, now);
        self.group.revocation.extend(partitions);
        if self.group.revocation.is_empty() {
            let acknowledged = self.broker.release(&[]);
            self.unless_stop(acknowledged)?;
        }
        Ok(())
    }

    /// Gives back what is finished, or out of time. A revocation is acknowledged as a whole.
    pub(super) fn give_back(&mut self) -> Result<(), LaneError> {
        let now = self.broker.now();
        if self.is_draining() {
            for partition in self.released(now) {
                self.forget(partition);
            }
        }
        let released = self.released(now);
        let all = self.group.revocation.iter().all(|partition| {
            released.contains(partition) || self.core.partition(*partition).is_none()
        });
        if all && !self.group.revocation.is_empty() {
            let revocation = std::mem::take(&mut self.group.revocation);
            return self.let_go(revocation);
        }
        Ok(())
    }

    /// Partitions that can be given back now.
    fn released(&self, now: Duration) -> Vec<Partition> {
        self.core.released(now, |owned| self.is_held(owned))
    }

    /// Forgets partitions and says so to the group.
    fn let_go(&mut self, partitions: Vec<Partition>) -> Result<(), LaneError> {
        self.group.revocation.retain(|partition| !partitions.contains(partition));
        for partition in &partitions {
            self.forget(*partition);
        }
        let released = self.broker.release(&partitions);
        self.unless_stop(released)
    }

    /// The membership is gone, and every partition with it.
    pub(super) fn lose_all(&mut self) -> Result<(), LaneError> {
        let owned: Vec<Partition> = self.core.partitions().map(|owned| owned.partition).collect();
        for partition in owned {
            self.forget(partition);
        }
        self.group.stop_locating();
        self.group.checking = None;
        self.group.joined = false;
        Ok(())
    }

    fn forget(&mut self, partition: Partition) {
        if self.is_delivering(partition) {
            self.give_up_delivery();
        }
        let discarded = self.core.forget(partition);
        self.step.forgotten(partition);
        self.meter.discarded(discarded);
        if discarded.in_flight + discarded.ready > 0 {
            tracing::warn!(
                topic = %self.config.topic,
                group = %self.config.group,
                %partition,
                in_flight = discarded.in_flight,
                ready = discarded.ready,
                "gave back a partition with unfinished work: the next owner does it again"
            );
        }
        if let Producing::Settling(settling) = &mut self.producing {
            settling.batch.progress.retain(|(_, sent)| sent.partition != partition);
        }
    }
}
