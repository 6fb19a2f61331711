//! What is written to a join's inbox: openings, seals and outcomes, in any order that is possible.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use longshore_kafka::Partition;
use longshore_kafka::model::Cluster;
use longshore_schemas::records::{
    Expect, GroupOpen, GroupSeal, InboxRecord, PartError, PartOutcome, PartStatus,
};
use longshore_schemas::{GroupId, PartId, Revision, StageName};
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

use crate::subject::{chance, spills};

/// How long a group waits for its parts.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);
/// The stages whose parts are gathered.
pub(crate) const STAGES: [&str; 2] = ["price", "supply"];
/// Bytes that some payloads have more than others.
const LARGE: usize = 400;
/// The same where there is a file that payloads spill to: some are worth a place in it.
pub(crate) const SPILLED: Range<usize> = 1_000..16_000;
/// Of so many actions on a group that is known, some are on one that nobody opened.
const UNKNOWN_ONE_IN: u32 = 30;

/// What comes next depends on the seed and on what came before, not on when it comes.
pub(crate) struct Inbox {
    seed: u64,
    partitions: i32,
    written: usize,
    groups: Vec<Known>,
}

/// A group that was opened.
#[derive(Clone)]
struct Known {
    number: usize,
    expect: Expect,
    parts: u32,
    revision: Revision,
    /// Outcomes that were written.
    outcomes: Vec<PartOutcome>,
    payloads: Payloads,
}

/// How large the payloads of a group are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Payloads {
    /// Small, but for those of some groups.
    Usual,
    /// Most of them are worth a place in a spill file.
    Spilled,
    /// Small: what has to wait for an opening can't be spilled.
    Small,
}

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Read,
    Aborted,
}

impl Inbox {
    pub(crate) fn new(seed: u64, partitions: i32) -> Self {
        Self { seed, partitions, written: 0, groups: Vec::new() }
    }

    /// The next record, and where it goes. None: bytes that are none of ours.
    pub(crate) fn next(
        &mut self,
        cluster: &Cluster,
        fate: Fate,
    ) -> (Partition, Option<InboxRecord>) {
        let mut chance = chance(self.seed, self.written);
        self.written += 1;
        let record = match chance.random_range(0..100) {
            0..22 => self.open(&mut chance, cluster),
            22 => return (self.partition(chance.random_range(0..100)), None),
            _ => self.of_a_group(&mut chance, cluster),
        };
        let number = number_of(&record);
        if fate == Fate::Aborted && matches!(record, InboxRecord::Open(_)) {
            self.groups[number].payloads = self.of_unopened();
        }
        (self.partition(number), Some(record))
    }

    fn partition(&self, number: usize) -> Partition {
        Partition(i32::try_from(number).unwrap_or_default() % self.partitions)
    }

    /// What the parts of a group carry that may never be opened.
    fn of_unopened(&self) -> Payloads {
        if spills(self.seed) { Payloads::Small } else { Payloads::Usual }
    }

    fn open(&mut self, chance: &mut SmallRng, cluster: &Cluster) -> InboxRecord {
        let number = self.groups.len();
        let parts = chance.random_range(1..4);
        let expect = match chance.random_range(0..10) {
            0..7 => Expect::Count(parts),
            _ => Expect::OpenEnded,
        };
        let revision = Revision::FIRST;
        let payloads = if spills(self.seed) { Payloads::Spilled } else { Payloads::Usual };
        let known = Known { number, expect, parts, revision, outcomes: Vec::new(), payloads };
        self.groups.push(known.clone());
        known.opening(cluster)
    }

