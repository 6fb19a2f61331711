//! A join: a coordinator's step over groups of which some are never complete.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering as Atomic};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, ensure};
use longshore_coordinator::gather::{OnFailed, OnLate, OnTimeout, Rules, Tolerate, When};
use longshore_coordinator::{
    JoinConfig, JoinState, JoinStep, JoinTopics, JournalAnswer, JournalFrom, JournalRead, Now,
};
use longshore_handler::Handlers;
use longshore_kafka::lane::config::{LaneConfig, Ordering};
use longshore_kafka::lane::progress::Metadata;
use longshore_kafka::model::Cluster;
use longshore_kafka::{Offset, Outgoing, Partition, Record, Transactions};
use longshore_schemas::records::JournalRecord;
use longshore_schemas::{Headers, TopicName};
use rand::seq::IndexedRandom;

use crate::fleet::GROUP;
use crate::gathering::Gatherer;
use crate::history::History;
use crate::inbox::{Fate, Inbox, SPILLED, STAGES, TIMEOUT};
use crate::oracle::{Oracle, aside_line, cancel_line, result_line};
use crate::subject::{Process, Simulated, chance, lane, marks, spills};

/// More than a record takes in memory whose payload is spilled or small.
const RECORD_BYTES: usize = 600;

/// A coordinator's join.
pub(crate) struct Join {
    cluster: Cluster,
    seed: u64,
    partitions: i32,
    topics: JoinTopics,
    inbox: Inbox,
    oracles: Vec<Oracle>,
    questions: Arc<Mutex<Vec<Question>>>,
    /// Spilled payloads that are to be read back, and how often some were.
    reads: Arc<Mutex<Vec<ReadBack>>>,
    spilled: u64,
    rules: Rules,
    /// What was written, line by line.
    written: BTreeSet<String>,
    /// How far which partition was read.
    followed: BTreeMap<(TopicName, Partition), Offset>,
}

/// Reads the spilled payloads of a group.
type ReadBack = Box<dyn FnOnce() + Send>;

/// The journal is to be read up to the end that it had when this was asked.
struct Question {
    partition: Partition,
    from: JournalFrom,
    end: Offset,
    answer: JournalAnswer,
}

fn topics() -> JoinTopics {
    JoinTopics {
        inbox: "inbox".into(),
        journal: "journal".into(),
        conflicts: "conflicts".into(),
        orphans: "orphans".into(),
        late: "late".into(),
        cancels: "cancels".into(),
        results: "results".into(),
    }
}

fn rules(history: &History) -> Rules {
    let seed = history.seed;
    // What can't be spilled has room, and any one record beside it: no join stops for want of it.
    let little = history.records() * RECORD_BYTES + SPILLED.end;
    let (open_bytes_max, spill_bytes_max) = match spills(seed) {
        true => (little, 1 << 30),
        false => (1 << 30, 0),
    };
    let mut chance = chance(seed, usize::MAX - 1);
    let when = [When::AllEnded, When::AllDone, When::AnyDone, When::Quorum(2)];
    let on_failed = [OnFailed::Include, OnFailed::Drop, OnFailed::FailFast];
    let on_timeout = [OnTimeout::Partial, OnTimeout::Fail];
    Rules {
        of: STAGES.map(Into::into).to_vec(),
        when: when.choose(&mut chance).cloned().unwrap_or(When::AllEnded),
        tolerate: Tolerate::default(),
        on_failed: on_failed.choose(&mut chance).copied().unwrap_or(OnFailed::Include),
        on_timeout: on_timeout.choose(&mut chance).copied().unwrap_or(OnTimeout::Partial),
        late: OnLate::Topic,
        timeout: TIMEOUT,
        orphan_timeout: Duration::from_secs(2),
        closed_retention: Duration::from_secs(1_000_000),
        closed_marks_max: 10_000,
        parts_max: 100,
        open_bytes_max,
        spill_bytes_max,
        replay_max: [3, 8, 1_000_000].choose(&mut chance).copied().unwrap_or(3),
        replay_age_max: Duration::from_secs(1_000_000),
    }
}

fn config(seed: u64, rules: Rules, killed: Arc<AtomicBool>) -> JoinConfig {
    let mut handlers = Handlers::new();
    handlers.add("gather", Gatherer { seed, killed }).expect("the first of its name");
    let gather = handlers.get("gather").expect("it was added");
    JoinConfig {
        join: "join".into(),
        group: GROUP.into(),
        topics: topics(),
        rules,
        gather: Arc::clone(&gather.service),
        attempts_max: 2,
        backoff_initial: Duration::from_millis(100),
        backoff_max: Duration::from_millis(100),
        concurrency: 4,
    }
}

