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
        core.committed(batch, NOW).len()
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
fn more_items_are_begun_at_once_where_they_end_at_once() {
    let mut core = core();
    (core.config.limits.in_flight_max, core.config.limits.in_flight_most) = (3, 6);
    take_over(&mut core, PARTITION);
    (0..40).for_each(|offset| drop(core.receive(record(PARTITION, offset))));
    let begun = begin_all(&mut core);
    assert_eq!(begun.len(), 3);
    begun.into_iter().for_each(|item| assert!(core.finish(done(item), NOW)));
    let begun = begin_all(&mut core);
    assert_eq!(begun.len(), 3, "three have ended so far");
    begun.into_iter().for_each(|item| assert!(core.finish(done(item), NOW)));
    let begun = begin_all(&mut core);
    assert_eq!(begun.len(), 6);
    begun.into_iter().for_each(|item| assert!(core.finish(done(item), NOW)));
    assert_eq!(begin_all(&mut core).len(), 6, "twelve have ended by now, and six is the most");
}
