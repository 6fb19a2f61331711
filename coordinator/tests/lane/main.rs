//! A join in a real lane over the model broker: it crashes at every call, and every group still has
//! exactly one result.

mod bounds;
mod pieces;
mod watched;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::Bytes;
use longshore_coordinator::gather::{OnFailed, OnLate, OnTimeout, Rules, Tolerate, When};
use longshore_coordinator::{
    JoinConfig, JoinStep, JoinTopics, JournalAnswer, JournalFrom, JournalRead, Now,
};
use longshore_handler::{Context, Group, Handler, HandlerError, Handlers, Outcome, Output};
use longshore_kafka::lane::config::{LaneConfig, Limits, Ordering};
use longshore_kafka::lane::start::StartPolicy;
use longshore_kafka::lane::{Control, LaneError, run};
use longshore_kafka::model::{Call, Cluster, Fault};
use longshore_kafka::{Outgoing, Partition, Remedy, Transaction, Transactions};
use longshore_schemas::records::{
    Expect, GroupOpen, GroupResult, GroupStatus, InboxRecord, JournalRecord, PartOutcome,
    PartStatus,
};
use longshore_schemas::{Codec, GroupId, PartId, Revision, StageName, Timestamp, TopicName};
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use tokio::runtime::Runtime;

const GROUPS: u32 = 40;
const PARTS: u32 = 3;
const TIMEOUT: Duration = Duration::from_secs(5);
const SEEDS: u64 = 300;
const TURNS_MAX: usize = 200_000;
/// Turns of the lane before gathers that wait are released: it has long read all there is by then.
const HELD_TURNS: usize = 300;

/// Joins the payloads of the parts.
struct Concatenate;

impl Handler for Concatenate {
    type Item = Group;

    async fn handle(&self, group: Group, _: &Context) -> Result<Outcome, HandlerError> {
        let payloads = group.parts.iter().filter_map(|part| part.payload.as_deref());
        Ok(Output::bytes(payloads.collect::<Vec<_>>().concat()).into())
    }
}

fn topics() -> JoinTopics {
    JoinTopics {
        inbox: "j.inbox".into(),
        journal: "j.journal".into(),
        conflicts: "j.conflicts".into(),
        orphans: "j.orphans".into(),
        late: "j.late".into(),
        cancels: "j.cancels".into(),
        results: "results".into(),
    }
}

fn join() -> JoinConfig {
    let mut handlers = Handlers::new();
    handlers.add("concatenate", Concatenate).expect("the first handler");
    join_with(&handlers)
}

/// The join whose gather is the only handler there is.
fn join_with(handlers: &Handlers) -> JoinConfig {
    let gather = handlers.iter().next().map(|(_, registered)| &registered.service);
    let gather = Arc::clone(gather.expect("it is registered"));
    JoinConfig {
        join: "j".into(),
        group: "p.j".into(),
        topics: topics(),
        rules: Rules {
            of: vec!["work".into()],
            when: When::AllEnded,
            tolerate: Tolerate::default(),
            on_failed: OnFailed::Include,
            on_timeout: OnTimeout::Partial,
            late: OnLate::Topic,
            timeout: TIMEOUT,
            orphan_timeout: Duration::from_secs(2),
            closed_retention: Duration::from_secs(600),
            closed_marks_max: 10_000,
            parts_max: 100,
            open_bytes_max: 1 << 30,
            spill_bytes_max: 0,
            replay_max: 1_000_000,
            replay_age_max: Duration::from_secs(1 << 30),
        },
        gather,
        attempts_max: 1,
        backoff_initial: Duration::from_millis(1),
        backoff_max: Duration::from_millis(1),
        concurrency: 8,
    }
}

fn lane(owner: u64) -> LaneConfig {
    LaneConfig {
        topic: topics().inbox,
        group: "p.j".into(),
        ordering: Ordering::None,
        start: Some(StartPolicy::Earliest),
        marks: None,
        owner: format!("owner{owner}"),
        commit_interval: Duration::from_millis(20),
        revoke_budget: Duration::from_secs(1),
        drain_timeout: Duration::from_secs(5),
        transaction_timeout: Duration::from_secs(10),
        fenced_after: Duration::from_secs(10),
        // Owners die from outside here, often many in a row while one gather is at work.
        deaths_max: None,
        siblings: Default::default(),
        limits: Limits {
            in_flight_max: 1_000,
            in_flight_most: 1_000,
            waiting_max: 1_000,
            held_bytes_max: 1 << 30,
            batch_items_max: 7,
            batch_bytes_max: 16 << 20,
        },
    }
}

