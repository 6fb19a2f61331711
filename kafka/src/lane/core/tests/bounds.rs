//! How much a transaction and a lane hold.

use super::*;

#[test]
fn after_one_that_took_too_long_transactions_are_small_and_grow_again() {
    const MAX: usize = 8;
    let mut core = core();
    core.config.limits.batch_items_max = MAX;
    core.batch_items_max = MAX;
    take_over(&mut core, PARTITION);
    (0..20).for_each(|offset| drop(core.receive(record(PARTITION, offset))));
    for item in begin_all(&mut core) {
        assert!(core.finish(done(item), NOW));
    }
    core.shrink(MAX);
    core.shrink(MAX / 2);
    let sizes = [(); 4].map(|()| {
        let batch = core.take_batch(NOW, |_, _, _| String::new()).expect("outcomes");
        core.grow();
        core.committed(batch).len()
    });
    assert_eq!(sizes, [2, 4, 8, 6]);
}

/// By its verdict the component knows that an item can't fail any further.
#[test]
fn an_item_whose_output_was_refused_has_failed() {
    let mut core = core();
    take_over(&mut core, PARTITION);
    core.receive(record(PARTITION, 0));
    let item = core.next_item().expect("it may begin");
    assert!(core.finish(done(item), NOW));
    let mut batch = core.take_batch(NOW, |_, _, _| String::new()).expect("an outcome");
    core.replace(&mut batch.outcomes[0], Vec::new());
    assert_eq!(batch.outcomes[0].verdict, Verdict::Failed);
}

#[test]
fn what_is_ready_is_committed_at_once_when_nothing_can_be_read_before() {
    let mut core = core();
    core.config.commit_interval = LATER;
    core.config.limits.held_bytes_max = 10 * record(PARTITION, 0).held_bytes();
    take_over(&mut core, PARTITION);
    (0..9).for_each(|offset| drop(core.receive(record(PARTITION, offset))));
    for item in begin_all(&mut core) {
        assert!(core.finish(done(item), NOW));
    }
    assert!(!core.is_due(NOW), "there is room for another");
    core.receive(record(PARTITION, 9));
    let another = core.next_item().expect("it may begin");
    assert!(!core.is_due(NOW), "it may end in time");
    assert!(core.finish(done(another), NOW));
    assert!(core.is_due(NOW));
}

#[test]
fn every_partition_pauses_while_too_much_is_held_and_goes_on_when_it_is_less_than_half() {
    let mut core = core();
    core.config.limits.held_bytes_max = 10 * record(PARTITION, 0).held_bytes();
    let both = vec![PARTITION, Partition(1)];
    for &partition in &both {
        take_over(&mut core, partition);
        (0..4).for_each(|offset| drop(core.receive(record(partition, offset))));
    }
    assert_eq!(core.flow(NOW), (vec![], vec![]));
    assert!(!core.is_full());
    (4..6).for_each(|offset| drop(core.receive(record(PARTITION, offset))));
    assert_eq!(core.flow(NOW), (vec![], vec![]), "there may be room in a moment");
    assert!(core.is_full());
    assert_eq!(core.flow(LATER), (both.clone(), vec![]));
    assert!(!core.is_full(), "others may be read");
    let begun = begin_all(&mut core);
    commit(&mut core, &begun[..5]);
    assert_eq!(core.flow(LATER), (vec![], vec![]), "half of it is held");
    commit(&mut core, &begun[5..6]);
    assert_eq!(core.flow(LATER), (vec![], both));
}
