//! A stage: a worker's step over items of which some fail, hang or panic.

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use longshore_handler::Handlers;
use longshore_kafka::lane::config::{LaneConfig, Ordering};
use longshore_kafka::model::Cluster;
use longshore_kafka::{Offset, Outgoing, Partition, Record, Transactions};
use longshore_schemas::{Headers, Origin, TopicName, headers};
use longshore_worker::{Retry, Route, Trust, Wiring, WorkerConfig, WorkerStep};
use rand::Rng;

use crate::deed::{ATTEMPTS_MAX, Deed, Doer, ITEM_TIMEOUT, OUTPUT_BYTES_MAX};
use crate::fleet::GROUP;
use crate::history::History;
use crate::subject::{Process, Simulated, chance, has_killers, lane, marks};

/// Tasks that share the items of a partition.
const EXECUTORS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

/// A worker's stage.
pub(crate) struct Stage {
    cluster: Cluster,
    seed: u64,
    partitions: i32,
    items: Vec<Item>,
    aborted: usize,
    begun: Arc<Mutex<BTreeMap<usize, u32>>>,
    /// Whether nothing happens in this history for which an item would be begun again.
    is_calm: bool,
}

struct Item {
    partition: Partition,
    offset: Offset,
    key: Option<&'static str>,
    deed: Deed,
}

fn input() -> TopicName {
    "items".into()
}

fn output() -> TopicName {
    "done".into()
}

fn dead_letters() -> TopicName {
    "items-dlt".into()
}

impl Stage {
    fn config(&self, owner: String) -> WorkerConfig {
        WorkerConfig {
            wiring: Wiring {
                stage: "work".into(),
                trust: Trust::Source,
                route: Route::Topic(output()),
                part_stages: Vec::new(),
                dead_letters: dead_letters(),
            },
            handler: "do".into(),
            retry: Retry {
                attempts_max: NonZeroU32::new(ATTEMPTS_MAX).unwrap_or(NonZeroU32::MIN),
                backoff_initial: Duration::ZERO,
                backoff_max: Duration::ZERO,
            },
            item_timeout: ITEM_TIMEOUT,
            concurrency: NonZeroUsize::MIN.saturating_add(7),
            executors: EXECUTORS,
            lane: lane(self.seed, input(), owner, Ordering::Key),
        }
    }

    /// Where an item goes, and its key: those of a key are in one partition.
    fn place(&self, number: usize) -> (Partition, Option<&'static str>) {
        const KEYS: [Option<&str>; 4] = [Some("a"), Some("b"), Some("c"), None];
        let mut chance = chance(!self.seed, number);
        let partition = Partition(chance.random_range(0..self.partitions));
        (partition, KEYS[chance.random_range(0..KEYS.len())])
    }

    /// What is written of each item that anything is written of: how many outputs, how many dead
    /// letters. EO-6 on the way.
    fn written(&self) -> Result<BTreeMap<(Partition, Offset), (u32, u32)>> {
        let mut written: BTreeMap<_, (u32, u32)> = BTreeMap::new();
        let (mut last, mut seen) = (BTreeMap::new(), BTreeSet::new());
        self.each_decided(&output(), |record| {
            let origin = origin(record)?;
            let of = (Partition(origin.partition), Offset(origin.offset));
            ensure!(seen.insert((of, origin.index)), "EO-3: {origin} is written twice");
            written.entry(of).or_default().0 += 1;
            if let Some(key) = &record.key {
                let place = (of.0, record.partition, key.clone());
                let before = last.insert(place, (of.1, origin.index));
                ensure!(before < Some((of.1, origin.index)), "EO-6: {origin} stands too late");
            }
            Ok(())
        })?;
        self.each_decided(&dead_letters(), |record| {
            let origin = origin(record)?;
            let of = (Partition(origin.partition), Offset(origin.offset));
            written.entry(of).or_default().1 += 1;
            Ok(())
        })?;
        Ok(written)
    }

    fn each_decided(
        &self,
        topic: &TopicName,
        mut look: impl FnMut(&Record) -> Result<()>,
    ) -> Result<()> {
        let mut looked = Ok(());
        self.cluster.visit_decided(topic, |record| {
            if looked.is_ok() {
                looked = look(record);
            }
        });
        looked
    }
}

fn origin(record: &Record) -> Result<Origin> {
    let found = record.headers.parse(headers::ORIGIN);
    found.with_context(|| format!("a record without an origin: {record:?}"))
}

impl Simulated for Stage {
    type Step = WorkerStep;

    const TASKS_OF_A_PARTITION: usize = EXECUTORS.get();

    fn new(history: &History, cluster: &Cluster) -> Self {
        cluster.create_topic(&marks(), 1);
        for topic in [input(), output(), dead_letters()] {
            cluster.create_topic(&topic, history.partitions.unsigned_abs() as usize);
        }
        cluster.limit_messages(&output(), OUTPUT_BYTES_MAX);
        Self {
            cluster: cluster.clone(),
            seed: history.seed,
            partitions: history.partitions,
            items: Vec::new(),
            aborted: 0,
            begun: Arc::default(),
            is_calm: history.is_calm() && !has_killers(history.seed),
        }
    }

