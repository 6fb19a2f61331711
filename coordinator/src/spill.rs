//! The file to which the open groups of a partition spill their payloads: a cache of the log, in a
//! file without a name, which the system takes back with the process, however that ends.
//!
//! The file is cut into blocks. A payload takes any free ones, not only neighbours, so what is
//! freed is used again whole and the file never grows past its bound.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use sha2::{Digest, Sha256};

/// Small enough that little is wasted behind a payload, large enough that few numbers name it.
const BLOCK_BYTES: usize = 1_024;

/// The spill file of one partition. It is made when the first payload goes to it.
#[derive(Debug)]
pub struct SpillFile {
    blocks_max: u32,
    store: Option<Arc<Store>>,
}

/// A payload in the file. Dropped, it gives its blocks back.
#[derive(Debug)]
pub struct Spilled {
    store: Arc<Store>,
    runs: Box<[Run]>,
    len: usize,
    digest: [u8; 32],
}

/// Blocks side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    first: u32,
    count: u32,
}

#[derive(Debug)]
struct Store {
    file: File,
    blocks: Mutex<Blocks>,
}

/// Which blocks of the file are free.
#[derive(Debug)]
struct Blocks {
    max: u32,
    /// Blocks from this one on were never used.
    end: u32,
    /// Runs before `end`, by their first block; no two of them touch.
    free: BTreeMap<u32, u32>,
    used: u32,
}

impl SpillFile {
    /// A file of at most so many bytes.
    pub fn new(bytes_max: usize) -> Self {
        let blocks_max = u32::try_from(bytes_max / BLOCK_BYTES).unwrap_or(u32::MAX);
        Self { blocks_max, store: None }
    }

    /// The same over a file that is there already.
    #[cfg(test)]
    fn over(file: File, bytes_max: usize) -> Self {
        let mut spill = Self::new(bytes_max);
        spill.store = Some(spill.store_in(file));
        spill
    }

    /// Bytes of the file that are taken.
    pub fn bytes(&self) -> usize {
        self.store.as_ref().map_or(0, |store| store.blocks().used as usize * BLOCK_BYTES)
    }

    /// Whether a payload of so many bytes has room.
    pub fn has_room(&self, bytes: usize) -> bool {
        let used = self.store.as_ref().map_or(0, |store| store.blocks().used);
        blocks_of(bytes) <= u64::from(self.blocks_max - used)
    }

    /// Writes a payload. None: the file is full.
    ///
    /// # Errors
    /// If there can be no file, or it can't be written: the disk is full, most of all.
    pub fn put(&mut self, payload: &Bytes) -> io::Result<Option<Spilled>> {
        let store = match &self.store {
            Some(store) => Arc::clone(store),
            None => self.store_in(tempfile::tempfile()?),
        };
        self.store = Some(Arc::clone(&store));
        let Some(runs) = store.blocks().take(blocks_of(payload.len())) else {
            return Ok(None);
        };
        let digest = Sha256::digest(payload).into();
        // From here on the blocks are given back whatever happens.
        let spilled = Spilled { store, runs, len: payload.len(), digest };
        for (run, range) in spilled.ranges() {
            spilled.store.file.write_all_at(&payload[range], run.begin())?;
        }
        Ok(Some(spilled))
    }

    fn store_in(&self, file: File) -> Arc<Store> {
        let blocks = Blocks { max: self.blocks_max, end: 0, free: BTreeMap::new(), used: 0 };
        Arc::new(Store { file, blocks: Mutex::new(blocks) })
    }
}

