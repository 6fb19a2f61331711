//! The items between a partition's position and the last one received: which of them are finished.

use std::collections::VecDeque;

use super::FinishedMap;
use crate::Offset;

/// An item may always be dispatched while it lies within this many offsets of the position: a
/// bitmap of them is 2,048 bytes.
pub const SPAN_DENSE: i64 = 16_384;
/// Or while no more than this many items up to it are unfinished: their run lengths, at most four
/// bytes each, stay below 2,900 bytes.
pub const UNFINISHED_SPARSE: usize = 700;
/// And it lies within this many offsets of the position, so that a run length takes three bytes.
pub const SPAN_SPARSE: i64 = 1_000_000;

/// Finished entries are swept out once there are this many and they outnumber the others.
const SWEEP_MIN: usize = 1_024;

/// How far an item has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// Not finished, as far as committed progress goes.
    Open,
    /// Finished by the transaction that is being built.
    Carried,
    /// Finished by a committed transaction.
    Finished,
}

/// Progress of one partition during one assignment.
///
/// Only received items are kept: an offset below `horizon` that has no entry here holds no record
/// or is finished. Offsets from `horizon` on have not been received; of those, `inherited` says
/// what an earlier owner finished.
#[derive(Clone, Debug)]
pub struct Window {
    entries: VecDeque<(Offset, Mark)>,
    horizon: Offset,
    inherited: FinishedMap,
    /// Right behind the last offset that was finished ahead of the position.
    finished_end: Offset,
    /// Entries that are not Finished.
    unfinished: usize,
}

/// What a received record turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// To be worked on.
    Fresh,
    /// An earlier owner finished it.
    AlreadyFinished,
}

impl Window {
    /// Takes over at a position, with what is finished ahead of it.
    pub fn new(position: Offset, inherited: FinishedMap) -> Self {
        let finished_end = inherited.end().unwrap_or(position);
        Self { entries: VecDeque::new(), horizon: position, inherited, finished_end, unfinished: 0 }
    }

    /// Takes note of a record. Offsets skipped on the way hold no record (markers, aborted data,
    /// compaction), which is true only because the lane never lets the client jump by itself.
    pub fn receive(&mut self, offset: Offset) -> Received {
        assert!(offset >= self.horizon, "a partition is read in offset order");
        self.horizon = offset.next();
        if self.inherited.contains(offset) {
            return Received::AlreadyFinished;
        }
        self.entries.push_back((offset, Mark::Open));
        self.unfinished += 1;
        Received::Fresh
    }

    /// Takes note that nothing stands between the last record and `position`.
    pub fn reached(&mut self, position: Offset) {
        self.horizon = self.horizon.max(position);
    }

    /// The next offset to be received.
    pub fn horizon(&self) -> Offset {
        self.horizon
    }

    /// The position of committed progress.
    pub fn position(&self) -> Offset {
        self.first(|mark| mark != Mark::Finished)
    }

    /// The position once the transaction that is being built is committed.
    pub fn carried_position(&self) -> Offset {
        self.first(|mark| mark == Mark::Open)
    }

    fn first(&self, wanted: impl Fn(Mark) -> bool) -> Offset {
        let open = self.entries.iter().find(|(_, mark)| wanted(*mark));
        open.map_or_else(|| self.past_inherited(), |&(offset, _)| offset)
    }

    /// The horizon, or behind what an earlier owner finished right from it on.
    fn past_inherited(&self) -> Offset {
        let touching = self.inherited.ranges().find(|&(_, to)| to > self.horizon);
        match touching {
            Some((from, to)) if from <= self.horizon => to,
            _ => self.horizon,
        }
    }

    /// Items received and not finished.
    pub fn unfinished(&self) -> usize {
        self.unfinished
    }

