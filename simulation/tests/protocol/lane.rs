//! What a lane does, as far as its transactions are concerned: it takes items in order, one of each
//! partition into a transaction, and never asks what it can't know.

use crate::kafka::{Kafka, Offsets, Refusal, Request};
use crate::rules::{Rules, Unknown};
use crate::{ITEMS, PARTITIONS};

/// Where a lane is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It doesn't run.
    #[default]
    Down,
    /// Items may be taken into the transaction.
    Ready,
    /// Progress is in it.
    Sent,
    /// It can only be aborted.
    Doomed,
    /// It isn't known how it ended.
    Unknown,
}

/// How a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// It is answered.
    Answered,
    /// The connection breaks, and it is asked again; the first copy is still on its way.
    AskedAgain,
    /// It is done, and the answer never comes.
    Unanswered,
    /// It is on its way, and the answer never comes.
    Delayed,
}

/// A lane, the member and the transactional id of its own number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lane {
    id: usize,
    pub stage: Stage,
    epoch: u8,
    /// A request of its producer may still be on its way.
    pub tainted: bool,
    pub generation: u8,
    /// The next item of each partition that it owns.
    pub positions: Offsets,
    /// The item of each partition that is in the transaction.
    pub batch: Offsets,
}

impl Lane {
    pub fn new(id: usize) -> Self {
        Self { id, ..Self::default() }
    }

    /// A process starts, or starts again: it knows nothing.
    pub fn start(&mut self, kafka: &mut Kafka) {
        *self = Self { stage: Stage::Ready, epoch: kafka.init(self.id), ..Self::new(self.id) };
    }

    pub fn runs(&self) -> bool {
        self.stage != Stage::Down
    }

    pub fn is_in_transaction(&self) -> bool {
        self.batch != [None; PARTITIONS]
    }

    /// Whether the partition's next item may be taken into the transaction.
    pub fn may_take(&self, partition: usize, rules: Rules) -> bool {
        let is_left = self.positions[partition].is_some_and(|item| item < ITEMS);
        let may_begin = self.is_in_transaction() || !(self.tainted && rules.rebuilds);
        self.stage == Stage::Ready && is_left && may_begin && self.batch[partition].is_none()
    }

    pub fn take(&mut self, partition: usize, kafka: &mut Kafka) {
        let Some(item) = self.positions[partition] else { return };
        match kafka.produce(self.id, self.epoch, (partition, item)) {
            Ok(()) => self.batch[partition] = Some(item),
            Err(_) => self.fall(),
        }
    }

    /// Another producer takes on the transactional id: late requests of the last are refused.
    pub fn rebuild(&mut self, kafka: &mut Kafka) {
        self.epoch = kafka.init(self.id);
        self.tainted = false;
    }

    pub fn send_progress(&mut self, way: Way, kafka: &mut Kafka) -> Option<Request> {
        let offsets = self.batch.map(|item| item.map(|item| item + 1));
        let (id, epoch, generation) = (self.id, self.epoch, self.generation);
        let request = Request::TxnOffsetCommit { id, epoch, generation, offsets };
        match kafka.handle(&request) {
            Ok(()) => self.stage = Stage::Sent,
            Err(Refusal::Fenced) => self.fall(),
            Err(_) => self.stage = Stage::Doomed,
        }
        self.left_behind(way, request)
    }

    pub fn commit(&mut self, way: Way, kafka: &mut Kafka) -> Option<Request> {
        let request = Request::EndTxn { id: self.id, epoch: self.epoch, commits: true };
        let answer = if way == Way::Delayed { Ok(()) } else { kafka.handle(&request) };
        match (way, answer) {
            (Way::Unanswered | Way::Delayed, _) => self.stage = Stage::Unknown,
            (_, Ok(())) => self.landed(),
            (_, Err(_)) => self.fall(),
        }
        self.left_behind(way, request)
    }

    pub fn abort(&mut self, way: Way, kafka: &mut Kafka) -> Option<Request> {
        let request = Request::EndTxn { id: self.id, epoch: self.epoch, commits: false };
        match kafka.handle(&request) {
            Ok(()) => self.undone(),
            Err(_) => self.fall(),
        }
        self.left_behind(way, request)
    }

    /// What became of an unknown commit: with another producer it is decided, and then committed
    /// progress says how.
    pub fn settle(&mut self, kafka: &mut Kafka, rules: Rules) {
        self.rebuild(kafka);
        match rules.unknown {
            Unknown::TakenForCommitted => self.landed(),
            Unknown::TakenForAborted => self.undone(),
            Unknown::Settled => {
                for partition in 0..PARTITIONS {
                    let sent = self.batch[partition].map(|item| item + 1);
                    if sent.is_some() && sent == kafka.progress[partition] {
                        self.pass(partition);
                    }
                }
                self.undone();
            }
        }
    }

    /// All that it owned belongs to others.
    pub fn lose_all(&mut self) {
        self.positions = [None; PARTITIONS];
        if self.is_in_transaction() && self.stage != Stage::Unknown {
            self.stage = Stage::Doomed;
        }
    }

    /// The process ends, as it does when it is fenced.
    pub fn fall(&mut self) {
        *self = Self::new(self.id);
    }

    /// Numbers that aren't the newest are all alike.
    pub fn normalize(&mut self, kafka: &Kafka) {
        self.epoch = u8::from(self.runs() && kafka.has_epoch(self.id, self.epoch));
        self.generation = u8::from(self.runs() && self.generation == kafka.generation);
    }

    fn landed(&mut self) {
        for partition in 0..PARTITIONS {
            if self.batch[partition].is_some() {
                self.pass(partition);
            }
        }
        self.undone();
    }

    fn pass(&mut self, partition: usize) {
        let position = &mut self.positions[partition];
        *position = position.map(|item| item + 1);
    }

    fn undone(&mut self) {
        self.batch = [None; PARTITIONS];
        self.stage = Stage::Ready;
    }

    /// The copy of a request that is still on its way when its client has given it up.
    fn left_behind(&mut self, way: Way, request: Request) -> Option<Request> {
        let is_left = matches!(way, Way::AskedAgain | Way::Delayed);
        self.tainted |= is_left && self.runs();
        is_left.then_some(request)
    }
}
