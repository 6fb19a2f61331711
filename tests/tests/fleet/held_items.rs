//! Items that take long hold nobody but those of their key, until the window is full.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use longshore_tests::{Cluster, Fleet, Job, Shape, until};

/// The session timeout of a fleet's processes.
const SESSION: Duration = Duration::from_secs(6);

#[test]
fn others_of_its_partition_are_committed_while_an_item_is_slow() {
    const ITEMS: i64 = 3_000;
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 1 });
    let release = fleet.file("release");
    fleet.publish(stuck(2, &release).chain(others(2..ITEMS)));
    let worker = fleet.worker();
    let others = (ITEMS - 2) as usize;
    fleet.until_ended(others);
    let done = fleet.ledger().done();
    assert_eq!(done.len(), others);
    assert!(!done.contains(&0), "the slow item has ended");
    assert!(!done.contains(&1), "an item has overtaken the slow one of its key");
    fs::write(&release, "").expect("the release is given");
    fleet.until_ended(ITEMS as usize);
    worker.stop();
    fleet.ledger().each_once(ITEMS);
    fleet.ledger().in_key_order();
    fleet.audit_is_clean();
}

/// More of them than the runtime has threads: nothing goes on while they block, not even the time
/// of their attempts, but the worker keeps its partitions and loses nothing.
#[test]
fn items_that_block_all_threads_are_done_when_they_let_go() {
    const BLOCKING: i64 = 64;
    const ITEMS: i64 = 1_000;
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 1 });
    fleet.rewrite(|text| text.replace("item_timeout: 120s", "item_timeout: 1s"));
    let release = fleet.file("release");
    let blocking = |number| {
        let does = format!("block {}", release.display());
        Job::echo(number, format!("key {number}")).doing(&does)
    };
    fleet.publish((0..BLOCKING).map(blocking).chain(others(BLOCKING..ITEMS)));
    let worker = fleet.worker();
    let begun = Instant::now();
    until("a session has passed", || (begun.elapsed() > 2 * SESSION).then_some(()));
    fleet.until_members("work", 1);
    assert!(fleet.ledger().ended() < ITEMS as usize, "nothing has blocked");
    fs::write(&release, "").expect("the release is given");
    fleet.until_ended(ITEMS as usize);
    worker.stop();
    fleet.ledger().each_once(ITEMS);
    assert!(fleet.ledger().dead().is_empty());
    fleet.audit_is_clean();
}

/// So many items may be unfinished for the window to be sparse: one more, and it is dense.
const UNFINISHED_SPARSE: i64 = 700;
/// Offsets that a dense window spans.
const SPAN_DENSE: i64 = 16_384;

#[test]
fn a_full_window_holds_its_partition_and_loses_nothing() {
    const STUCK: i64 = UNFINISHED_SPARSE + 50;
    const ITEMS: i64 = SPAN_DENSE + 4_000;
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 1 });
    let release = fleet.file("release");
    fleet.publish(stuck(STUCK, &release).chain(others(STUCK..ITEMS)));
    let worker = fleet.worker();
    let within = (SPAN_DENSE - STUCK) as usize;
    let mut ended = 0;
    until("the window is full", || {
        let before = ended;
        ended = fleet.ledger().ended();
        assert!(ended <= within, "{ended} have ended, more than the window has room for");
        (ended == before && ended > within / 2).then_some(())
    });
    fs::write(&release, "").expect("the release is given");
    fleet.until_ended(ITEMS as usize);
    worker.stop();
    fleet.ledger().each_once(ITEMS);
    fleet.ledger().in_key_order();
    fleet.audit_is_clean();
}

/// So many items of one key, the first of which is held.
fn stuck(count: i64, release: &Path) -> impl Iterator<Item = Job> {
    let first = Job::echo(0, "stuck").held_until(release);
    std::iter::once(first).chain((1..count).map(|number| Job::echo(number, "stuck")))
}

fn others(numbers: std::ops::Range<i64>) -> impl Iterator<Item = Job> {
    numbers.map(|number| Job::echo(number, format!("key {}", number % 500)))
}
