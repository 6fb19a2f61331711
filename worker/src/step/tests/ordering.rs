//! How many items are worked on at once, and in which order.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::time::Duration;

use longshore_handler::HandlerError;
use longshore_kafka::Partition;
use longshore_kafka::lane::step::Verdict;
use tokio::time::Instant;

use super::fixture::{FakeLane, Shared, config, done, keyed, unkeyed};

#[tokio::test(start_paused = true)]
async fn every_item_ends_once_with_its_own_outputs() {
    let mut lane = FakeLane::calling(&config(), |_, cx| async move {
        tokio::time::sleep(Duration::from_millis(cx.origin.offset as u64 * 7 % 50)).await;
        done()
    });
    for partition in [3, 4] {
        lane.give((0..500).map(|offset| {
            let mut record = unkeyed(offset);
            record.partition = Partition(partition);
            record
        }));
    }
    lane.until(1_000).await;
    let mut seen = BTreeSet::new();
    for finished in &lane.finished {
        assert_eq!(finished.verdict, Verdict::Done);
        let origin = finished.outputs[0].headers.text("ls-origin").unwrap();
        let offset = finished.offset().unwrap();
        assert_eq!(origin, format!("lines/{}/{offset}/0", finished.partition));
        assert!(seen.insert(origin.to_owned()), "{origin} ended twice");
    }
}

#[tokio::test(start_paused = true)]
async fn items_of_a_key_are_handled_in_order_even_if_they_are_tried_again() {
    let handled = Shared::<BTreeMap<String, Vec<i64>>>::default();
    let log = handled.clone();
    let mut lane = FakeLane::calling(&config(), move |_, cx| {
        let log = log.clone();
        async move {
            let offset = cx.origin.offset;
            tokio::time::sleep(Duration::from_millis(offset as u64 * 31 % 40)).await;
            if offset % 5 == 0 && cx.attempt < 3 {
                return Err(HandlerError::transient("away", "not yet"));
            }
            let key = String::from_utf8(cx.key.unwrap().to_vec()).unwrap();
            log.with(|log| log.entry(key).or_default().push(offset));
            done()
        }
    });
    lane.give((0..300).map(|offset| keyed(offset, &format!("key {}", offset % 7))));
    lane.until(300).await;
    let handled = handled.get();
    assert_eq!(handled.len(), 7);
    for (key, offsets) in handled {
        assert!(offsets.is_sorted(), "{key}: {offsets:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_attempts_are_under_way_than_the_concurrency_allows() {
    let mut config = config();
    config.concurrency = NonZeroUsize::new(3).unwrap();
    let running = Shared::<(u32, u32)>::default();
    let counter = running.clone();
    let mut lane = FakeLane::calling(&config, move |_, _| {
        let counter = counter.clone();
        async move {
            counter.with(|(now, most)| {
                *now += 1;
                *most = (*most).max(*now);
            });
            tokio::time::sleep(Duration::from_secs(1)).await;
            counter.with(|(now, _)| *now -= 1);
            done()
        }
    });
    lane.give((0..20).map(unkeyed));
    lane.until(20).await;
    assert_eq!(running.get(), (0, 3));
}

#[tokio::test(start_paused = true)]
async fn an_item_between_two_attempts_takes_no_ones_place() {
    let mut config = config();
    config.concurrency = NonZeroUsize::MIN;
    config.retry.backoff_initial = Duration::from_secs(600);
    config.retry.backoff_max = Duration::from_secs(600);
    let mut lane = FakeLane::calling(&config, |_, cx| async move {
        match (cx.origin.offset, cx.attempt) {
            (0, 1) => Err(HandlerError::transient("away", "not yet")),
            _ => done(),
        }
    });
    lane.give([unkeyed(0)]);
    lane.turn().await;
    let begun = Instant::now();
    lane.give((1..10).map(unkeyed));
    lane.until(9).await;
    let waited = begun.elapsed();
    assert!(waited < Duration::from_secs(1), "the others waited {waited:?}");
    lane.until(10).await;
    assert_eq!(lane.of(0).verdict, Verdict::Done);
}
