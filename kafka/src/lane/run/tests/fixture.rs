//! Lanes whose component echoes its items, over a model cluster; and what must hold of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use longshore_schemas::{Headers, TopicName};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::super::Lane;
use crate::lane::broker::PartitionFacts;
use crate::lane::config::{LaneConfig, Limits, Ordering};
use crate::lane::error::LaneError;
use crate::lane::progress::Metadata;
use crate::lane::start::StartPolicy;
use crate::lane::step::{Assignment, Finished, Item, Prepared, Step, StepError, Verdict};
use crate::model::{Cluster, Identity, Member};
use crate::{Offset, Outgoing, Partition, Record, Refusal, TopicId};

/// The group of every lane.
pub(super) const GROUP: &str = "g";
/// Turns after which a test that hasn't come to its end is stuck.
const TURNS_MAX: usize = 20_000;

pub(super) fn input() -> TopicName {
    "in".into()
}

pub(super) fn output() -> TopicName {
    "out".into()
}

pub(super) fn dead_letters() -> TopicName {
    "in-dlt".into()
}

pub(super) fn marks() -> TopicName {
    "begun".into()
}

/// Echoes every item, in whatever order the seed says.
pub(super) struct Echo {
    rng: SmallRng,
    pub(super) held: Vec<Arc<Item>>,
    prepared: Vec<Prepared>,
    /// Items at these offsets are never finished while they are listed here.
    pub(super) stuck: BTreeSet<(Partition, Offset)>,
    /// It can't go on.
    pub(super) broken: bool,
}

impl Echo {
    pub(super) fn new(seed: u64) -> Self {
        let rng = SmallRng::seed_from_u64(seed);
        Self { rng, held: Vec::new(), prepared: Vec::new(), stuck: BTreeSet::new(), broken: false }
    }
}

impl Step for Echo {
    fn assigned(&mut self, assignment: &Assignment) {
        let &Assignment { partition, epoch, position, .. } = assignment;
        self.prepared.push(Prepared { partition, epoch, from: position });
    }

    fn prepared(&mut self) -> Result<Vec<Prepared>, StepError> {
        Ok(std::mem::take(&mut self.prepared))
    }

    fn replay(&mut self, _: Record) {
        unreachable!("nothing was asked to be replayed");
    }

    fn replayed(&mut self, _: Partition) {}

    fn take(&mut self, item: Arc<Item>) {
        self.held.push(item);
    }

    fn give_up(&mut self, item: Arc<Item>, _: u32) {
        unreachable!("no item of these tests kills anybody: {}", item.record.offset);
    }

    fn flush(&mut self) -> Result<(), StepError> {
        Ok(())
    }

    fn collect(&mut self, outcomes: &mut Vec<Finished>) -> Result<(), StepError> {
        if self.broken {
            return Err("broken".into());
        }
        for _ in 0..self.held.len() {
            let index = self.rng.random_range(0..self.held.len());
            let record = &self.held[index].record;
            if self.stuck.contains(&(record.partition, record.offset)) || self.rng.random_bool(0.3)
            {
                continue;
            }
            outcomes.push(echo(self.held.swap_remove(index)));
        }
        Ok(())
    }

    fn refused(&mut self, finished: &Finished, _: &Refusal) -> Option<Vec<Outgoing>> {
        let record = &finished.item.as_ref()?.record;
        if finished.outputs.iter().any(|output| output.topic == dead_letters()) {
            return None;
        }
        Some(vec![Outgoing {
            topic: dead_letters(),
            value: record.value.clone(),
            ..outgoing(record)
        }])
    }

    fn state(&mut self, _: Partition, _: Offset, _: &[Finished]) -> String {
        String::new()
    }

    fn committed(&mut self, _: Vec<Finished>, _: &[(TopicName, Partition, Offset)]) {}

    fn forgotten(&mut self, partition: Partition) {
        self.held.retain(|item| item.record.partition != partition);
    }
}

fn outgoing(record: &Record) -> Outgoing {
    Outgoing {
        key: record.key.clone(),
        value: Some(Bytes::from(format!("{}/{}", record.partition, record.offset))),
        ..nothing(output(), record.partition)
    }
}

