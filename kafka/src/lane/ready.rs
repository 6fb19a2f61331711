//! Outcomes that wait for their transaction, in the order in which they became ready.

use std::collections::VecDeque;
use std::time::Duration;

use super::config::Limits;
use super::step::Finished;

/// The outcomes that are finished and not committed. An abort brings them back, in the same order,
/// so nothing is ever computed twice while its partition is ours.
#[derive(Debug)]
pub struct Ready {
    outcomes: VecDeque<Waiting>,
    bytes: usize,
    /// How many suspects go into one transaction: halved while the broker refuses, so that the
    /// record at fault is found among thousands of innocent ones in a dozen transactions.
    suspects_max: usize,
}

/// An outcome that waits.
#[derive(Debug)]
struct Waiting {
    finished: Finished,
    since: Duration,
    /// It was in a produce batch that the broker refused for good.
    suspect: bool,
}

impl Ready {
    /// Nothing waits.
    pub fn new() -> Self {
        Self { outcomes: VecDeque::new(), bytes: 0, suspects_max: usize::MAX }
    }

    /// Adds an outcome behind all others.
    pub fn push(&mut self, finished: Finished, now: Duration) {
        self.bytes += finished.bytes();
        self.outcomes.push_back(Waiting { finished, since: now, suspect: false });
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.outcomes.len()
    }

    /// Bytes of their outputs.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Since when the oldest waits.
    pub fn oldest(&self) -> Option<Duration> {
        self.outcomes.front().map(|waiting| waiting.since)
    }

    /// Whether a transaction would be full, or the search for a refused record goes on.
    pub fn is_urgent(&self, limits: &Limits) -> bool {
        self.len() >= limits.batch_items_max
            || self.bytes >= limits.batch_bytes_max
            || self.outcomes.front().is_some_and(|first| first.suspect)
    }

    /// Takes the outcomes of the next transaction, oldest first, at most `items_max` of them.
    pub fn take(&mut self, items_max: usize, bytes_max: usize) -> Vec<Finished> {
        let suspects = self.outcomes.front().is_some_and(|first| first.suspect);
        let items_max = if suspects { items_max.min(self.suspects_max) } else { items_max };
        let mut taken: Vec<Finished> = Vec::new();
        let mut bytes = 0;
        while let Some(next) = self.outcomes.front() {
            let size = next.finished.bytes();
            let full = taken.len() >= items_max.max(1) || bytes + size > bytes_max;
            if next.suspect != suspects || (full && !taken.is_empty()) {
                break;
            }
            bytes += size;
            taken.extend(self.outcomes.pop_front().map(|waiting| waiting.finished));
        }
        self.bytes -= bytes;
        taken
    }

    /// Puts the outcomes of a transaction that came to nothing back in front, those at `suspects`
    /// marked: a broker refused the batch that they were in.
    pub fn put_back(&mut self, taken: Vec<Finished>, suspects: &[usize], now: Duration) {
        if !suspects.is_empty() {
            self.suspects_max = (suspects.len() / 2).max(1);
        }
        for (index, finished) in taken.into_iter().enumerate().rev() {
            self.bytes += finished.bytes();
            let suspect = suspects.contains(&index);
            self.outcomes.push_front(Waiting { finished, since: now, suspect });
        }
    }

    /// A transaction was committed: if suspects were in it, the next may hold more of them.
    pub fn relax(&mut self) {
        self.suspects_max = self.suspects_max.saturating_mul(2);
    }

    /// Drops every outcome that fails; gives how many.
    pub fn retain(&mut self, keep: impl Fn(&Finished) -> bool) -> usize {
        let before = self.outcomes.len();
        self.outcomes.retain(|waiting| keep(&waiting.finished));
        self.bytes = self.outcomes.iter().map(|waiting| waiting.finished.bytes()).sum();
        before - self.outcomes.len()
    }