    /// Whether an item may be dispatched, so that the map still fits if it is finished first.
    /// `unfinished_up_to` is how many items up to it, at most, are unfinished.
    pub fn admits(&self, offset: Offset, unfinished_up_to: usize) -> bool {
        let span = offset.0 - self.position().0 + 1;
        span <= SPAN_DENSE || (unfinished_up_to <= UNFINISHED_SPARSE && span <= SPAN_SPARSE)
    }

    /// How much of the room ahead of the position is in use, from 0 to 1: by the nearer of the two
    /// bounds that both must be reached before nothing more is admitted.
    pub fn used(&self) -> f64 {
        let span = (self.horizon.0 - self.position().0).max(0) as f64;
        let sparse =
            (self.unfinished as f64 / UNFINISHED_SPARSE as f64).max(span / SPAN_SPARSE as f64);
        (span / SPAN_DENSE as f64).min(sparse).min(1.0)
    }

    /// Right behind the first so many items that aren't finished once the transaction is committed
    /// that is being built. An offset that wasn't received counts as one.
    pub fn behind_unfinished(&self, count: usize) -> Offset {
        let mut left = count;
        for &(offset, _) in self.entries.iter().filter(|(_, mark)| *mark == Mark::Open) {
            left = left.saturating_sub(1);
            if left == 0 {
                return offset.next();
            }
        }
        let mut left = i64::try_from(left).unwrap_or(i64::MAX);
        let mut at = self.horizon;
        for (from, to) in self.inherited.ranges().filter(|&(_, to)| to > self.horizon) {
            let room = (from.0 - at.0).max(0);
            if left <= room {
                break;
            }
            left -= room;
            at = to;
        }
        Offset(at.0.saturating_add(left))
    }

    /// The transaction that is being built finishes this item.
    pub fn carry(&mut self, offset: Offset) {
        let moved = self.set(offset, Mark::Open, Mark::Carried);
        assert!(moved, "an item is finished once, EO-3: {offset}");
        self.finished_end = self.finished_end.max(offset.next());
    }

    /// That transaction came to nothing.
    pub fn put_back(&mut self, offset: Offset) {
        self.set(offset, Mark::Carried, Mark::Open);
    }

    /// Whatever was to be in a transaction isn't.
    pub fn put_all_back(&mut self) {
        let carried = self.entries.iter_mut().filter(|(_, mark)| *mark == Mark::Carried);
        carried.for_each(|(_, mark)| *mark = Mark::Open);
    }

    /// That transaction was committed, with these items.
    pub fn commit(&mut self, offsets: impl Iterator<Item = Offset>) {
        for offset in offsets {
            if self.set(offset, Mark::Carried, Mark::Finished) {
                self.unfinished -= 1;
            }
        }
        while matches!(self.entries.front(), Some((_, Mark::Finished))) {
            self.entries.pop_front();
        }
        let finished = self.entries.len() - self.unfinished;
        if finished > SWEEP_MIN.max(self.unfinished) {
            self.entries.retain(|(_, mark)| *mark != Mark::Finished);
        }
    }

    fn set(&mut self, offset: Offset, from: Mark, to: Mark) -> bool {
        let Ok(index) = self.entries.binary_search_by_key(&offset, |&(offset, _)| offset) else {
            return false;
        };
        let mark = &mut self.entries[index].1;
        let moves = *mark == from;
        if moves {
            *mark = to;
        }
        moves
    }

    /// What is finished ahead of [`Window::carried_position`] once the transaction that is being
    /// built is committed.
    pub fn carried_map(&self) -> FinishedMap {
        let mut map = FinishedMap::default();
        let mut at = self.carried_position();
        for &(offset, _) in self.entries.iter().filter(|(_, mark)| *mark == Mark::Open) {
            map.push(at.min(self.finished_end), offset.min(self.finished_end));
            at = offset.next();
        }
        map.push(at.min(self.finished_end), self.horizon.min(self.finished_end));
        for (from, to) in self.inherited.ranges() {
            map.push(from.max(self.horizon).max(at), to.max(self.horizon).max(at));
        }
        map
    }
}

#[cfg(test)]
mod tests;
