//! Committed progress, looked at again and again: it goes on, and never back (EO-5, EO-7).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use longshore_kafka::Offset;
use longshore_schemas::TopicName;

use super::fault::{Fault, Invariant, Place};
use crate::inspect::Progress;

/// The committed progress of a group, by partition.
pub(super) type ProgressOf = BTreeMap<i32, Progress>;

/// Owners of a partition that are remembered at most: one more than looks there are, by far.
const OWNERS_MAX: usize = 1_000;

/// What is wrong with the progress of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrongProgress {
    /// The position was further before.
    WentBack {
        /// Where it was.
        from: i64,
    },
    /// There is none any more.
    Gone,
    /// An offset was finished ahead of the position, and isn't any more.
    Forgot {
        /// Which.
        offset: i64,
    },
    /// The log ends before it.
    BeyondEnd {
        /// The log's end.
        end: i64,
    },
    /// An owner that had been followed by another one has committed again.
    CameBack {
        /// Which.
        owner: String,
    },
    /// An owner's later commit was replaced by an earlier one, or by another of the same number.
    Repeated {
        /// Which.
        owner: String,
        /// The number of its commit that was seen first.
        seq: u64,
    },
}

impl WrongProgress {
    pub(super) fn breaks(&self) -> Invariant {
        match self {
            Self::BeyondEnd { .. } => Invariant::Eo1,
            Self::WentBack { .. } | Self::Gone | Self::Forgot { .. } => Invariant::Eo5,
            Self::CameBack { .. } | Self::Repeated { .. } => Invariant::Eo7,
        }
    }
}

impl fmt::Display for WrongProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WentBack { from } => write!(f, "its position went back, from {from}"),
            Self::Gone => f.write_str("it had progress here, and has none any more"),
            Self::Forgot { offset } => {
                write!(f, "{offset} was finished ahead of the position, and isn't any more")
            }
            Self::BeyondEnd { end } => write!(f, "its position lies behind the log's end, {end}"),
            Self::CameBack { owner } => {
                write!(f, "owner {owner} committed again after another one had")
            }
            Self::Repeated { owner, seq } => {
                write!(f, "commit {seq} of owner {owner} was replaced by another one of its own")
            }
        }
    }
}

/// The looks at the progress of one group.
#[derive(Debug)]
pub(super) struct Looks {
    group: String,
    topic: TopicName,
    last: ProgressOf,
    owners: BTreeMap<i32, BTreeSet<String>>,
    /// How many times a partition was looked at.
    pub(super) count: u64,
}

impl Looks {
    pub(super) fn new(group: &str, topic: &TopicName) -> Self {
        Self {
            group: group.to_owned(),
            topic: topic.clone(),
            last: ProgressOf::new(),
            owners: BTreeMap::new(),
            count: 0,
        }
    }

    /// Whether something seems to be wrong: to be looked at again, with nothing pending. A broker
    /// that has just come back may tell of an earlier state, or of none, to whoever doesn't ask for
    /// a stable one.
    pub(super) fn suspects(&self, now: &ProgressOf) -> bool {
        let seems_wrong = |(partition, now): (&i32, &Progress)| {
            self.last.get(partition).is_some_and(|before| !wrong(before, now).is_empty())
        };
        now.iter().any(seems_wrong)
    }

    /// What is wrong now, held against the look before.
    pub(super) fn look(&mut self, now: &ProgressOf) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (partition, progress) in now {
            self.count += 1;
            let before = self.last.insert(*partition, progress.clone()).unwrap_or(Progress::None);
            let mut wrong = wrong(&before, progress);
            wrong.extend(self.came_back(*partition, &before, progress));
            let offset = progress.position().map_or(0, |it| it.0);
            faults.extend(wrong.into_iter().map(|it| self.fault(*partition, offset, it)));
        }
        faults
    }

    /// Positions that lie behind the ends of their logs, which were looked at later.
    pub(super) fn beyond(&self, ends: &BTreeMap<i32, i64>) -> Vec<Fault> {
        let beyond = |(partition, progress): (&i32, &Progress)| {
            let (position, end) = (progress.position()?.0, *ends.get(partition)?);
            let wrong = WrongProgress::BeyondEnd { end };
            (position > end).then(|| self.fault(*partition, position, wrong))
        };
        self.last.iter().filter_map(beyond).collect()
    }

    fn came_back(
        &mut self,
        partition: i32,
        before: &Progress,
        now: &Progress,
    ) -> Option<WrongProgress> {
        let (Progress::Ours(before), Progress::Ours(now)) = (before, now) else {
            return None;
        };
        if before.owner == now.owner {
            return None;
        }
        let past = self.owners.entry(partition).or_default();
        if past.len() < OWNERS_MAX {
            past.insert(before.owner.clone());
        }
        past.contains(&now.owner).then(|| WrongProgress::CameBack { owner: now.owner.clone() })
    }

    fn fault(&self, partition: i32, offset: i64, wrong: WrongProgress) -> Fault {
        let at = Place { topic: self.topic.clone(), partition, offset };
        Fault::Progress { group: self.group.clone(), at, wrong }
    }
}

