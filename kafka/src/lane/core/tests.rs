//! The core by examples: what no history reaches often enough.

mod bounds;
mod flow;
mod leaving;
mod suspects;

use std::sync::Arc;
use std::time::Duration;

use super::{Batch, Core};
use crate::lane::config::{LaneConfig, Limits, Ordering};
use crate::lane::guard::Guard;
use crate::lane::progress::{FinishedMap, Metadata};
use crate::lane::start::Start;
use crate::lane::step::{Epoch, Finished, Item, Verdict};
use crate::{Offset, Partition, Record, TopicId};

const NOW: Duration = Duration::ZERO;
/// When what has found no room by then is paused.
const LATER: Duration = Duration::from_millis(200);
const PARTITION: Partition = Partition(0);

fn core() -> Core {
    Core::new(LaneConfig {
        topic: "t".into(),
        group: "g".to_owned(),
        ordering: Ordering::Key,
        start: None,
        marks: None,
        owner: "owner".to_owned(),
        commit_interval: NOW,
        revoke_budget: NOW,
        drain_timeout: NOW,
        transaction_timeout: NOW,
        fenced_after: NOW,
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
    })
}

/// What may be given back while no transaction is under way.
fn released(core: &Core, now: Duration) -> Vec<Partition> {
    core.released(now, |_| false)
}

/// Takes a partition over from its beginning, says so, and reads it.
fn take_over(core: &mut Core, partition: Partition) -> Epoch {
    let epoch = take_over_unsaid(core, partition);
    let owned = core.partitions.get_mut(&partition).expect("it is ours");
    owned.guard.say(&owned.window, 0, false);
    owned.guard.committed();
    epoch
}

/// Takes a partition over from its beginning: it isn't committed that anybody is at work.
fn take_over_unsaid(core: &mut Core, partition: Partition) -> Epoch {
    let epoch = core.assign(partition, &start(), NOW);
    core.prepared(partition, epoch, Offset(0)).expect("it is ours");
    epoch
}

fn start() -> Start {
    Start {
        topic_id: TopicId::new(1),
        position: Offset(0),
        finished: FinishedMap::default(),
        state: String::new(),
        guard: Guard::fresh(Offset(0)),
        resumed: true,
    }
}

fn record(partition: Partition, offset: i64) -> Record {
    Record {
        topic: "t".into(),
        partition,
        offset: Offset(offset),
        key: None,
        value: None,
        headers: Default::default(),
        timestamp: None,
    }
}

fn done(item: Arc<Item>) -> Finished {
    Finished {
        partition: item.record.partition,
        epoch: item.epoch,
        item: Some(item),
        outputs: Vec::new(),
        verdict: Verdict::Done,
    }
}

/// What the guards say with this transaction, partition by partition.
fn guards(batch: &Batch) -> Vec<String> {
    let metadata = batch.progress.iter().map(|(_, sent)| {
        Metadata::parse(&sent.committed.metadata, sent.committed.offset).expect("usable metadata")
    });
    metadata.map(|it| it.expect("it is ours").guard).collect()
}

#[test]
fn what_is_read_while_a_partition_is_given_back_stays_unfinished() {
    let mut core = core();
    take_over(&mut core, PARTITION);
    core.receive(record(PARTITION, 0));
    let item = core.next_item().expect("it may begin");
    core.begin_release(&[PARTITION], Duration::MAX, NOW);
    core.receive(record(PARTITION, 1));
    core.reach(PARTITION, Offset(2), NOW);
    assert!(core.finish(done(item), NOW));
    let batch = core.take_batch(NOW, |_, _, _| String::new()).expect("an outcome");
    let (_, sent) = &batch.progress[0];
    assert_eq!(sent.committed.offset, Offset(1), "the next owner has to do it");
}

/// Takes on every item that may begin.
fn begin_all(core: &mut Core) -> Vec<Arc<Item>> {
    std::iter::from_fn(|| core.next_item()).collect()
}

/// An offset that is admitted only while few items before it are unfinished.
const FAR: i64 = 20_000;
/// So many may be.
const FEW: i64 = 700;

#[test]
fn a_far_item_waits_while_many_before_it_are_under_way() {
    let mut core = core();
    take_over(&mut core, PARTITION);
    (0..FEW).for_each(|offset| drop(core.receive(record(PARTITION, offset))));
    let begun = begin_all(&mut core);
    assert_eq!(begun.len(), FEW as usize);
    core.receive(record(PARTITION, FAR));
    assert!(core.next_item().is_none(), "its finished map might not fit beside the offset");
    commit(&mut core, &begun[FEW as usize - 1..]);
    assert_eq!(core.next_item().map(|it| it.record.offset), Some(Offset(FAR)));
}

