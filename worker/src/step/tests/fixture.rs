//! The lane, and a stage whose handler is a closure.

use std::collections::{HashSet, VecDeque};
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use longshore_handler::{Context, Handler, HandlerError, Handlers, Outcome, Output, RawItem};
use longshore_kafka::lane::config::{LaneConfig, Limits, Ordering};
use longshore_kafka::lane::step::{Assignment, Epoch, Finished, Item, Step};
use longshore_kafka::{Offset, Partition, Record};
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::{Retry, Route, WorkerConfig, WorkerStep, samples};

/// Longer than any test takes, by the paused clock.
const DEADLINE: Duration = Duration::from_secs(1_000);

/// The stage `price`: five attempts of ten seconds, pauses from a second up to four.
pub(super) fn config() -> WorkerConfig {
    WorkerConfig {
        wiring: samples::wiring(Route::Topic("priced".into())),
        handler: "price".into(),
        retry: Retry {
            attempts_max: NonZeroU32::new(5).unwrap(),
            backoff_initial: Duration::from_secs(1),
            backoff_max: Duration::from_secs(4),
        },
        item_timeout: Duration::from_secs(10),
        concurrency: NonZeroUsize::new(64).unwrap(),
        executors: NonZeroUsize::new(2).unwrap(),
        lane: LaneConfig {
            topic: "lines".into(),
            group: "orders.price".into(),
            ordering: Ordering::Key,
            start: None,
            marks: None,
            owner: "test".into(),
            commit_interval: Duration::ZERO,
            revoke_budget: Duration::ZERO,
            drain_timeout: Duration::ZERO,
            transaction_timeout: Duration::ZERO,
            fenced_after: Duration::ZERO,
            deaths_max: Some(5),
            siblings: Default::default(),
            limits: Limits {
                in_flight_max: 1_000,
                in_flight_most: 1_000,
                waiting_max: 1_000,
                held_bytes_max: 1 << 20,
                batch_items_max: 1_000,
                batch_bytes_max: 1 << 20,
            },
        },
    }
}

/// A handler that is a closure.
struct Scripted<F>(F);

impl<F, A> Handler for Scripted<F>
where
    F: Fn(RawItem, Context) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Outcome, HandlerError>> + Send + 'static,
{
    type Item = RawItem;

    async fn handle(&self, item: RawItem, cx: &Context) -> Result<Outcome, HandlerError> {
        (self.0)(item, cx.clone()).await
    }
}

/// A value that handlers add to and tests read.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared<T>(Arc<Mutex<T>>);

impl<T: Clone> Shared<T> {
    pub(super) fn with<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn get(&self) -> T {
        self.with(|value| value.clone())
    }
}

/// Owns partitions 3 and 4, and hands out at most one item of a key at a time.
pub(super) struct FakeLane {
    pub(super) step: WorkerStep,
    epochs: u64,
    waiting: VecDeque<Arc<Item>>,
    busy: HashSet<Bytes>,
    pub(super) finished: Vec<Finished>,
}

impl FakeLane {
    /// A lane whose stage calls the closure.
    pub(super) fn calling<F, A>(config: &WorkerConfig, handle: F) -> Self
    where
        F: Fn(RawItem, Context) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Outcome, HandlerError>> + Send + 'static,
    {
        Self::with(config, Scripted(handle))
    }

    pub(super) fn with(config: &WorkerConfig, handler: impl Handler) -> Self {
        let mut handlers = Handlers::new();
        handlers.add("price", handler).unwrap();
        let service = Arc::clone(&handlers.get("price").unwrap().service);
        let mut lane = Self {
            step: WorkerStep::new(config, service, Handle::current()),
            epochs: 0,
            waiting: VecDeque::new(),
            busy: HashSet::new(),
            finished: Vec::new(),
        };
        lane.assign();
        lane
    }

    /// Takes both partitions over, under a new epoch.
    pub(super) fn assign(&mut self) {
        self.epochs += 1;
        for partition in [3, 4] {
            self.step.assigned(&Assignment {
                partition: Partition(partition),
                epoch: Epoch(self.epochs),
                position: Offset(0),
                state: String::new(),
            });
        }
        let prepared = self.step.prepared().unwrap();
        assert_eq!(prepared.len(), 2, "a worker is prepared at once");
        assert!(prepared.iter().all(|it| it.from == Offset(0)));
    }

    /// Gives both partitions back.
    pub(super) fn forget(&mut self) {
        self.step.forgotten(Partition(3));
        self.step.forgotten(Partition(4));
        self.waiting.clear();
        self.busy.clear();
    }

    pub(super) fn give(&mut self, records: impl IntoIterator<Item = Record>) {
        for record in records {
            let epoch = Epoch(self.epochs);
            self.waiting.push_back(Arc::new(Item { epoch, record }));
        }
    }

    /// Hands out a record that has killed so many processes.
    pub(super) fn give_up(&mut self, record: Record, deaths: u32) {
        let epoch = Epoch(self.epochs);
        self.step.give_up(Arc::new(Item { epoch, record }), deaths);
    }

    /// One turn: hands out what may begin, takes what has ended.
    pub(super) async fn turn(&mut self) {
        for item in std::mem::take(&mut self.waiting) {
            match item.record.key.clone() {
                Some(key) if !self.busy.insert(key.clone()) => self.waiting.push_back(item),
                _ => self.step.take(item),
            }
        }
        let mut outcomes = Vec::new();
        self.step.flush().unwrap();
        self.step.collect(&mut outcomes).unwrap();
        for finished in outcomes {
            let item = finished.item.as_ref().expect("a worker does nothing unasked");
            if let Some(key) = &item.record.key {
                assert!(self.busy.remove(key), "an item ends once");
            }
            self.finished.push(finished);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    /// Turns until so many items have ended.
    pub(super) async fn until(&mut self, count: usize) {
        let begun = Instant::now();
        while self.finished.len() < count {
            assert!(begun.elapsed() < DEADLINE, "{} of {count} ended", self.finished.len());
            self.turn().await;
        }
        assert_eq!(self.finished.len(), count);
    }

    /// The outcome of the item at an offset.
    pub(super) fn of(&self, offset: i64) -> &Finished {
        let is_it = |it: &&Finished| it.offset() == Some(Offset(offset));
        self.finished.iter().find(is_it).expect("it has ended")
    }
}

/// A record with this key.
pub(super) fn keyed(offset: i64, key: &str) -> Record {
    Record { key: Some(Bytes::copy_from_slice(key.as_bytes())), ..samples::record(offset) }
}

/// A record without a key.
pub(super) fn unkeyed(offset: i64) -> Record {
    Record { key: None, ..samples::record(offset) }
}

/// The handler is done.
pub(super) fn done() -> Result<Outcome, HandlerError> {
    Ok(Output::bytes("out").into())
}