/// A cluster with a join's topics, some groups, and what their results must be.
struct World {
    cluster: Cluster,
    rng: SmallRng,
    missing: BTreeMap<GroupId, BTreeSet<u32>>,
    join: JoinConfig,
    runtime: Runtime,
    owners: u64,
    /// Whether gathers that wait for it may end.
    released: Arc<AtomicBool>,
    ahead: watched::Ahead,
    /// Parts that must be set aside as late before a run may end.
    late: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let cluster = Cluster::new(seed);
        let topics = topics();
        for topic in [&topics.inbox, &topics.journal] {
            cluster.create_topic(topic, 2);
        }
        for topic in
            [&topics.conflicts, &topics.orphans, &topics.late, &topics.cancels, &topics.results]
        {
            cluster.create_topic(topic, 1);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .expect("a runtime");
        let rng = SmallRng::seed_from_u64(seed);
        Self {
            cluster,
            rng,
            missing: BTreeMap::new(),
            join: join(),
            runtime,
            owners: 0,
            released: Default::default(),
            ahead: Default::default(),
            late: 0,
        }
    }

    /// Opens groups, then writes their parts in any order, some twice and some never.
    fn write_groups(&mut self) {
        let mut records = Vec::new();
        let mut outcomes = Vec::new();
        for number in 0..GROUPS {
            let group = GroupId::from(format!("in/0/{number}"));
            records.push((number, opening(&group)));
            let mut missing = BTreeSet::new();
            for part in 0..PARTS {
                match self.rng.random_range(0..20) {
                    0 => drop(missing.insert(part)),
                    1 => outcomes.extend(
                        [outcome(&group, part), outcome(&group, part)].map(|it| (number, it)),
                    ),
                    _ => outcomes.push((number, outcome(&group, part))),
                }
            }
            self.missing.insert(group, missing);
        }
        outcomes.shuffle(&mut self.rng);
        records.extend(outcomes);
        for chunk in records.chunks(10) {
            write(&self.cluster, chunk);
        }
    }

    /// Runs the join until it ends by itself or every group has its result.
    fn run(&mut self) -> Result<(), LaneError> {
        self.owners += 1;
        let member = self.cluster.member("p.j", &topics().inbox, "p.j-0");
        let journal = {
            let cluster = self.cluster.clone();
            Arc::new(move |partition, from: JournalFrom, answer: JournalAnswer, _| {
                answer(Ok(read_journal(&cluster, partition, from.offset)));
            })
        };
        let clocks = {
            let cluster = self.cluster.clone();
            Arc::new(move || Now { steady: cluster.now(), wall: now(&cluster) })
        };
        let step = JoinStep::new(self.join.clone(), self.runtime.handle().clone(), journal, clocks);
        let (ahead, cluster) = (Arc::clone(&self.ahead), self.cluster.clone());
        let step = watched::Watched { step, ahead, cluster, told: BTreeMap::new() };
        let control = Control::new();
        let (all, late, mut turns) = (self.missing.len(), self.late, 0);
        let written = |topic: &TopicName| self.cluster.read_committed(topic).len();
        let released = Arc::clone(&self.released);
        run(member, step, lane(self.owners), &control, |status| {
            // Gathers run on other threads, so real time must pass beside the model's.
            std::thread::yield_now();
            turns += 1;
            assert!(turns < TURNS_MAX, "stuck: {status:?} {:?}", self.cluster.seen());
            released.store(turns > HELD_TURNS, std::sync::atomic::Ordering::Relaxed);
            if written(&topics().results) >= all && written(&topics().late) >= late {
                control.drain();
            }
        })
    }

    fn journal(&self) -> impl Iterator<Item = JournalRecord> {
        (0..2).flat_map(|partition| read_journal(&self.cluster, Partition(partition), 0).records)
    }

    fn check(&self) {
        let codec = Codec::<GroupResult>::shared().expect("a schema");
        let mut seen = BTreeSet::new();
        for record in self.cluster.read_committed(&topics().results) {
            let result = codec.decode(&record.value.expect("a value")).expect("a result");
            let missing = &self.missing[&result.group_id];
            let found: BTreeSet<u32> = result.missing.iter().map(|part| part.part_id.0).collect();
            assert_eq!(&found, missing, "{}", result.group_id);
            let complete = missing.is_empty();
            assert_eq!(result.status == GroupStatus::Complete, complete, "{result:?}");
            assert!(seen.insert(result.group_id.clone()), "{} has two results", result.group_id);
        }
        assert_eq!(seen.len(), self.missing.len());
        let closed = self.journal().filter(|record| matches!(record, JournalRecord::Closed(_)));
        assert_eq!(closed.count(), seen.len(), "one journal record for each result");
        for topic in [topics().conflicts, topics().orphans, topics().late] {
            assert_eq!(self.cluster.read_committed(&topic).len(), 0, "{topic}");
        }
    }
}

/// The time at which the model's brokers begin to count.
const EPOCH: Timestamp = Timestamp(1_800_000_000_000);