#[test]
fn a_far_item_waits_while_many_before_it_wait_behind_their_key() {
    let mut core = core();
    take_over(&mut core, PARTITION);
    let keyed = |offset| Record { key: Some("a".into()), ..record(PARTITION, offset) };
    (0..FEW).for_each(|offset| drop(core.receive(keyed(offset))));
    core.receive(record(PARTITION, FAR));
    let first = begin_all(&mut core);
    assert_eq!(first.len(), 1, "one of the key, and the far one has to wait");
    commit(&mut core, &first);
    let next = begin_all(&mut core);
    let offsets: Vec<i64> = next.iter().map(|it| it.record.offset.0).collect();
    assert_eq!(offsets, [1, FAR]);
}

fn commit(core: &mut Core, items: &[Arc<Item>]) {
    for item in items {
        assert!(core.finish(done(Arc::clone(item)), NOW));
    }
    let batch = core.take_batch(NOW, |_, _, _| String::new()).expect("outcomes");
    assert_eq!(core.committed(batch, NOW).len(), items.len());
}

#[test]
fn outcomes_of_more_partitions_than_fit_a_transaction_wait_in_their_order() {
    const FIT: i32 = 112;
    let mut core = core();
    core.batch_items_max = FIT as usize + 2;
    let last = Partition(FIT + 1);
    for partition in (0..FIT + 2).map(Partition) {
        take_over(&mut core, partition);
        core.receive(record(partition, 0));
    }
    core.receive(record(last, 1));
    let (mut second, first): (Vec<_>, Vec<_>) =
        begin_all(&mut core).into_iter().partition(|it| it.record.offset == Offset(1));
    for item in first.into_iter().chain(second.drain(..)) {
        assert!(core.finish(done(item), NOW));
    }
    let batch = core.take_batch(NOW, |_, _, _| String::new()).expect("outcomes");
    assert_eq!((batch.outcomes.len(), batch.progress.len()), (FIT as usize, FIT as usize));
    core.committed(batch, NOW);
    let batch = core.take_batch(NOW, |_, _, _| String::new()).expect("the others");
    let places = |it: &Finished| (it.partition, it.offset().expect("of an item"));
    assert_eq!(
        batch.outcomes.iter().map(places).collect::<Vec<_>>(),
        [(Partition(FIT), Offset(0)), (last, Offset(0)), (last, Offset(1))]
    );
}

#[test]
fn busy_partitions_leave_room_for_one_that_cannot_begin_before_it_has_committed() {
    const BUSY: i32 = 200;
    let mut core = core();
    core.batch_items_max = BUSY as usize;
    for partition in (0..BUSY).map(Partition) {
        take_over(&mut core, partition);
        core.receive(record(partition, 0));
    }
    for item in begin_all(&mut core) {
        assert!(core.finish(done(item), NOW));
    }
    let last = Partition(BUSY);
    take_over_unsaid(&mut core, last);
    core.receive(record(last, 0));
    assert!(core.next_item().is_none());
    let batch = core.take_batch(NOW, |_, _, _| String::new()).expect("outcomes");
    assert!(batch.outcomes.len() > 100 && batch.progress.len() <= 128);
    core.committed(batch, NOW);
    assert_eq!(core.next_item().map(|it| it.record.partition), Some(last));
}

#[test]
fn no_two_transactions_commit_the_same_text() {
    let mut core = core();
    let epoch = take_over(&mut core, PARTITION);
    let tick = || Finished {
        partition: PARTITION,
        epoch,
        item: None,
        outputs: Vec::new(),
        verdict: Verdict::Done,
    };
    let texts = [(); 2].map(|()| {
        assert!(core.finish(tick(), NOW));
        let batch = core.take_batch(NOW, |_, _, _| String::new()).expect("an outcome");
        let text = batch.progress[0].1.committed.metadata.clone();
        core.committed(batch, NOW);
        text
    });
    assert_ne!(texts[0], texts[1], "what is found after a lost answer would say nothing");
}

#[test]
fn no_two_assignments_commit_the_same_text() {
    let mut core = core();
    let texts = [(); 2].map(|()| {
        take_over(&mut core, PARTITION);
        core.receive(record(PARTITION, 0));
        let item = core.next_item().expect("it may begin");
        assert!(core.finish(done(item), NOW));
        let batch = core.take_batch(NOW, |_, _, _| String::new()).expect("an outcome");
        core.forget(PARTITION);
        batch.progress[0].1.committed.metadata.clone()
    });
    assert_ne!(texts[0], texts[1], "what is found after a lost answer would say nothing");
}

#[test]
fn outcomes_of_an_earlier_assignment_do_not_come_back() {
    let mut core = core();
    take_over(&mut core, PARTITION);
    core.receive(record(PARTITION, 0));
    let item = core.next_item().expect("it may begin");
    assert!(core.finish(done(item), NOW));
    let batch = core.take_batch(NOW, |_, _, _| String::new()).expect("an outcome");
    core.forget(PARTITION);
    take_over(&mut core, PARTITION);
    core.aborted(batch, &[], NOW);
    assert_eq!(core.ready().len(), 0, "someone else did its item");
}

