//! The lanes of one process, which die together: while one tries an item that may kill the process,
//! the others begin nothing.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The lanes of a process. Clones are the same process.
#[derive(Clone, Debug, Default)]
pub struct Siblings(Arc<Mutex<Family>>);

#[derive(Debug, Default)]
struct Family {
    born: u64,
    /// Who wants to be the only one at work, or is.
    alone: Option<u64>,
    at_work: BTreeSet<u64>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Sibling {
    siblings: Siblings,
    number: u64,
}

impl Siblings {
    /// One more lane.
    pub(super) fn join(&self) -> Sibling {
        let mut family = self.lock();
        family.born += 1;
        Sibling { siblings: self.clone(), number: family.born }
    }

    fn lock(&self) -> MutexGuard<'_, Family> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sibling {
    /// Asks the others to begin nothing, and gives whether none of them is at work any more. None:
    /// another one has asked before.
    pub(super) fn asks_for_quiet(&self) -> Option<bool> {
        let mut family = self.siblings.lock();
        let alone = *family.alone.get_or_insert(self.number);
        (alone == self.number).then(|| family.at_work.iter().all(|it| *it == self.number))
    }

    /// The others may go on.
    pub(super) fn needs_no_quiet(&self) {
        let mut family = self.siblings.lock();
        if family.alone == Some(self.number) {
            family.alone = None;
        }
    }

    /// Whether it may begin anything. If so, the others know that it is at work, until it says
    /// that it isn't.
    pub(super) fn may_begin(&self) -> bool {
        let mut family = self.siblings.lock();
        let may = family.alone.is_none_or(|alone| alone == self.number);
        if may {
            family.at_work.insert(self.number);
        }
        may
    }

    /// Something of it is at work, or nothing is.
    pub(super) fn is_at_work(&self, is_at_work: bool) {
        let mut family = self.siblings.lock();
        match is_at_work {
            true => family.at_work.insert(self.number),
            false => family.at_work.remove(&self.number),
        };
    }
}

impl Drop for Sibling {
    fn drop(&mut self) {
        self.needs_no_quiet();
        self.is_at_work(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_alone_when_the_others_rest() {
        let family = Siblings::default();
        let (first, second) = (family.join(), family.join());
        assert!(first.may_begin() && second.may_begin());
        assert_eq!(first.asks_for_quiet(), Some(false), "the second is at work");
        assert!(!second.may_begin());
        assert_eq!(second.asks_for_quiet(), None, "the first came first");
        second.is_at_work(false);
        assert_eq!(first.asks_for_quiet(), Some(true));
        assert!(first.may_begin());
        assert!(!second.may_begin());
        first.needs_no_quiet();
        assert!(second.may_begin());
    }

    #[test]
    fn whoever_goes_is_waited_for_no_longer() {
        let family = Siblings::default();
        let (first, second) = (family.join(), family.join());
        assert!(second.may_begin());
        assert_eq!(first.asks_for_quiet(), Some(false));
        drop(second);
        assert_eq!(first.asks_for_quiet(), Some(true));
        let third = family.join();
        assert!(!third.may_begin());
        drop(first);
        assert!(third.may_begin());
    }
}