fn wrong(before: &Progress, now: &Progress) -> Vec<WrongProgress> {
    let Some(from) = before.position() else {
        return Vec::new();
    };
    let Some(to) = now.position() else {
        return vec![WrongProgress::Gone];
    };
    let mut wrong = Vec::new();
    if to < from {
        wrong.push(WrongProgress::WentBack { from: from.0 });
    }
    wrong.extend(forgot(before, now).map(|offset| WrongProgress::Forgot { offset: offset.0 }));
    if let (Progress::Ours(before), Progress::Ours(now)) = (before, now)
        && before.owner == now.owner
        && (now.seq < before.seq || now.seq == before.seq && now != before)
    {
        let (owner, seq) = (before.owner.clone(), before.seq);
        wrong.push(WrongProgress::Repeated { owner, seq });
    }
    wrong
}

/// The first offset that was finished ahead and isn't any more. Maps are bounded, and so is this.
fn forgot(before: &Progress, now: &Progress) -> Option<Offset> {
    let finished = before.finished()?;
    let offsets = finished.ranges().flat_map(|(from, to)| (from.0..to.0).map(Offset));
    let mut forgotten = offsets.filter(|offset| now.finishes(*offset) == Some(false));
    forgotten.next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::standing::tests::ours;

    fn of_owner(owner: &str, seq: u64, position: i64, ahead: &[(i64, i64)]) -> Progress {
        match ours(position, ahead) {
            Progress::Ours(mut it) => {
                (it.owner, it.seq) = (owner.to_owned(), seq);
                Progress::Ours(it)
            }
            other => other,
        }
    }

    fn said(looks: &[Progress]) -> Vec<(Invariant, String)> {
        let mut history = Looks::new("g", &"in".into());
        let faults = looks.iter().flat_map(|it| history.look(&BTreeMap::from([(3, it.clone())])));
        faults.map(|it| (it.breaks(), it.to_string())).collect()
    }

    #[test]
    fn progress_that_goes_on_is_no_fault() {
        let looks = [
            Progress::None,
            of_owner("a", 1, 5, &[(7, 9)]),
            of_owner("a", 1, 5, &[(7, 9)]),
            of_owner("a", 2, 6, &[(7, 9), (11, 12)]),
            of_owner("b", 1, 10, &[(11, 12)]),
            of_owner("c", 1, 10, &[(11, 13)]),
            Progress::Plain(Offset(20)),
        ];
        assert_eq!(said(&looks), []);
    }

    #[test]
    fn what_seems_wrong_is_suspected_and_counts_for_nothing_yet() {
        let mut history = Looks::new("g", &"in".into());
        let of = |progress: Progress| BTreeMap::from([(3, progress)]);
        assert!(!history.suspects(&of(Progress::None)), "nothing was known");
        assert!(history.look(&of(of_owner("b", 4, 5, &[(7, 9)]))).is_empty());
        for (progress, suspected) in [
            (Progress::None, true),
            (of_owner("b", 3, 2, &[]), true),
            (of_owner("b", 4, 5, &[(7, 9)]), false),
            (of_owner("b", 5, 6, &[(7, 9)]), false),
        ] {
            assert_eq!(history.suspects(&of(progress.clone())), suspected, "{progress:?}");
        }
        assert!(history.look(&of(of_owner("b", 5, 6, &[(7, 9)]))).is_empty());
    }

    #[test]
    fn progress_that_goes_back_is_named() {
        let first = of_owner("b", 4, 5, &[(7, 9)]);
        let table = [
            (
                Progress::None,
                Invariant::Eo5,
                "group g at in/3/0: it had progress here, and has \
              none any more",
            ),
            (
                of_owner("b", 5, 4, &[(5, 9)]),
                Invariant::Eo5,
                "group g at in/3/4: its position went \
              back, from 5",
            ),
            (
                of_owner("b", 5, 6, &[(7, 8)]),
                Invariant::Eo5,
                "group g at in/3/6: 8 was finished \
              ahead of the position, and isn't any more",
            ),
            (
                Progress::Plain(Offset(8)),
                Invariant::Eo5,
                "group g at in/3/8: 8 was finished ahead \
              of the position, and isn't any more",
            ),
            (
                of_owner("b", 3, 9, &[]),
                Invariant::Eo7,
                "group g at in/3/9: commit 4 of owner b was \
              replaced by another one of its own",
            ),
            (
                of_owner("b", 4, 9, &[]),
                Invariant::Eo7,
                "group g at in/3/9: commit 4 of owner b was \
              replaced by another one of its own",
            ),
            (
                of_owner("a", 9, 9, &[]),
                Invariant::Eo7,
                "group g at in/3/9: owner a committed again \
              after another one had",
            ),
        ];
        for (then, invariant, told) in table {
            let looks = [of_owner("a", 1, 2, &[]), first.clone(), then];
            assert_eq!(said(&looks), [(invariant, told.to_owned())]);
        }
    }

    #[test]
    fn a_position_behind_the_end_is_named() {
        let mut history = Looks::new("g", &"in".into());
        history.look(&BTreeMap::from([(0, ours(5, &[])), (1, ours(6, &[]))]));
        let faults = history.beyond(&BTreeMap::from([(0, 5), (1, 5)]));
        let told: Vec<_> = faults.iter().map(|it| (it.breaks(), it.to_string())).collect();
        let expected = "group g at in/1/6: its position lies behind the log's end, 5";
        assert_eq!(told, [(Invariant::Eo1, expected.to_owned())]);
    }
}