#[test]
fn no_more_items_are_begun_at_once_than_may_be() {
    let mut core = core();
    core.config.limits.in_flight_max = 3;
    for partition in [PARTITION, Partition(1)] {
        take_over(&mut core, partition);
        (0..5).for_each(|offset| drop(core.receive(record(partition, offset))));
    }
    let mut begun = begin_all(&mut core);
    assert_eq!(begun.len(), 3);
    assert!(core.finish(done(begun.remove(0)), NOW));
    assert_eq!(begin_all(&mut core).len(), 1, "one has ended");
}

#[test]
fn each_partition_has_its_turn() {
    let mut core = core();
    for partition in (0..3).map(Partition) {
        take_over(&mut core, partition);
        (0..3).for_each(|offset| drop(core.receive(record(partition, offset))));
    }
    let turns: Vec<_> = begin_all(&mut core).iter().map(|it| it.record.partition.0).collect();
    assert_eq!(turns, [0, 1, 2, 0, 1, 2, 0, 1, 2]);
}

#[test]
fn a_partition_that_is_given_back_begins_nothing_and_drops_what_waits() {
    let mut core = core();
    take_over(&mut core, PARTITION);
    (0..3).for_each(|offset| drop(core.receive(record(PARTITION, offset))));
    let begun = core.next_item().expect("it may begin");
    core.begin_release(&[PARTITION], Duration::MAX, NOW);
    assert!(core.next_item().is_none());
    assert_eq!(core.held_bytes(), begun.record.held_bytes());
    assert!(released(&core, NOW).is_empty(), "an item is at work");
    commit(&mut core, &[begun]);
    assert_eq!((released(&core, NOW), core.held_bytes()), (vec![PARTITION], 0));
}

#[test]
fn a_revocation_that_takes_too_long_is_over() {
    let mut core = core();
    take_over(&mut core, PARTITION);
    core.receive(record(PARTITION, 0));
    let _at_work = core.next_item().expect("it may begin");
    let deadline = Duration::from_secs(7);
    core.begin_release(&[PARTITION], deadline, NOW);
    assert!(released(&core, deadline - Duration::from_millis(1)).is_empty());
    assert_eq!(released(&core, deadline), [PARTITION]);
}

#[test]
fn of_two_deadlines_the_earlier_one_counts() {
    let mut core = core();
    take_over(&mut core, PARTITION);
    core.receive(record(PARTITION, 0));
    let _at_work = core.next_item().expect("it may begin");
    let second = Duration::from_secs;
    core.begin_release(&[PARTITION], second(7), NOW);
    core.begin_release(&[PARTITION], second(16), second(6));
    assert!(released(&core, second(7) - Duration::from_millis(1)).is_empty());
    assert_eq!(released(&core, second(7)), [PARTITION]);
    core.begin_release(&[PARTITION], second(5), second(4));
    assert_eq!(released(&core, second(5)), [PARTITION]);
}

#[test]
fn a_partition_without_progress_waits_a_moment_for_the_commit_of_its_position() {
    let mut core = core();
    core.config.deaths_max = None;
    let start = Start { resumed: false, ..start() };
    core.assign(PARTITION, &start, NOW);
    core.begin_release(&[PARTITION], Duration::from_secs(10), NOW);
    assert!(core.is_due(NOW) && released(&core, NOW).is_empty());
    assert_eq!(released(&core, Duration::from_secs(1)), [PARTITION], "no longer than that");
    let batch = core.take_batch(NOW, |_, _, _| String::new()).expect("its position");
    core.committed(batch, NOW);
    assert_eq!(released(&core, NOW), [PARTITION]);
}

#[test]
fn an_end_that_is_reached_while_the_last_outcome_is_on_its_way_is_committed_after_a_second() {
    const SECOND: Duration = Duration::from_secs(1);
    let mut core = core();
    take_over(&mut core, PARTITION);
    core.receive(record(PARTITION, 0));
    let item = core.next_item().expect("it may begin");
    assert!(core.finish(done(item), NOW));
    let batch = core.take_batch(NOW, |_, _, _| String::new()).expect("its outcome");
    core.reach(PARTITION, Offset(2), NOW);
    core.committed(batch, NOW);
    assert!(!core.is_due(SECOND - Duration::from_millis(1)) && core.is_due(SECOND));
    let batch = core.take_batch(SECOND, |_, _, _| String::new()).expect("progress");
    assert_eq!(batch.progress[0].1.committed.offset, Offset(2));
    core.committed(batch, SECOND);
    assert!(!core.is_due(SECOND * 100), "there is nothing more to say");
}

/// Markers and aborted records at the end of a partition are passed, though no outcome says so.
#[test]
fn progress_without_an_outcome_is_committed_after_a_second() {
    const SECOND: Duration = Duration::from_secs(1);
    let mut core = core();
    take_over(&mut core, PARTITION);
    core.reach(PARTITION, Offset(5), NOW);
    assert!(!core.is_due(SECOND - Duration::from_millis(1)) && core.is_due(SECOND));
    let batch = core.take_batch(SECOND, |_, _, _| String::new()).expect("progress");
    assert_eq!(batch.progress[0].1.committed.offset, Offset(5));
    core.committed(batch, NOW);
    assert!(!core.is_due(SECOND * 10), "nothing has moved since");
}