impl Join {
    fn write(&mut self, producer: Option<&mut impl Transactions>, tag: usize) {
        let fate = if producer.is_some() { Fate::Aborted } else { Fate::Read };
        let (partition, record) = self.inbox.next(&self.cluster, fate);
        let foreign = || b"not a record of ours".to_vec().into();
        let value = record.and_then(|it| it.encode().ok()).unwrap_or_else(foreign);
        let output = Outgoing {
            topic: self.topics.inbox.clone(),
            partition: Some(partition),
            key: None,
            value: Some(value),
            headers: Headers::new(),
            timestamp: None,
        };
        match producer {
            Some(producer) => drop(producer.produce(&output, tag)),
            None => drop(self.cluster.write(&output)),
        }
    }

    /// The oracles read what can be read by now, and so do we what was written. No line is there
    /// twice.
    fn read_on(&mut self) -> Result<()> {
        let topics = self.topics.clone();
        for record in self.follow(&topics.inbox, self.partitions) {
            let oracle = &mut self.oracles[record.partition.0.unsigned_abs() as usize];
            oracle.read(self.seed, &record);
        }
        let seed = self.seed;
        let result = move |record: &Record| result_line(seed, record);
        self.read_lines(&topics.results, result)?;
        for topic in [&topics.late, &topics.conflicts, &topics.orphans] {
            self.read_lines(topic, aside_line)?;
        }
        self.read_lines(&topics.cancels, cancel_line)
    }

    fn read_lines(
        &mut self,
        topic: &TopicName,
        line: impl Fn(&Record) -> Result<String>,
    ) -> Result<()> {
        for record in self.follow(topic, 1) {
            let line = line(&record)?;
            let said = self.oracles.iter().any(|oracle| oracle.lines().contains(&line));
            ensure!(said, "EO-2: nobody could know this: {line}");
            ensure!(self.written.insert(line.clone()), "EO-3: twice: {line}");
        }
        Ok(())
    }

    /// What can be read of a topic that hasn't been read.
    fn follow(&mut self, topic: &TopicName, partitions: i32) -> Vec<Record> {
        let mut records = Vec::new();
        for partition in (0..partitions).map(Partition) {
            let next = self.followed.entry((topic.clone(), partition)).or_insert(Offset(0));
            let new = self.cluster.read_on(topic, partition, *next);
            if let Some(last) = new.last() {
                *next = last.offset.next();
            }
            records.extend(new);
        }
        records
    }

    fn state(&self, partition: Partition) -> Option<(Offset, JoinState)> {
        let committed = self.cluster.committed(GROUP, &self.topics.inbox, partition)?;
        let metadata = Metadata::parse(&committed.metadata, committed.offset).ok()??;
        Some((committed.offset, metadata.state.parse().ok()?))
    }

    fn answer(&self, question: Question) {
        let Question { partition, from, end, answer } = question;
        let journal = self.cluster.read_committed(&self.topics.journal);
        let mut records: Vec<Record> =
            journal.into_iter().filter(|it| it.partition == partition && it.offset < end).collect();
        let in_time = |it: &Record| from.since.is_some_and(|since| it.timestamp >= Some(since));
        let begin = records.iter().position(|it| it.offset.0 >= from.offset || in_time(it));
        let needed = records.split_off(begin.unwrap_or(records.len()));
        let decode = |it: Record| JournalRecord::decode(it.value.as_deref().unwrap_or_default());
        let decoded: Result<Vec<_>, _> = needed.into_iter().map(decode).collect();
        let read = decoded.map(|records| JournalRead { records, end: end.0 });
        answer(read.map_err(Into::into));
    }
}

impl Simulated for Join {
    type Step = JoinStep;

    const TASKS_OF_A_PARTITION: usize = 0;

    fn new(history: &History, cluster: &Cluster) -> Self {
        let (seed, partitions) = (history.seed, history.partitions);
        let (topics, rules) = (topics(), rules(history));
        cluster.create_topic(&marks(), 1);
        for topic in [&topics.inbox, &topics.journal] {
            cluster.create_topic(topic, partitions.unsigned_abs() as usize);
        }
        let others =
            [&topics.conflicts, &topics.orphans, &topics.late, &topics.cancels, &topics.results];
        others.into_iter().for_each(|topic| cluster.create_topic(topic, 1));
        Self {
            cluster: cluster.clone(),
            seed,
            partitions,
            topics,
            inbox: Inbox::new(seed, partitions),
            oracles: (0..partitions).map(|_| Oracle::new(rules.clone())).collect(),
            questions: Arc::default(),
            reads: Arc::default(),
            spilled: 0,
            rules,
            written: BTreeSet::new(),
            followed: BTreeMap::new(),
        }
    }

    fn input(&self) -> TopicName {
        self.topics.inbox.clone()
    }

    fn outputs(&self) -> Vec<TopicName> {
        let JoinTopics { results, journal, inbox, .. } = self.topics.clone();
        vec![results, journal, inbox]
    }

