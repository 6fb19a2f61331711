//! Owners of a partition that come and go, over what a Kafka keeps of their transactions.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use longshore_schemas::Timestamp;
use longshore_schemas::records::{InboxRecord, JournalRecord};

use crate::carrying;
use crate::gather::holds::Hold;
use crate::gather::{Action, Effect, Gather, Rules};
use crate::journal::{JournalMark, JournalMarks};
use crate::spill::SpillFile;

/// What is in Kafka: the inbox, and what committed transactions have written.
#[derive(Default)]
pub(super) struct Kafka {
    pub(super) inbox: Vec<(Timestamp, InboxRecord)>,
    pub(super) journal: Vec<JournalRecord>,
    pub(super) written: Vec<Action>,
    pub(super) position: i64,
    pub(super) low: i64,
    /// Where the journal stood when the record at `low` was absorbed, or before.
    pub(super) journal_from: usize,
    /// And the watermark.
    pub(super) watermark: Timestamp,
    /// Groups that were carried.
    pub(super) carried: usize,
}

impl Kafka {
    /// What the next owner reads: of what was carried only what the marks lead to.
    pub(super) fn journal(&self) -> impl Iterator<Item = &JournalRecord> {
        let wanted = |(index, record): &(usize, &JournalRecord)| {
            *index >= self.journal_from || !matches!(record, JournalRecord::Carried(_))
        };
        self.journal.iter().enumerate().filter(wanted).map(|(_, record)| record)
    }

    pub(super) fn at(&self, offset: i64) -> (Timestamp, InboxRecord) {
        self.inbox[usize::try_from(offset).unwrap()].clone()
    }

    pub(super) fn end(&self) -> i64 {
        self.inbox.len().try_into().unwrap()
    }
}

/// The owner of the partition, as far as the core can tell.
pub(super) struct Owner {
    pub(super) gather: Gather,
    pub(super) pending: VecDeque<Effect>,
    pub(super) next: i64,
    pub(super) marks: JournalMarks,
    pub(super) file: SpillFile,
}

impl Owner {
    pub(super) fn start(kafka: &Kafka, rules: &Rules) -> Self {
        let mark = |from, end: usize, watermark| JournalMark {
            from,
            end: end.try_into().unwrap(),
            watermark,
        };
        let mut owner = Self {
            gather: Gather::new(rules.clone()),
            pending: VecDeque::new(),
            next: kafka.position,
            marks: JournalMarks::new(mark(kafka.low, kafka.journal_from, kafka.watermark)),
            file: SpillFile::new(rules.spill_bytes_max),
        };
        if rules.spill_bytes_max > 0 {
            owner.gather.movable.least = 1;
        }
        owner.gather.recall_time(kafka.watermark);
        for record in kafka.journal() {
            owner.gather.recall(record.clone());
            owner.spill();
        }
        for offset in kafka.low..kafka.position {
            let (appended, record) = kafka.at(offset);
            owner.gather.replay(offset, appended, record);
            owner.spill();
        }
        owner.gather.replayed_to(kafka.position);
        owner.pending = owner.gather.resume().into();
        let watermark = owner.gather.watermark().unwrap_or_default();
        owner.marks.advance(mark(kafka.position, kafka.journal.len(), watermark));
        owner
    }

    /// Moves every payload that it may into the file, if there is one: not only large ones.
    pub(super) fn spill(&mut self) {
        while let Some((place, payload)) = self.gather.next_to_spill() {
            match self.file.put(&payload).unwrap() {
                Some(spilled) => self.gather.spilled(&place, Arc::new(spilled)),
                None => return self.gather.not_spilled(place),
            }
        }
    }

    pub(super) fn carry(&mut self, groups: usize) {
        self.pending.extend(self.gather.carry_oldest(groups));
    }

    pub(super) fn absorb(&mut self, kafka: &Kafka) {
        if self.next < kafka.end() {
            let (appended, record) = kafka.at(self.next);
            self.pending.extend(self.gather.absorb(self.next, appended, record));
            self.next += 1;
            self.spill();
        }
    }

