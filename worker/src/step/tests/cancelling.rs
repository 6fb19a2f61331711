//! Partitions that move to another process.

use std::time::Duration;

use longshore_kafka::lane::step::{Epoch, Step};
use tokio::time::Instant;

use super::fixture::{FakeLane, Shared, config, done, unkeyed};

/// Counts the handlers that were dropped.
struct Dropped(Shared<u32>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.with(|count| *count += 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_is_forgotten_takes_its_handlers_along() {
    let (begun, dropped) = (Shared::<u32>::default(), Shared::<u32>::default());
    let (count, guard) = (begun.clone(), dropped.clone());
    let mut lane = FakeLane::calling(&config(), move |_, _| {
        count.with(|count| *count += 1);
        let guard = Dropped(guard.clone());
        async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            drop(guard);
            done()
        }
    });
    lane.give((0..20).map(unkeyed));
    while begun.get() < 20 {
        lane.turn().await;
    }
    lane.forget();
    let forgotten = Instant::now();
    while dropped.get() < 20 {
        assert!(forgotten.elapsed() < Duration::from_secs(1), "handlers run on");
        lane.turn().await;
    }
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        lane.turn().await;
    }
    assert_eq!(lane.finished.len(), 0, "what was cancelled has no outcome");
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_comes_back_is_worked_on_under_its_new_epoch() {
    let mut lane = FakeLane::calling(&config(), |_, cx| async move {
        match cx.origin.offset {
            0..10 => std::future::pending().await,
            _ => done(),
        }
    });
    lane.give((0..10).map(unkeyed));
    lane.turn().await;
    lane.forget();
    lane.assign();
    lane.give((10..20).map(unkeyed));
    lane.until(10).await;
    assert!(lane.finished.iter().all(|finished| finished.epoch == Epoch(2)));
}

#[tokio::test(start_paused = true)]
async fn a_partition_forgotten_before_it_was_prepared_is_not_prepared() {
    let mut lane = FakeLane::calling(&config(), |_, _| async { done() });
    lane.forget();
    assert_eq!(lane.step.prepared().unwrap(), []);
}
