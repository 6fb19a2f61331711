//! Longshore as it is measured: a fleet whose handler passes each item on, after a wait if it is
//! told to wait (`BENCH_WORK_MILLIS`), and whose gather makes one record of a group's items.

use std::process::ExitCode;
use std::time::Duration;

use longshore::prelude::*;
use longshore_bench::{Gathered, PART_STAGE, Work};

/// Passes items on.
struct Relay {
    work: Option<Duration>,
}

impl Handler for Relay {
    type Item = Work;

    async fn handle(&self, item: Work, _: &Context) -> Result<Outcome, HandlerError> {
        if let Some(work) = self.work {
            tokio::time::sleep(work).await;
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
    let millis = std::env::var("BENCH_WORK_MILLIS").ok().and_then(|it| it.parse().ok());
    let work = millis.filter(|millis| *millis > 0).map(Duration::from_millis);
    Fleet::new()
        .item::<Work>("Work")
        .handler("relay", Relay { work })
        .handler("gather", Gather)
        .main()
}
