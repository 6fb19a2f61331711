//! What Kafka does with the requests of transactions. A decision and its markers are one step.

use crate::{ITEMS, LANES, PARTITIONS};

/// The progress of partitions, as a transaction carries it.
pub type Offsets = [Option<u8>; PARTITIONS];

/// A request that may reach Kafka when its client has long given it up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Request {
    /// Adds progress to the open transaction.
    TxnOffsetCommit { id: usize, epoch: u8, generation: u8, offsets: Offsets },
    /// Ends the open transaction.
    EndTxn { id: usize, epoch: u8, commits: bool },
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A newer producer has the transactional id.
    Fenced,
    /// The member isn't in this generation of its group.
    IllegalGeneration,
    /// There is no transaction that it could be about.
    InvalidState,
}

/// An open transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Open {
    /// The items whose outputs are in it.
    outputs: Vec<(usize, u8)>,
    offsets: Offsets,
}

/// A transactional id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Id {
    epoch: u8,
    open: Option<Open>,
    /// How its last transaction ended.
    committed: Option<bool>,
}

/// The cluster: two transactional ids, a group of two members, two partitions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Kafka {
    ids: [Id; LANES],
    /// Committed progress.
    pub progress: Offsets,
    /// How often the output of each item can be read.
    pub outputs: [[u8; ITEMS as usize]; PARTITIONS],
    /// Whether progress ever went back.
    pub went_back: bool,
    pub generation: u8,
    pub members: [bool; LANES],
    pub owners: [Option<usize>; PARTITIONS],
}

impl Kafka {
    /// Nobody has done anything yet.
    pub fn new() -> Self {
        Self { progress: [Some(0); PARTITIONS], ..Self::default() }
    }

    // ----- transactions

    /// InitProducerId: what its predecessor left open is aborted.
    pub fn init(&mut self, id: usize) -> u8 {
        self.time_out(id);
        let it = &mut self.ids[id];
        it.epoch += 1;
        it.committed = None;
        it.epoch
    }

    /// The first output of a transaction opens it.
    pub fn produce(&mut self, id: usize, epoch: u8, output: (usize, u8)) -> Result<(), Refusal> {
        self.check(id, epoch)?;
        self.ids[id].open.get_or_insert_default().outputs.push(output);
        Ok(())
    }

    /// What a request does, whenever it comes.
    pub fn handle(&mut self, request: &Request) -> Result<(), Refusal> {
        match *request {
            Request::TxnOffsetCommit { id, epoch, generation, offsets } => {
                self.check(id, epoch)?;
                if generation != self.generation || !self.members[id] {
                    return Err(Refusal::IllegalGeneration);
                }
                let open = self.ids[id].open.as_mut().ok_or(Refusal::InvalidState)?;
                for (staged, offset) in open.offsets.iter_mut().zip(offsets) {
                    *staged = offset.or(*staged);
                }
                Ok(())
            }
            Request::EndTxn { id, epoch, commits } => {
                self.check(id, epoch)?;
                match self.ids[id].open.take() {
                    // Asked again: it is done.
                    None if self.ids[id].committed == Some(commits) => return Ok(()),
                    None => return Err(Refusal::InvalidState),
                    Some(open) if commits => self.make_visible(&open),
                    Some(_) => {}
                }
                self.ids[id].committed = Some(commits);
                Ok(())
            }
        }
    }

    /// The broker aborts what was open for too long, and fences who opened it.
    pub fn time_out(&mut self, id: usize) {
        if self.ids[id].open.take().is_some() {
            self.ids[id].epoch += 1;
            self.ids[id].committed = Some(false);
        }
    }

    pub fn has_epoch(&self, id: usize, epoch: u8) -> bool {
        self.ids[id].epoch == epoch
    }

    /// Whether a request is of the newest epoch and generation: numbers only rise.
    pub fn is_of_now(&self, request: &Request) -> bool {
        match *request {
            Request::TxnOffsetCommit { id, epoch, generation, .. } => {
                self.has_epoch(id, epoch) && self.generation == generation
            }
            Request::EndTxn { id, epoch, .. } => self.has_epoch(id, epoch),
        }
    }

    /// The newest numbers are one.
    pub fn normalize(&mut self) {
        self.ids.iter_mut().for_each(|it| it.epoch = 1);
        self.generation = 1;
    }

    pub fn has_open(&self, id: usize) -> bool {
        self.ids[id].open.is_some()
    }

    fn check(&self, id: usize, epoch: u8) -> Result<(), Refusal> {
        if self.has_epoch(id, epoch) { Ok(()) } else { Err(Refusal::Fenced) }
    }

    fn make_visible(&mut self, open: &Open) {
        for &(partition, item) in &open.outputs {
            self.outputs[partition][usize::from(item)] += 1;
        }
        for (committed, staged) in self.progress.iter_mut().zip(open.offsets) {
            self.went_back |= staged.is_some() && staged < *committed;
            *committed = staged.or(*committed);
        }
    }

    // ----- the group

    /// Whether no open transaction holds progress of the partition.
    pub fn is_stable(&self, partition: usize) -> bool {
        let mut open = self.ids.iter().filter_map(|it| it.open.as_ref());
        open.all(|it| it.offsets[partition].is_none())
    }

    /// A member joins, or comes back.
    pub fn join(&mut self, member: usize) {
        self.members[member] = true;
        self.generation += 1;
    }

    /// A member's session ends, or it is found to be new. Its partitions have no owner then.
    pub fn expel(&mut self, member: usize) {
        self.members[member] = false;
        self.generation += 1;
        for owner in &mut self.owners {
            *owner = owner.filter(|it| *it != member);
        }
    }
}
