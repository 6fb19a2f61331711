//! How long the partitions of a worker that was killed stand still.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use longshore_kafka::admin::{GroupProgress, Stability};
use longshore_kafka::{Offset, Partition};
use longshore_tests::{Cluster, Fleet, Rounds, Shape, Watch, until};

/// The session timeout of a fleet's processes.
const SESSION: Duration = Duration::from_secs(6);
/// What it takes beside: the rebalance, reading the progress, the first transaction.
const BESIDE: Duration = Duration::from_secs(5);
/// Partitions of the fleet.
const PARTITIONS: usize = 4;

#[test]
fn partitions_of_a_killed_worker_go_on_soon_after_its_session() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: PARTITIONS as u32 });
    let (first, second) = (fleet.worker(), fleet.worker());
    until("both have partitions", || {
        (first.has_partitions() && second.has_partitions()).then_some(())
    });
    let mut work = Rounds::publish_of(400, &fleet, 2);
    let (items, watch) = (work.items(), Watch::of(&fleet));
    // Everybody stands at the gate: what is open when a worker dies would be waited for longer, by
    // another timeout.
    fleet.until_ended(380);
    until("no transaction is open", || (!fleet.is_in_a_transaction()).then_some(()));
    fleet.until_markers_are_written();
    let progress = fleet.progress();
    let before = positions(&fleet, &progress);
    first.crash();
    let killed = Instant::now();
    work.next();
    let moved = |now: &BTreeMap<_, _>| before.iter().all(|(it, was)| now.get(it) > Some(was));
    until("every partition has moved", || moved(&positions(&fleet, &progress)).then_some(()));
    let stood = killed.elapsed();
    tell(stood);
    assert_eq!(before.len(), PARTITIONS);
    assert!(stood <= SESSION + BESIDE, "they stood for {stood:?}");
    // Were it shorter, nobody has waited for the session of the dead one.
    assert!(stood >= SESSION / 2, "they stood for {stood:?} only");
    work.finish();
    watch.ends_well(items, [second]);
}

fn positions(fleet: &Fleet, progress: &GroupProgress) -> BTreeMap<Partition, Offset> {
    let found = progress.read(&fleet.items(), Stability::AsWritten).expect("the Kafka answers");
    let committed = found.into_iter().filter_map(|(partition, it)| Some((partition, it?.offset)));
    committed.collect()
}

#[expect(clippy::print_stderr, reason = "the figure is of interest also if the test passes")]
fn tell(stood: Duration) {
    eprintln!("partitions of a killed worker stood still for {stood:?} (session {SESSION:?})");
}