fn now(cluster: &Cluster) -> Timestamp {
    EPOCH.plus(cluster.now())
}

fn read_journal(cluster: &Cluster, partition: Partition, from: i64) -> JournalRead {
    let topic = topics().journal;
    let end = cluster.ends(&topic, partition).map_or(0, |(stable, _)| stable.0);
    let wanted =
        |record: &longshore_kafka::Record| record.partition == partition && record.offset.0 >= from;
    let records = cluster.read_committed(&topic).into_iter().filter(wanted);
    let decode = |record: longshore_kafka::Record| {
        JournalRecord::decode(&record.value.expect("a value")).expect("a journal record")
    };
    JournalRead { records: records.map(decode).collect(), end }
}

fn opening(group: &GroupId) -> InboxRecord {
    InboxRecord::Open(GroupOpen {
        group_id: group.clone(),
        run_id: None,
        revision: Revision::FIRST,
        opened_at: Timestamp(0),
        timeout: TIMEOUT,
        expect: Expect::Count(PARTS),
        parent: None,
    })
}

fn outcome(group: &GroupId, part: u32) -> InboxRecord {
    InboxRecord::Outcome(PartOutcome {
        group_id: group.clone(),
        revision: Revision::FIRST,
        opened_at: Timestamp(0),
        stage: StageName::from("work"),
        part_id: PartId(part),
        attempt: 0,
        status: PartStatus::Done,
        payload: Some(Bytes::from(format!("{part};"))),
        error: None,
    })
}

/// Writes inbox records in one transaction, each into the partition of its group.
fn write(cluster: &Cluster, records: &[(u32, InboxRecord)]) {
    let mut producer = cluster.producer("writer");
    assert!(producer.ready(Duration::from_secs(1)).expect("ready"));
    let mut transaction =
        Transaction::begin(&mut producer, Duration::from_secs(5)).expect("begins");
    for (tag, (number, record)) in records.iter().enumerate() {
        let output = Outgoing {
            topic: topics().inbox,
            partition: Some(Partition(i32::try_from(number % 2).expect("small"))),
            key: None,
            value: Some(record.encode().expect("encodes")),
            headers: Default::default(),
            timestamp: None,
        };
        transaction.produce(&output, tag).expect("taken");
    }
    transaction.deliver().expect("delivered");
    transaction.commit();
}

#[test]
fn every_group_has_one_result_and_the_missing_are_named_at_the_deadline() {
    let mut world = World::new(1);
    world.write_groups();
    world.run().expect("it drains");
    world.check();
}

#[test]
fn a_join_that_crashes_anywhere_still_gives_every_group_one_result() {
    let calls = [Call::Begin, Call::Produce, Call::SendProgress, Call::Commit, Call::Poll];
    let mut crashes = 0;
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        world.write_groups();
        let faults: Vec<_> = calls.iter().map(|call| (*call, Fault::Crash)).collect();
        world.cluster.fail_at_random(400, &faults);
        while let Err(error) = world.run() {
            crashes += 1;
            assert!(error.to_string().contains("CRASHED"), "seed {seed}: {error}");
            world.cluster.advance(Duration::from_secs(60));
            if crashes % 20 == 0 {
                world.cluster.fail_at_random(400, &[]);
            }
        }
        world.check();
    }
    assert!(crashes > SEEDS, "it crashed only {crashes} times");
}

#[test]
fn a_journal_without_progress_stops_the_join() {
    let mut world = World::new(3);
    world.write_groups();
    world.run().expect("it drains");
    for partition in [Partition(0), Partition(1)] {
        world.cluster.set_committed("p.j", &topics().inbox, partition, None);
    }
    let error = world.run().expect_err("it must not begin anew").to_string();
    assert!(error.contains("no committed progress") && error.contains("j.journal"), "{error}");
}

#[test]
fn what_is_none_of_ours_is_set_aside_and_holds_nobody_up() {
    let mut world = World::new(4);
    let inbox: TopicName = topics().inbox;
    world.cluster.append(&inbox, Partition(0), None, "not a record of ours");
    world.write_groups();
    world.run().expect("it drains");
    assert_eq!(world.cluster.read_committed(&topics().conflicts).len(), 1);
}

#[test]
fn open_groups_beyond_their_bound_stop_the_join_with_an_error_that_names_the_key() {
    let mut world = World::new(5);
    world.write_groups();
    world.join.rules.open_bytes_max = 4_000;
    let error = world.run().expect_err("the bound is far below what is written").to_string();
    for word in ["join j, partition", "`open_bytes_max` (4000 bytes)"] {
        assert!(error.contains(word), "nothing of {word}: {error}");
    }
    // Nothing is lost by it: with more room the next owner goes on.
    world.join.rules.open_bytes_max = 1 << 20;
    world.run().expect("it drains");
    world.check();
}