    /// The greatest number of effects, at most `most`, after which a transaction may end: with a
    /// record, or after effects that are the first of their record and journalled, or followed by a
    /// journalled one that they go with.
    pub(super) fn cut(&self, most: usize) -> usize {
        let may_end = |count: &usize| {
            let Some(left) = self.pending.get(*count) else {
                return true;
            };
            let mut next: Option<&Effect> = None;
            let sent = self.pending.iter().take(*count).rev();
            sent.take_while(|effect| effect.at == left.at).all(|effect| {
                let next = next.replace(effect);
                effect.is_journalled() || next.is_some_and(|next| effect.goes_with(next))
            })
        };
        (0..=most.min(self.pending.len())).rev().find(may_end).unwrap_or(0)
    }

    /// Commits the first effects, at most `most`, and the position up to the first one left over.
    pub(super) fn commit(&mut self, kafka: &mut Kafka, most: usize) {
        let cut = self.cut(most);
        let sent: Vec<_> = self.pending.drain(..cut).collect();
        let leaving: BTreeSet<_> = sent.iter().filter_map(Effect::releases).cloned().collect();
        kafka.position = match self.pending.front() {
            Some(left) => left.at.unwrap_or(kafka.position),
            None => self.next,
        };
        kafka.low = self.gather.low(kafka.position, &leaving);
        let mark = self.marks.at(kafka.low).unwrap();
        kafka.journal_from = mark.end.try_into().unwrap();
        kafka.watermark = mark.watermark;
        for effect in sent {
            match &effect.action {
                Action::Close(closing) => {
                    kafka.journal.push(JournalRecord::Closed(closing.closed.clone()));
                }
                Action::Orphan(orphan) => {
                    kafka.journal.push(JournalRecord::Orphaned(orphan.orphaned()));
                }
                Action::Carry(carry) => {
                    let records = carrying::records((**carry).clone()).unwrap();
                    kafka.journal.extend(records.into_iter().map(JournalRecord::Carried));
                    kafka.carried += 1;
                    continue;
                }
                Action::Late(_) | Action::Conflict(_) | Action::Cancel(_) => {}
            }
            kafka.written.push(written_as(effect.action));
        }
        let end = kafka.journal.len().try_into().unwrap();
        let watermark = self.gather.watermark().unwrap_or_default();
        self.marks.advance(JournalMark { from: self.next, end, watermark });
        for hold in leaving {
            self.gather.settled(&hold);
        }
    }

    pub(super) fn finish(mut self, kafka: &mut Kafka) {
        while self.next < kafka.end() {
            self.absorb(kafka);
        }
        self.commit(kafka, usize::MAX);
    }
}

/// The action as it is read downstream, without what only its owner knows.
pub(super) fn written_as(action: Action) -> Action {
    match action {
        Action::Close(mut closing) => {
            closing.hold = Hold::waiting_part(0);
            for part in &mut closing.parts {
                part.payload = part.payload.read().unwrap().into();
            }
            Action::Close(closing)
        }
        Action::Conflict(mut conflict) => {
            if let (InboxRecord::Outcome(outcome), Some(spilled)) =
                (&mut conflict.record, conflict.spilled.take())
            {
                outcome.payload = Some(spilled.read().unwrap());
            }
            Action::Conflict(conflict)
        }
        other => other,
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Absorb,
    Carry(usize),
    Commit(usize),
    Crash,
}

/// Everything that is written if the partition's owners take these steps, then finish in peace.
pub(super) fn written(
    inbox: &[(Timestamp, InboxRecord)],
    rules: &Rules,
    steps: &[Step],
) -> Vec<Action> {
    play(inbox, rules, steps).written
}

pub(super) fn play(inbox: &[(Timestamp, InboxRecord)], rules: &Rules, steps: &[Step]) -> Kafka {
    let mut kafka = Kafka { inbox: inbox.to_vec(), ..Kafka::default() };
    let mut owner = Owner::start(&kafka, rules);
    for step in steps {
        match step {
            Step::Absorb => owner.absorb(&kafka),
            Step::Carry(groups) => owner.carry(*groups),
            Step::Commit(most) => owner.commit(&mut kafka, *most),
            Step::Crash => owner = Owner::start(&kafka, rules),
        }
    }
    owner.finish(&mut kafka);
    // Whoever comes after finds nothing left to do.
    assert_eq!(Vec::from(Owner::start(&kafka, rules).pending), []);
    kafka
}
