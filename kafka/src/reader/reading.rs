//! A topic, read up to an end that was fixed before.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::error::ReadError;
use super::open::{Polled, Range, Reader, Take};
use crate::admin::AdminError;
use crate::client::detach;
use crate::{Offset, Partition, Record};

/// How often it is looked whether an end has been reached that no record tells of.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The records of some stretches of a topic. After an error it is over.
///
/// The end of a stretch is rarely the offset behind a record: the markers of transactions, aborted
/// records and compaction leave gaps before it. So it is reached when the client's own position
/// says so (it passes markers), or when the client meets the end of the partition after all of the
/// stretch had become readable.
pub struct Reading<'a> {
    reader: &'a mut Reader,
    open: BTreeMap<Partition, Stretch>,
    patience: Duration,
    progressed: Instant,
}

/// What is left of a range.
struct Stretch {
    range: Range,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// More is expected.
    Reading,
    /// The client met the end of what it may read, below the stretch's end: behind it lies an open
    /// transaction, or a gap.
    Blocked,
    /// All of the stretch is readable, and the client fetches again: the next end is the end.
    Confirming,
}

impl<'a> Reading<'a> {
    pub(super) fn new(reader: &'a mut Reader, ranges: &[Range], patience: Duration) -> Self {
        let open = ranges
            .iter()
            .filter(|it| it.from < it.to)
            .map(|&range| (range.partition, Stretch { range, state: State::Reading }))
            .collect();
        Self { reader, open, patience, progressed: Instant::now() }
    }

    /// How many records there are. Nothing of them is copied.
    pub fn count(mut self) -> Result<u64, ReadError> {
        let mut count = 0;
        while let Some(()) = self.advance(|_, _| ())? {
            count += 1;
        }
        Ok(count)
    }

    fn advance<T>(&mut self, take: Take<T>) -> Result<Option<T>, ReadError> {
        // Bounded: without progress it ends by `patience`, and the ranges bound progress.
        while !self.open.is_empty() {
            match self.reader.poll(LOOK_EVERY, take)? {
                Polled::Record(partition, offset, taken) => {
                    if self.is_wanted(partition, offset)? {
                        return Ok(Some(taken));
                    }
                }
                Polled::End(partition) => self.met_end(partition)?,
                Polled::Nothing => self.look()?,
            }
        }
        Ok(None)
    }

    fn is_wanted(&mut self, partition: Partition, offset: Offset) -> Result<bool, ReadError> {
        self.progressed = Instant::now();
        let stretch = self.open.get(&partition);
        let wanted = stretch.is_some_and(|it| offset < it.range.to);
        self.passed(partition, offset.next())?;
        Ok(wanted)
    }

    /// The client stands at `position`.
    fn passed(&mut self, partition: Partition, position: Offset) -> Result<(), ReadError> {
        match self.open.get(&partition) {
            Some(stretch) if stretch.range.to <= position => self.finish(partition),
            _ => Ok(()),
        }
    }

    fn finish(&mut self, partition: Partition) -> Result<(), ReadError> {
        self.open.remove(&partition);
        self.reader.pause(partition)
    }

    fn met_end(&mut self, partition: Partition) -> Result<(), ReadError> {
        match self.open.get_mut(&partition) {
            None => Ok(()),
            Some(Stretch { state: State::Confirming, .. }) => self.finish(partition),
            Some(stretch) => {
                stretch.state = State::Blocked;
                self.passed(partition, self.stand(partition))
            }
        }
    }

    /// Nothing came for a moment: is something over, or stuck?
    fn look(&mut self) -> Result<(), ReadError> {
        let blocked = self.open.iter().filter(|(_, it)| it.state == State::Blocked);
        let blocked: Vec<_> = blocked.map(|(partition, _)| *partition).collect();
        let readable = match self.reader.readable(&blocked) {
            // A broker may be away for a while: patience decides.
            Err(AdminError::Unreachable { .. }) if !self.is_late() => return Ok(()),
            answer => answer?,
        };
        for &(partition, end) in &readable {
            self.passed(partition, self.stand(partition))?;
            self.confirm(partition, end)?;
        }
        match self.open.values().next() {
            Some(stuck) if self.is_late() => Err(self.stalled(stuck.range, &readable)),
            _ => Ok(()),
        }
    }

    /// If all of a blocked stretch is readable by now, fetches again from where the client stands:
    /// it met the end before that, perhaps, and what lies between must be read, if it is anything.
    fn confirm(&mut self, partition: Partition, readable: Offset) -> Result<(), ReadError> {
        let position = self.stand(partition);
        match self.open.get_mut(&partition) {
            Some(stretch) if stretch.range.to <= readable => {
                stretch.state = State::Confirming;
                self.reader.seek(partition, position)
            }
            _ => Ok(()),
        }
    }

    /// Behind everything that the client has passed on or passed over.
    fn stand(&self, partition: Partition) -> Offset {
        let from = self.open.get(&partition).map_or(Offset(0), |it| it.range.from);
        self.reader.position(partition).map_or(from, |it| it.max(from))
    }

    fn is_late(&self) -> bool {
        self.progressed.elapsed() > self.patience
    }

    fn stalled(&self, range: Range, readable: &[(Partition, Offset)]) -> ReadError {
        let topic = self.reader.topic().clone();
        let Range { partition, to: end, .. } = range;
        let waited = self.patience;
        match readable.iter().find(|(it, _)| *it == partition) {
            Some(&(_, stable_end)) if stable_end < end => {
                ReadError::OpenTransaction { topic, partition, stable_end, end, waited }
            }
            _ => {
                let position = self.stand(partition);
                ReadError::Stalled { topic, partition, position, end, waited }
            }
        }
    }
}

impl Iterator for Reading<'_> {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance(detach).transpose();
        if !matches!(next, Some(Ok(_))) {
            self.open.clear();
        }
        next
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.reader.unassign();
    }
}