    fn step(&mut self, process: Process) -> JoinStep {
        let questions = Arc::clone(&self.questions);
        let (cluster, journal) = (process.cluster.clone(), self.topics.journal.clone());
        let read_journal = move |partition, from, answer: JournalAnswer, _| {
            let ends = cluster.ends(&journal, partition);
            let end = ends.map_or(Offset(0), |(_, end)| end);
            let question = Question { partition, from, end, answer };
            questions.lock().unwrap_or_else(PoisonError::into_inner).push(question);
        };
        let clocks = move || {
            let off = process.clock.load(Atomic::Relaxed);
            let by = Duration::from_millis(off.unsigned_abs());
            let now = process.cluster.timestamp();
            let wall = if off < 0 { now.minus(by) } else { now.plus(by) };
            Now { steady: process.cluster.now(), wall }
        };
        let reads = Arc::clone(&self.reads);
        let block = move |read| reads.lock().unwrap_or_else(PoisonError::into_inner).push(read);
        let config = config(self.seed, self.rules.clone(), process.killed);
        JoinStep::new(config, process.runtime, Arc::new(read_journal), Arc::new(clocks))
            .blocking_by(Arc::new(block))
    }

    fn lane(&self, owner: String) -> LaneConfig {
        lane(self.seed, self.topics.inbox.clone(), owner, Ordering::None)
    }

    fn publish(&mut self, count: usize) {
        for tag in 0..count {
            self.write(None::<&mut longshore_kafka::model::Producer>, tag);
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
            self.write(Some(&mut producer), tag);
        }
        let _pending = producer.deliveries(wait);
        let _aborted = producer.abort(wait);
    }

    fn serve(&mut self) {
        let reads = std::mem::take(&mut *self.reads.lock().unwrap_or_else(PoisonError::into_inner));
        self.spilled += reads.len() as u64;
        reads.into_iter().for_each(|read| read());
        let asked =
            std::mem::take(&mut *self.questions.lock().unwrap_or_else(PoisonError::into_inner));
        if asked.is_empty() {
            return;
        }
        let (ready, waiting): (Vec<_>, Vec<_>) = asked.into_iter().partition(|question| {
            let ends = self.cluster.ends(&self.topics.journal, question.partition);
            ends.is_some_and(|(stable, _)| stable >= question.end)
        });
        self.questions.lock().unwrap_or_else(PoisonError::into_inner).extend(waiting);
        ready.into_iter().for_each(|question| self.answer(question));
    }

    fn done_with(&mut self, partition: Partition) -> Option<Offset> {
        let (position, state) = self.state(partition)?;
        let low = Offset(state.low).min(position);
        // What nobody needs any more, the oracle may still have to read.
        let read = self.followed.get(&(self.topics.inbox.clone(), partition)).copied();
        read.map(|read| low.min(read))
    }

    /// Nothing is written that the oracle doesn't say.
    fn check(&mut self, _: &dyn Fn(Partition, Offset) -> bool) -> Result<()> {
        self.read_on()
    }

    fn check_actions(&mut self) -> Result<()> {
        Ok(())
    }

    /// Groups carried.
    fn rare(&self) -> u64 {
        let journal = self.cluster.read_committed(&self.topics.journal);
        let carried = |it: &&Record| {
            let record = JournalRecord::decode(it.value.as_deref().unwrap_or_default());
            matches!(record, Ok(JournalRecord::Carried(_)))
        };
        journal.iter().filter(carried).count() as u64
    }

    fn spilled(&self) -> u64 {
        self.spilled
    }

    fn is_done(&mut self) -> Result<bool> {
        self.read_on()?;
        let wanted: usize = self.oracles.iter().map(|oracle| oracle.lines().len()).sum();
        Ok(self.written.len() >= wanted && self.oracles.iter().all(Oracle::is_at_rest))
    }

    fn check_end(&mut self) -> Result<()> {
        self.read_on()?;
        for oracle in &self.oracles {
            let missing: Vec<_> = oracle.lines().difference(&self.written).collect();
            ensure!(missing.is_empty(), "EO-2: never written: {missing:?}");
        }
        let ends = |it: &Record| {
            let record = JournalRecord::decode(it.value.as_deref().unwrap_or_default());
            matches!(record, Ok(JournalRecord::Closed(_) | JournalRecord::Orphaned(_)))
        };
        let journal = self.cluster.read_committed(&self.topics.journal);
        let journal = journal.iter().filter(|it| ends(it)).count();
        let told = |line: &&String| line.starts_with("result") || line.starts_with("aside Orphan");
        let wanted = self.written.iter().filter(told).count();
        ensure!(journal == wanted, "EO-1: {journal} records of the journal for {wanted} results");
        Ok(())
    }
}