    fn of_a_group(&mut self, chance: &mut SmallRng, cluster: &Cluster) -> InboxRecord {
        if self.groups.is_empty() || chance.random_ratio(1, UNKNOWN_ONE_IN) {
            let unknown = Known {
                number: 1_000 + self.written,
                expect: Expect::Count(1),
                parts: 1,
                revision: Revision::FIRST,
                outcomes: Vec::new(),
                payloads: self.of_unopened(),
            };
            return InboxRecord::Outcome(unknown.outcome(chance, cluster));
        }
        // Those that were opened lately are more likely, so that groups are completed.
        let lately = self.groups.len().saturating_sub(3);
        let from = if chance.random_bool(0.8) { lately } else { 0 };
        let index = chance.random_range(from..self.groups.len());
        let group = &mut self.groups[index];
        match (chance.random_range(0..40), &group.expect) {
            (0, _) => {
                group.revision = Revision(group.revision.0 + 1);
                group.outcomes.clear();
                group.opening(cluster)
            }
            (1, _) => group.opening(cluster),
            (2..14, Expect::OpenEnded) => InboxRecord::Seal(GroupSeal {
                group_id: group.id(),
                revision: group.revision,
                total: group.parts,
            }),
            _ => {
                let outcome = group.outcome(chance, cluster);
                group.outcomes.push(outcome.clone());
                InboxRecord::Outcome(outcome)
            }
        }
    }
}

impl Known {
    fn id(&self) -> GroupId {
        GroupId::from(format!("in/0/{}", self.number))
    }

    fn opening(&self, cluster: &Cluster) -> InboxRecord {
        InboxRecord::Open(GroupOpen {
            group_id: self.id(),
            run_id: None,
            revision: self.revision,
            opened_at: cluster.timestamp(),
            timeout: TIMEOUT,
            expect: self.expect.clone(),
            parent: None,
        })
    }

    /// Most often of a part that has none yet; sometimes again, or with other content.
    fn outcome(&self, chance: &mut SmallRng, cluster: &Cluster) -> PartOutcome {
        if let Some(again) = self.outcomes.choose(chance)
            && chance.random_ratio(1, 10)
        {
            return again.clone();
        }
        let written = |stage: &str, part: u32| {
            let same = |it: &PartOutcome| it.stage.as_str() == stage && it.part_id.0 == part;
            self.outcomes.iter().any(same)
        };
        let parts = STAGES.iter().flat_map(|stage| (0..self.parts).map(move |it| (*stage, it)));
        let missing: Vec<_> = parts.clone().filter(|(stage, it)| !written(stage, *it)).collect();
        let fresh = missing.choose(chance).copied().filter(|_| chance.random_ratio(29, 30));
        let (stage, part) =
            fresh.unwrap_or_else(|| (STAGES[0], chance.random_range(0..=self.parts)));
        let status = match chance.random_range(0..20) {
            0..2 => PartStatus::Failed,
            2 => PartStatus::Skipped,
            _ => PartStatus::Done,
        };
        let much = match self.payloads {
            // Beside large ones a small group is worth carrying.
            Payloads::Usual if self.number % 4 == 3 => LARGE,
            Payloads::Spilled if chance.random_ratio(2, 3) => chance.random_range(SPILLED),
            Payloads::Usual | Payloads::Spilled | Payloads::Small => 0,
        };
        let payload = format!("{stage}{part}{};", chance.random_range(0..100));
        let payload = payload.repeat(1 + much / payload.len());
        PartOutcome {
            group_id: self.id(),
            revision: self.revision,
            opened_at: cluster.timestamp(),
            stage: StageName::from(stage),
            part_id: PartId(part),
            attempt: chance.random_range(0..3) / 2,
            status,
            payload: (status == PartStatus::Done).then(|| Bytes::from(payload)),
            error: (status == PartStatus::Failed).then(|| PartError::new("poison", "never")),
        }
    }
}

/// The number of a record's group.
fn number_of(record: &InboxRecord) -> usize {
    let group = match record {
        InboxRecord::Open(opening) => &opening.group_id,
        InboxRecord::Seal(seal) => &seal.group_id,
        InboxRecord::Outcome(outcome) => &outcome.group_id,
        InboxRecord::Tick(_) => return 0,
    };
    number(group)
}

/// The number of a group.
pub(crate) fn number(group: &GroupId) -> usize {
    group.as_str().rsplit('/').next().and_then(|it| it.parse().ok()).unwrap_or_default()
}
