//! Longshore as it is measured: a fleet whose handler passes each item on, after a wait if it is
//! told to wait (`BENCH_WORK_MILLIS`), and whose gather makes one record of a group's items. One
//! item takes long (`BENCH_HELD_MILLIS`), once others were at work (`BENCH_HELD_AFTER_MILLIS`).

use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use longshore::prelude::*;
use longshore_bench::{Gathered, HELD, PART_STAGE, Work};

/// Passes items on.
struct Relay {
    work: Option<Duration>,
    held: Option<Held>,
}

/// The item that takes long.
struct Held {
    after: Duration,
    millis: Duration,
    /// When the first of all items was begun.
    began: OnceLock<Instant>,
    is_over: AtomicBool,
}

impl Held {
    /// Whether it is this one that is begun now.
    fn is_this(&self) -> bool {
        if self.is_over.load(Ordering::Relaxed) {
            return false;
        }
        let began = *self.began.get_or_init(Instant::now);
        began.elapsed() >= self.after && !self.is_over.swap(true, Ordering::Relaxed)
    }
}

impl Handler for Relay {
    type Item = Work;

    async fn handle(&self, mut item: Work, _: &Context) -> Result<Outcome, HandlerError> {
        if let Some(work) = self.work {
            tokio::time::sleep(work).await;
        }
        if let Some(held) = self.held.as_ref().filter(|held| held.is_this()) {
            item.sent = HELD;
            tokio::time::sleep(held.millis).await;
        }
        Outcome::done(&item)
    }
}

/// Puts the items of a group into one record.
struct Gather;

impl Handler for Gather {
    type Item = Group;

    async fn handle(&self, group: Group, _: &Context) -> Result<Outcome, HandlerError> {
        let items = group.decode::<Work>(PART_STAGE)?;
        Outcome::done(&Gathered::of(items.into_iter().map(|(_, item)| item)))
    }
}

fn main() -> ExitCode {
    let held = told("BENCH_HELD_MILLIS").map(|millis| Held {
        after: told("BENCH_HELD_AFTER_MILLIS").unwrap_or_default(),
        millis,
        began: OnceLock::new(),
        is_over: AtomicBool::new(false),
    });
    let work = told("BENCH_WORK_MILLIS");
    Fleet::new()
        .item::<Work>("Work")
        .handler("relay", Relay { work, held })
        .handler("gather", Gather)
        .main()
}

/// A time that the environment tells, if it is any.
fn told(name: &str) -> Option<Duration> {
    let millis = std::env::var(name).ok().and_then(|it| it.parse().ok());
    millis.filter(|millis| *millis > 0).map(Duration::from_millis)
}
