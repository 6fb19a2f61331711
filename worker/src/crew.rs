//! The tasks that work on the items of one partition, as long as it is ours.

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use longshore_kafka::lane::step::{Finished, Item};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::error::Stuck;
use crate::workshop::Workshop;

/// What comes of an item.
pub(crate) type Worked = Result<Finished, Stuck>;

/// Outcomes sent back at once, at most.
const BATCH_MAX: usize = 256;
/// Items begun before it is looked what else has ended: handlers that compute hold up their
/// neighbours for as long.
const BEGUN_MAX: usize = 64;

/// A few tasks that share the items of a partition. Handing over a batch costs one message a task,
/// and no task is made for an item: that is five times as fast. Dropping the crew drops whatever it
/// works on.
pub(crate) struct Crew {
    executors: Vec<Executor>,
    /// Whose turn it is, so that single items go round.
    next: usize,
}

struct Executor {
    batches: mpsc::Sender<Vec<Arc<Item>>>,
    task: AbortOnDropHandle<()>,
}

impl Crew {
    /// So many executors, whose outcomes go to `outcomes`. `in_flight_max` bounds the items that
    /// they are ever given at once, and so the batches that wait.
    pub(crate) fn begin(
        workshop: &Arc<Workshop>,
        outcomes: &mpsc::Sender<Vec<Worked>>,
        executors: usize,
        in_flight_max: usize,
        runtime: &Handle,
    ) -> Self {
        let executor = |_| {
            let (batches, queue) = mpsc::channel(in_flight_max);
            let task = execute(Arc::clone(workshop), queue, outcomes.clone());
            Executor { batches, task: AbortOnDropHandle::new(runtime.spawn(task)) }
        };
        Self { executors: (0..executors).map(executor).collect(), next: 0 }
    }

    /// Hands items over, in equal shares.
    pub(crate) fn hand_over(&mut self, items: Vec<Arc<Item>>) -> Result<(), Stuck> {
        let share = items.len().div_ceil(self.executors.len());
        let mut items = items.into_iter();
        while items.len() > 0 {
            let batch = items.by_ref().take(share).collect();
            let executor = &self.executors[self.next];
            self.next = (self.next + 1) % self.executors.len();
            // It is never full: as many batches fit as there are items in flight.
            let sent = executor.batches.try_send(batch);
            sent.map_err(|_| Stuck::ExecutorEnded)?;
        }
        Ok(())
    }

    /// Whether every task still runs: handlers don't end one, even by a panic.
    pub(crate) fn check(&self) -> Result<(), Stuck> {
        let ended = self.executors.iter().any(|each| each.task.is_finished());
        if ended { Err(Stuck::ExecutorEnded) } else { Ok(()) }
    }
}

/// Works on whatever comes, all of it at once, until nobody wants the outcomes.
async fn execute(
    workshop: Arc<Workshop>,
    mut queue: mpsc::Receiver<Vec<Arc<Item>>>,
    outcomes: mpsc::Sender<Vec<Worked>>,
) {
    let mut waiting = Vec::new().into_iter();
    let mut running = FuturesUnordered::new();
    loop {
        let mut ended = Vec::new();
        if waiting.len() == 0 {
            tokio::select! {
                // What comes in is bounded by what goes out, so neither can starve the other; and a
                // simulation needs the same order each time.
                biased;
                batch = queue.recv() => match batch {
                    Some(items) => waiting = items.into_iter(),
                    None => return,
                },
                Some(first) = running.next() => ended.push(first),
            }
        }
        for item in waiting.by_ref().take(BEGUN_MAX) {
            begin(&workshop, item, &running, &mut ended);
        }
        while ended.len() < BATCH_MAX
            && let Some(Some(worked)) = running.next().now_or_never()
        {
            ended.push(worked);
        }
        if !ended.is_empty() && outcomes.send(ended).await.is_err() {
            return;
        }
        if waiting.len() > 0 {
            tokio::task::yield_now().await;
        }
    }
}

/// Begins the work on an item. One whose handler has nothing to wait for ends with it, and never
/// becomes a task among others, which would be half of the work on it.
fn begin(
    workshop: &Arc<Workshop>,
    item: Arc<Item>,
    running: &FuturesUnordered<BoxFuture<'static, Worked>>,
    ended: &mut Vec<Worked>,
) {
    let workshop = Arc::clone(workshop);
    let mut work = async move { workshop.work(item).await }.boxed();
    match (&mut work).now_or_never() {
        Some(worked) => ended.push(worked),
        None => running.push(work),
    }
}