    fn input(&self) -> TopicName {
        input()
    }

    fn outputs(&self) -> Vec<TopicName> {
        vec![output(), dead_letters()]
    }

    fn step(&mut self, process: Process) -> WorkerStep {
        let (killed, begun) = (process.killed, Arc::clone(&self.begun));
        let mut handlers = Handlers::new();
        handlers.add("do", Doer { seed: self.seed, killed, begun }).expect("the first of its name");
        let handler = handlers.get("do").expect("it was added");
        let config = self.config(String::new());
        WorkerStep::new(&config, Arc::clone(&handler.service), process.runtime)
    }

    fn lane(&self, owner: String) -> LaneConfig {
        self.config(owner).lane
    }

    fn publish(&mut self, count: usize) {
        for _ in 0..count {
            let number = self.items.len();
            let (partition, key) = self.place(number);
            let value = number.to_string();
            let offset = self.cluster.append(&input(), partition, key, &value);
            let deed = Deed::of(self.seed, number);
            self.items.push(Item { partition, offset, key, deed });
        }
    }

    fn publish_aborted(&mut self, count: usize) {
        let mut producer = self.cluster.producer("source");
        let wait = Duration::from_secs(1);
        // While markers are held, nobody can write in transactions.
        if !producer.ready(wait).unwrap_or_default() || producer.begin().is_err() {
            return;
        }
        for tag in 0..count {
            self.aborted += 1;
            let (partition, key) = self.place(self.aborted);
            let output = Outgoing {
                topic: input(),
                partition: Some(partition),
                key: key.map(|key| Bytes::from_static(key.as_bytes())),
                value: Some(Bytes::from_static(b"aborted")),
                headers: Headers::new(),
                timestamp: None,
            };
            let _taken = producer.produce(&output, tag);
        }
        let _pending = producer.deliveries(wait);
        let _aborted = producer.abort(wait);
    }

    fn serve(&mut self) {}

    fn done_with(&mut self, partition: Partition) -> Option<Offset> {
        self.cluster.committed(GROUP, &input(), partition).map(|it| it.offset)
    }

    /// EO-1 to EO-4 and EO-8: exactly what progress calls finished has what it comes to.
    fn check(&mut self, finished: &dyn Fn(Partition, Offset) -> bool) -> Result<()> {
        let mut written = self.written()?;
        for item in &self.items {
            let found = written.remove(&(item.partition, item.offset)).unwrap_or_default();
            let (outputs, dead) = item.deed.comes_to();
            let finished = finished(item.partition, item.offset);
            let wanted = if finished { (outputs, u32::from(dead)) } else { (0, 0) };
            ensure!(
                found == wanted,
                "EO-1: {}/{} (key {:?}, {:?}, finished: {finished}) has (outputs, dead letters) \
                 {found:?}, not {wanted:?}",
                item.partition,
                item.offset,
                item.key,
                item.deed
            );
        }
        ensure!(written.is_empty(), "EO-4: outputs of what nobody published: {written:?}");
        Ok(())
    }

    /// Where nothing had happened, every item was begun once. Histories with outputs that are
    /// refused don't count: while those are found one by one, a partition that is asked back may
    /// run out of time with others ready.
    fn check_actions(&mut self) -> Result<()> {
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let hangs = |number: &usize| self.items[*number].deed == Deed::Hangs;
        let again = begun.iter().find(|(number, times)| **times > 1 && !hangs(number));
        let refused = self.items.iter().any(|item| item.deed == Deed::Oversized);
        ensure!(
            again.is_none() || !self.is_calm || refused,
            "an item was begun again although nothing had happened: (number, times) {again:?}"
        );
        Ok(())
    }

    /// Items given up for killing.
    fn rare(&self) -> u64 {
        let dead = self.cluster.read_committed(&dead_letters());
        let kills = |it: &&Record| it.headers.text(headers::ERROR_CLASS) == Some("crash");
        dead.iter().filter(kills).count() as u64
    }

    /// A stage holds no more than its lane does.
    fn spilled(&self) -> u64 {
        0
    }

    fn is_done(&mut self) -> Result<bool> {
        let mut ended = 0;
        for (outputs, dead) in self.written()?.into_values() {
            ended += usize::from(outputs + dead > 0);
        }
        let wanted = self.items.iter().filter(|item| item.deed.comes_to() != (0, false)).count();
        Ok(ended >= wanted && self.positions_are_at_the_end())
    }

    fn check_end(&mut self) -> Result<()> {
        self.check(&|_, _| true)
    }
}

impl Stage {
    /// Every position is at the end of its partition, behind markers and what was aborted.
    fn positions_are_at_the_end(&self) -> bool {
        self.items.iter().all(|item| {
            let committed = self.cluster.committed(GROUP, &input(), item.partition);
            let end = self.cluster.ends(&input(), item.partition).map(|(_, end)| end);
            committed.map(|it| it.offset) == end
        })
    }
}