/// A record that says nothing.
pub(super) fn nothing(topic: TopicName, partition: Partition) -> Outgoing {
    Outgoing {
        topic,
        partition: Some(partition),
        key: None,
        value: None,
        headers: Headers::new(),
        timestamp: None,
    }
}

/// An item whose value is `large` has an output that no topic of the tests takes.
fn echo(item: Arc<Item>) -> Finished {
    let mut output = outgoing(&item.record);
    if item.record.value.as_deref() == Some(b"large") {
        output.headers.push("padding", Some(Bytes::from(vec![0; 2_000_000])));
    }
    Finished {
        partition: item.record.partition,
        epoch: item.epoch,
        item: Some(item),
        outputs: vec![output],
        verdict: Verdict::Done,
    }
}

/// Some lanes of one group.
pub(super) struct Fleet {
    pub(super) cluster: Cluster,
    pub(super) lanes: BTreeMap<usize, Lane<Member, Echo>>,
    pub(super) rng: SmallRng,
    /// Whether a slot's place in the group outlives its lane.
    pub(super) keeps_slots: bool,
    partitions: i32,
    owners: u64,
    sent: Vec<(Partition, Offset, Option<&'static str>)>,
    positions: HashMap<Partition, Offset>,
}

impl Fleet {
    pub(super) fn new(seed: u64, partitions: i32) -> Self {
        let cluster = Cluster::new(seed);
        for topic in [input(), output(), dead_letters()] {
            cluster.create_topic(&topic, partitions.unsigned_abs() as usize);
        }
        Self {
            cluster,
            lanes: BTreeMap::new(),
            rng: SmallRng::seed_from_u64(seed),
            keeps_slots: false,
            partitions,
            owners: 0,
            sent: Vec::new(),
            positions: HashMap::new(),
        }
    }

    /// Publishes items with keys of their partition, as a producer's partitioner would.
    pub(super) fn publish(&mut self, count: usize) {
        const KEYS: [Option<&str>; 4] = [Some("a"), Some("b"), Some("c"), None];
        for _ in 0..count {
            let partition = Partition(self.rng.random_range(0..self.partitions));
            let key = KEYS[self.rng.random_range(0..KEYS.len())];
            self.publish_one(partition, key, "small");
        }
    }

    /// Publishes items without a key.
    pub(super) fn publish_to(&mut self, partition: Partition, count: usize) {
        for _ in 0..count {
            self.publish_one(partition, None, "small");
        }
    }

    pub(super) fn publish_one(
        &mut self,
        partition: Partition,
        key: Option<&'static str>,
        value: &str,
    ) -> Offset {
        let offset = self.cluster.append(&input(), partition, key, value);
        self.sent.push((partition, offset, key));
        offset
    }

    /// Starts a lane in a slot of its own, with the slot's transactional id.
    pub(super) fn start(&mut self, slot: usize) {
        self.start_with(slot, |_| {});
    }

    /// The same, with other settings.
    pub(super) fn start_with(&mut self, slot: usize, change: impl FnOnce(&mut LaneConfig)) {
        self.owners += 1;
        let member = self.member(slot);
        let echo = Echo::new(self.rng.random());
        let mut config = config(format!("owner{}", self.owners));
        change(&mut config);
        let lane = Lane::new(member, echo, config);
        self.lanes.insert(slot, lane);
    }

    /// A member in this slot.
    pub(super) fn member(&self, slot: usize) -> Member {
        self.cluster.member_as(Identity {
            group: GROUP.to_owned(),
            topic: input(),
            transactional_id: format!("{GROUP}-{slot}"),
            slot: self.keeps_slots.then(|| slot.to_string()),
        })
    }

    /// Kills a lane's process: nothing is said to anyone.
    pub(super) fn crash(&mut self, slot: usize) {
        if let Some(mut lane) = self.lanes.remove(&slot) {
            lane.broker.crash();
        }
    }

    /// One turn of every lane, a little time, and a look at what must always hold.
    pub(super) fn turn(&mut self) -> Result<(), LaneError> {
        for lane in self.lanes.values_mut() {
            lane.turn()?;
        }
        self.cluster.advance(Duration::from_millis(5));
        self.check_positions();
        Ok(())
    }

    /// Turns until it holds.
    pub(super) fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        for turn in 0..TURNS_MAX {
            // Reading whole topics at every turn would take longer than the turns.
            if turn % 16 == 0 && holds(self) {
                return;
            }
            self.turn().expect(what);
        }
        panic!("never came to it: {what}; committed {:?}", self.outputs().len());
    }

