//! Facts in their order, though they may be more than fit in memory: they are sorted in runs, which
//! are kept in files and merged.

use std::cmp::Ordering;
use std::fs;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use extsort::{ExternalSorter, PushExternalSorter, Sortable, SortedIterator};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::state_dir::{StateDir, unkept};
use crate::inspect::InspectError;

/// Facts of a run at least: about 30 MiB. A run ends with one more, which must not make its room
/// grow to the next power of two.
const RUN_MIN: u64 = (1 << 19) - 1;
/// Runs at most, as each is an open file: with more than 134 million facts the runs grow, and take
/// a quarter of a byte of memory for each fact.
const RUNS_MAX: u64 = 256;
/// A fact at most, so that a damaged file takes no memory: names are shorter than a record's 1 MiB.
const FACT_BYTES_MAX: u32 = 2 << 20;

/// What can be sorted.
pub(crate) trait Fact: Serialize + DeserializeOwned + Ord + Send {}

impl<T: Serialize + DeserializeOwned + Ord + Send> Fact for T {}

type Order<T> = fn(&Kept<T>, &Kept<T>) -> Ordering;

/// Takes facts in any order.
pub(crate) struct Sorter<T: Fact> {
    runs: PushExternalSorter<Kept<T>, Order<T>>,
    folder: PathBuf,
    run: u64,
    taken: u64,
}

/// Gives them back in theirs.
pub(crate) struct Sorted<T: Fact> {
    facts: SortedIterator<Kept<T>, Order<T>>,
    folder: PathBuf,
    left: u64,
}

impl<T: Fact> Sorter<T> {
    /// Sorts about so many facts. `name` is told apart from the names of others.
    pub(crate) fn new(state: &StateDir, name: &str, about: u64) -> Result<Self, InspectError> {
        Self::in_runs(state, name, RUN_MIN.max(about / RUNS_MAX))
    }

    fn in_runs(state: &StateDir, name: &str, run: u64) -> Result<Self, InspectError> {
        let folder = state.folder(name)?;
        let runs = ExternalSorter::new()
            .with_segment_size(usize::try_from(run).unwrap_or(usize::MAX))
            .with_sort_dir(folder.clone())
            .pushed_by(Kept::cmp as Order<T>);
        Ok(Self { runs, folder, run, taken: 0 })
    }

    /// Takes one.
    pub(crate) fn take(&mut self, fact: T) -> Result<(), InspectError> {
        self.taken += 1;
        self.runs.push(Kept(fact)).map_err(|source| unkept(&self.folder, source))
    }

    /// How many it has.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// Ends the taking.
    pub(crate) fn sorted(self) -> Result<Sorted<T>, InspectError> {
        let failed = |source| unkept(&self.folder, source);
        let facts = self.runs.done().map_err(failed)?;
        tracing::debug!(
            facts = self.taken,
            run = self.run,
            files = facts.disk_segment_count(),
            "sorted"
        );
        // The files are open: where the system allows it they go with the process, at the latest.
        let _ = fs::remove_dir_all(&self.folder);
        Ok(Sorted { facts, folder: self.folder, left: self.taken })
    }
}

impl<T: Fact> Sorted<T> {
    /// The next one. The merge takes a file that was cut off for one that ends: they are counted.
    pub(crate) fn next(&mut self) -> Result<Option<T>, InspectError> {
        let next = self.facts.next().transpose();
        let next = next.map_err(|source| unkept(&self.folder, source))?;
        match (&next, self.left) {
            (Some(_), _) => self.left -= 1,
            (None, 0) => {}
            (None, left) => {
                let text = format!("a file was cut off: {left} facts are missing");
                return Err(unkept(&self.folder, io::Error::other(text)));
            }
        }
        Ok(next.map(|Kept(fact)| fact))
    }
}

/// A fact in the form that extsort wants: its length, then its fields.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Kept<T>(T);

impl<T: Fact> Sortable for Kept<T> {
    fn encode<W: Write>(&self, writer: &mut W) -> io::Result<()> {
        let bytes = postcard::to_stdvec(&self.0).map_err(io::Error::other)?;
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        writer.write_all(&length.to_le_bytes())?;
        writer.write_all(&bytes)
    }

    fn decode<R: Read>(reader: &mut R) -> io::Result<Self> {
        let mut length = [0; 4];
        reader.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length);
        if length > FACT_BYTES_MAX {
            return Err(io::Error::other(format!("a fact of {length} bytes: the file is damaged")));
        }
        let mut bytes = vec![0; length as usize];
        reader.read_exact(&mut bytes)?;
        postcard::from_bytes(&bytes).map(Self).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> (tempfile::TempDir, StateDir) {
        let parent = tempfile::tempdir().unwrap();
        let state = StateDir::create(Some(parent.path())).unwrap();
        (parent, state)
    }

    fn all<T: Fact>(mut sorted: Sorted<T>) -> Vec<T> {
        std::iter::from_fn(|| sorted.next().unwrap()).collect()
    }

    #[test]
    fn facts_come_in_their_order_from_memory_and_from_few_files_and_from_many() {
        let (_parent, state) = state();
        for (name, run) in [("memory", 1_000), ("few", 200), ("many", 20)] {
            let mut sorter = Sorter::in_runs(&state, name, run).unwrap();
            let facts = || (0..1_000_u64).map(|it| (it * 7_919 % 1_000, format!("text {it}")));
            facts().for_each(|fact| sorter.take(fact).unwrap());
            let mut expected: Vec<_> = facts().collect();
            expected.sort_unstable();
            assert_eq!(all(sorter.sorted().unwrap()), expected, "{name}");
        }
    }

    #[test]
    fn files_are_gone_while_they_are_merged() {
        let (_parent, state) = state();
        let mut sorter = Sorter::in_runs(&state, "items", 10).unwrap();
        (0..100_u64).rev().for_each(|fact| sorter.take(fact).unwrap());
        let folder = sorter.folder.clone();
        assert!(fs::read_dir(&folder).unwrap().count() > 5);
        let sorted = sorter.sorted().unwrap();
        assert!(!folder.exists());
        assert_eq!(all(sorted), (0..100).collect::<Vec<u64>>());
    }

    #[test]
    fn a_file_that_was_cut_off_is_an_error_and_no_end() {
        let (_parent, state) = state();
        let mut sorter = Sorter::in_runs(&state, "items", 10).unwrap();
        (0..100_u64).for_each(|fact| sorter.take(fact).unwrap());
        let file = fs::OpenOptions::new().write(true).open(sorter.folder.join("0")).unwrap();
        file.set_len(file.metadata().unwrap().len() - 2).unwrap();
        let mut sorted = sorter.sorted().unwrap();
        let error = loop {
            match sorted.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it ended"),
                Err(error) => break error.to_string(),
            }
        };
        assert!(error.contains("1 facts are missing"), "{error}");
    }

    #[test]
    fn a_disk_that_takes_no_more_is_an_error_that_says_what_to_do() {
        let (_parent, state) = state();
        let mut sorter = Sorter::in_runs(&state, "items", 10).unwrap();
        // What a run would be written to can't be: every write fails, as on a full disk.
        std::os::unix::fs::symlink("/dev/full", sorter.folder.join("0")).unwrap();
        let error = (0..100_u64).find_map(|fact| sorter.take(fact).err());
        let error = error.expect("no room").to_string();
        assert!(error.contains("No space left") && error.contains("--state-dir"), "{error}");
    }
}