    /// Whether any outcome passes.
    pub fn any(&self, wanted: impl Fn(&Finished) -> bool) -> bool {
        self.outcomes.iter().any(|waiting| wanted(&waiting.finished))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::lane::step::{Epoch, Verdict};
    use crate::{Outgoing, Partition};

    /// An outcome with one output of so many bytes, which tells it from others.
    fn outcome(bytes: usize) -> Finished {
        let output = Outgoing {
            topic: "t".into(),
            partition: None,
            key: None,
            value: Some(Bytes::from(vec![0; bytes])),
            headers: Default::default(),
            timestamp: None,
        };
        Finished {
            partition: Partition(0),
            epoch: Epoch(1),
            item: None,
            outputs: vec![output],
            verdict: Verdict::Done,
        }
    }

    fn ready(sizes: &[usize]) -> Ready {
        let mut ready = Ready::new();
        for &size in sizes {
            ready.push(outcome(size), Duration::ZERO);
        }
        ready
    }

    fn sizes(taken: &[Finished]) -> Vec<usize> {
        taken.iter().map(Finished::bytes).collect()
    }

    #[test]
    fn a_transaction_takes_the_oldest_within_its_bounds() {
        let mut ready = ready(&[1, 2, 3, 4]);
        assert_eq!(sizes(&ready.take(2, 100)), [1, 2]);
        assert_eq!(sizes(&ready.take(9, 6)), [3]);
        assert_eq!(sizes(&ready.take(9, 1)), [4], "one is taken however large");
        assert_eq!((ready.len(), ready.bytes()), (0, 0));
    }

    #[test]
    fn what_comes_back_keeps_its_place() {
        let mut ready = ready(&[1, 2, 3]);
        let taken = ready.take(2, 100);
        ready.put_back(taken, &[], Duration::ZERO);
        assert_eq!(ready.bytes(), 6);
        assert_eq!(sizes(&ready.take(9, 100)), [1, 2, 3]);
    }

    #[test]
    fn a_refused_record_is_found_by_halving() {
        let mut ready = ready(&[1, 2, 3, 4, 5]);
        let culprit = 4;
        let mut transactions = 0;
        let mut committed = Vec::new();
        while ready.len() > 0 {
            transactions += 1;
            let taken = ready.take(9, 100);
            let refused = sizes(&taken).contains(&culprit);
            match (refused, taken.len()) {
                (true, 1) => committed.push((culprit, "failed")),
                (true, count) => {
                    let all: Vec<usize> = (0..count).collect();
                    ready.put_back(taken, &all, Duration::ZERO);
                }
                (false, _) => {
                    committed.extend(sizes(&taken).into_iter().map(|size| (size, "done")));
                    ready.relax();
                }
            }
        }
        assert!(transactions <= 8, "{transactions}");
        assert_eq!(
            committed,
            [(1, "done"), (2, "done"), (3, "done"), (4, "failed"), (5, "done")],
            "in order, one failed"
        );
    }

    #[test]
    fn those_that_were_refused_beside_one_are_soon_together_again() {
        const CULPRIT: usize = 2;
        let mut all = vec![1; 1_000];
        all[0] = CULPRIT;
        let mut ready = ready(&all);
        let mut transactions = 0;
        while ready.len() > 0 {
            transactions += 1;
            let taken = ready.take(1_000, 10_000);
            if taken.len() > 1 && sizes(&taken).contains(&CULPRIT) {
                let suspects: Vec<usize> = (0..taken.len()).collect();
                ready.put_back(taken, &suspects, Duration::ZERO);
            } else {
                ready.relax();
            }
        }
        assert!(transactions <= 25, "{transactions}");
    }

    #[test]
    fn what_is_dropped_is_counted_no_longer() {
        let mut ready = ready(&[1, 2, 3]);
        assert_eq!(ready.retain(|it| it.bytes() == 2), 2);
        assert_eq!((ready.len(), ready.bytes()), (1, 2));
    }

    #[test]
    fn a_full_transaction_is_urgent() {
        let limits = Limits {
            in_flight_max: 1,
            in_flight_most: 1,
            waiting_max: 1,
            held_bytes_max: 1,
            batch_items_max: 3,
            batch_bytes_max: 10,
        };
        let cases: [(&[usize], bool); 4] =
            [(&[1, 1], false), (&[1, 1, 1], true), (&[4, 5], false), (&[4, 6], true)];
        for (sizes, urgent) in cases {
            assert_eq!(ready(sizes).is_urgent(&limits), urgent, "{sizes:?}");
        }
    }
}