    pub(super) fn outputs(&self) -> Vec<Record> {
        self.cluster.read_committed(&output())
    }

    /// What the guard has committed.
    pub(super) fn guard(&self, partition: i32) -> Option<String> {
        let committed = self.cluster.committed(GROUP, &input(), Partition(partition))?;
        let metadata = Metadata::parse(&committed.metadata, committed.offset);
        metadata.expect("usable metadata").map(|it| it.guard)
    }

    pub(super) fn position(&self, partition: i32) -> Option<Offset> {
        let committed = self.cluster.committed(GROUP, &input(), Partition(partition));
        committed.map(|committed| committed.offset)
    }

    /// The input is deleted and made again: positions are of another topic from now on.
    pub(super) fn make_input_anew(&mut self) {
        self.cluster.make_topic_anew(&input(), self.partitions.unsigned_abs() as usize);
        self.positions.clear();
    }

    /// Every item has an output that is committed, or a dead letter.
    pub(super) fn is_done(&self) -> bool {
        self.outputs().len() + self.cluster.read_committed(&dead_letters()).len() >= self.sent.len()
    }

    /// EO-5: no position ever goes back, and the metadata beside it can be used.
    fn check_positions(&mut self) {
        for partition in (0..self.partitions).map(Partition) {
            let committed = self.cluster.committed(GROUP, &input(), partition);
            let Some(committed) = committed else { continue };
            let before = self.positions.insert(partition, committed.offset);
            assert!(
                before <= Some(committed.offset),
                "EO-5: {partition} went back from {before:?}"
            );
            Metadata::parse(&committed.metadata, committed.offset).expect("usable metadata");
        }
    }

    /// EO-2, EO-3 and EO-6 of everything that was published.
    pub(super) fn check(&self) {
        let mut places: BTreeMap<(i32, i64), usize> = BTreeMap::new();
        let mut last: HashMap<(Partition, Bytes), i64> = HashMap::new();
        for record in self.outputs() {
            let place = place(&record);
            *places.entry(place).or_default() += 1;
            if let Some(key) = &record.key {
                let before = last.insert((record.partition, key.clone()), place.1);
                assert!(before < Some(place.1), "EO-6: {place:?} after {before:?} of key {key:?}");
            }
        }
        for record in self.cluster.read_committed(&dead_letters()) {
            assert_eq!(record.value.as_deref(), Some(&b"large"[..]), "EO-8");
        }
        assert!(places.values().all(|count| *count == 1), "EO-3: {places:?}");
        let dead = self.cluster.read_committed(&dead_letters()).len();
        assert_eq!(places.len() + dead, self.sent.len(), "EO-2");
    }
}

/// What is told of a partition in which nothing ever was.
pub(super) fn nothing_known(partition: Partition) -> PartitionFacts {
    PartitionFacts {
        partition,
        topic_id: TopicId::new(1),
        committed: None,
        siblings_committed: false,
        begun: false,
        log_start: Offset(0),
        log_end: Offset(0),
        time_offset: None,
    }
}

/// The input's place that an output names.
fn place(record: &Record) -> (i32, i64) {
    let value = record.value.as_deref().expect("an echo has a value");
    let text = std::str::from_utf8(value).expect("text");
    let (partition, offset) = text.split_once('/').expect("partition/offset");
    (partition.parse().expect("a number"), offset.parse().expect("a number"))
}

pub(super) fn config(owner: String) -> LaneConfig {
    LaneConfig {
        topic: input(),
        group: GROUP.to_owned(),
        ordering: Ordering::Key,
        start: Some(StartPolicy::Earliest),
        marks: None,
        owner,
        commit_interval: Duration::from_millis(20),
        revoke_budget: Duration::from_secs(1),
        drain_timeout: Duration::from_secs(1),
        transaction_timeout: Duration::from_secs(10),
        fenced_after: Duration::from_secs(10),
        deaths_max: Some(5),
        siblings: Default::default(),
        limits: Limits {
            in_flight_max: 50,
            in_flight_most: 50,
            waiting_max: 100,
            held_bytes_max: 1 << 30,
            batch_items_max: 20,
            batch_bytes_max: 16 << 20,
        },
    }
}