impl Spilled {
    /// Reads it, as often as it is asked for.
    ///
    /// # Errors
    /// If the file can't be read, or what it holds isn't what was written.
    pub fn read(&self) -> io::Result<Bytes> {
        let mut payload = vec![0; self.len];
        for (run, range) in self.ranges() {
            self.store.file.read_exact_at(&mut payload[range], run.begin())?;
        }
        let payload = Bytes::from(payload);
        match self.holds(&payload) {
            true => Ok(payload),
            false => Err(io::Error::new(io::ErrorKind::InvalidData, "it isn't what was written")),
        }
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether it is this payload, as far as a digest can tell.
    pub fn holds(&self, payload: &Bytes) -> bool {
        self.len == payload.len() && self.digest == <[u8; 32]>::from(Sha256::digest(payload))
    }

    /// Each run of blocks, and which bytes of the payload are in it.
    fn ranges(&self) -> impl Iterator<Item = (Run, std::ops::Range<usize>)> {
        self.runs.iter().scan(0, |begin, run| {
            let end = self.len.min(*begin + run.count as usize * BLOCK_BYTES);
            let range = std::mem::replace(begin, end)..end;
            Some((*run, range))
        })
    }
}

/// Of one payload, wherever it stands.
impl PartialEq for Spilled {
    fn eq(&self, other: &Self) -> bool {
        (self.len, self.digest) == (other.len, other.digest)
    }
}

impl Eq for Spilled {}

impl Drop for Spilled {
    fn drop(&mut self) {
        let mut blocks = self.store.blocks();
        self.runs.iter().for_each(|run| blocks.give_back(*run));
    }
}

impl Run {
    fn begin(self) -> u64 {
        u64::from(self.first) * BLOCK_BYTES as u64
    }
}

impl Store {
    fn blocks(&self) -> MutexGuard<'_, Blocks> {
        // No panic leaves them half changed.
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Blocks {
    /// Takes so many blocks, freed ones first; none if there are not so many.
    fn take(&mut self, count: u64) -> Option<Box<[Run]>> {
        let mut wanted = u32::try_from(count).ok().filter(|it| *it <= self.max - self.used)?;
        self.used += wanted;
        let mut runs = Vec::new();
        while wanted > 0 {
            let run = match self.free.pop_first() {
                Some((first, count)) => self.split(Run { first, count }, wanted),
                None => Run { first: self.end, count: wanted },
            };
            self.end = self.end.max(run.first + run.count);
            wanted -= run.count;
            runs.push(run);
        }
        Some(runs.into())
    }

    /// The first `wanted` blocks of a free run; the rest stays free.
    fn split(&mut self, run: Run, wanted: u32) -> Run {
        if run.count <= wanted {
            return run;
        }
        self.free.insert(run.first + wanted, run.count - wanted);
        Run { count: wanted, ..run }
    }

    fn give_back(&mut self, run: Run) {
        self.used -= run.count;
        let Run { mut first, mut count } = run;
        if let Some(behind) = self.free.remove(&(first + count)) {
            count += behind;
        }
        if let Some((&before, &length)) = self.free.range(..first).next_back()
            && before + length == first
        {
            (first, count) = (before, length + count);
        }
        self.free.insert(first, count);
    }
}

fn blocks_of(bytes: usize) -> u64 {
    bytes.div_ceil(BLOCK_BYTES) as u64
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use proptest::prelude::*;

    use super::*;

    fn payload(seed: u8, len: usize) -> Bytes {
        (0..len).map(|index| seed.wrapping_mul(31).wrapping_add((index % 251) as u8)).collect()
    }

    #[test]
    fn what_was_spilled_is_read_as_often_as_asked_for() {
        let mut spill = SpillFile::new(1 << 20);
        for len in [1, 1_023, 1_024, 1_025, 100_000] {
            let payload = payload(7, len);
            let spilled = spill.put(&payload).unwrap().unwrap();
            assert_eq!(spilled.read().unwrap(), payload);
            assert_eq!(spilled.read().unwrap(), payload);
            assert!(spilled.holds(&payload) && !spilled.holds(&payload.slice(1..)));
        }
        assert_eq!(spill.bytes(), 0);
    }

    #[test]
    fn a_full_file_takes_no_more_and_what_is_dropped_gives_room() {
        let mut spill = SpillFile::new(10 * 1_024);
        let mut held: Vec<_> = (0..10).map(|n| spill.put(&payload(n, 1_000)).unwrap()).collect();
        assert!(held.iter().all(Option::is_some) && !spill.has_room(1));
        assert!(spill.put(&payload(0, 1)).unwrap().is_none());
        // Every other block: no two that are free touch.
        held.retain(|spilled| spilled.as_ref().is_some_and(|it| it.runs[0].first % 2 == 0));
        let whole = payload(9, 5 * 1_024);
        let spilled = spill.put(&whole).unwrap().unwrap();
        assert_eq!((spilled.runs.len(), spilled.read().unwrap()), (5, whole));
        drop((held, spilled));
        let blocks = spill.store.as_ref().unwrap().blocks().free.clone();
        assert_eq!(blocks, BTreeMap::from([(0, 10)]), "one run again");
    }

    #[test]
    fn a_full_disk_is_an_error_and_holds_nothing() {
        let full = OpenOptions::new().read(true).write(true).open("/dev/full").unwrap();
        let mut spill = SpillFile::over(full, 1 << 20);
        let error = spill.put(&payload(1, 5_000)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(spill.bytes(), 0);
    }

    #[test]
    fn what_was_overwritten_is_not_taken_for_what_was_written() {
        let mut spill = SpillFile::new(1 << 20);
        let spilled = spill.put(&payload(1, 5_000)).unwrap().unwrap();
        spilled.store.file.write_all_at(b"other", 4_000).unwrap();
        assert_eq!(spilled.read().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    proptest! {
        /// Whatever is put and dropped: all that is held reads back, and the file keeps its bound.
        #[test]
        fn payloads_never_overlap(
            steps in prop::collection::vec((any::<u8>(), 1_usize..9_000), 1..80),
        ) {
            let mut spill = SpillFile::new(64 * BLOCK_BYTES);
            let mut held: Vec<(Bytes, Spilled)> = Vec::new();
            for (seed, len) in steps {
                let bytes = payload(seed, len);
                match spill.put(&bytes).unwrap() {
                    Some(spilled) => held.push((bytes, spilled)),
                    None => drop(held.swap_remove(usize::from(seed) % held.len())),
                }
                prop_assert!(held.iter().all(|(bytes, spilled)| spilled.read().unwrap() == bytes));
                let used: u64 = held.iter().map(|(bytes, _)| blocks_of(bytes.len())).sum();
                prop_assert_eq!(spill.bytes() as u64, used * BLOCK_BYTES as u64);
                prop_assert!(spill.store.as_ref().unwrap().blocks().end <= 64);
            }
        }
    }
}
