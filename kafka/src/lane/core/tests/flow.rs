//! When nothing is read, what is paused, and what makes room.

use super::*;

#[test]
fn a_partition_that_is_read_pauses_when_enough_waits_and_goes_on_when_half_is_done() {
    let mut core = core();
    core.config.limits.waiting_max = 10;
    take_over(&mut core, PARTITION);
    (0..10).for_each(|offset| drop(core.receive(record(PARTITION, offset))));
    assert_eq!(core.flow(NOW), (vec![], vec![]), "there may be room in a moment");
    assert_eq!(core.flow(LATER), (vec![PARTITION], vec![]));
    let begun: Vec<_> = (0..5).filter_map(|_| core.next_item()).collect();
    assert_eq!(core.flow(LATER), (vec![], vec![]), "half of them wait");
    let another = core.next_item().expect("it may begin");
    assert_eq!(core.flow(LATER), (vec![], vec![PARTITION]));
    commit(&mut core, &[&begun[..], &[another]].concat());
}

#[test]
fn what_finds_room_in_time_is_not_paused() {
    let mut core = core();
    core.config.limits.waiting_max = 10;
    take_over(&mut core, PARTITION);
    (0..10).for_each(|offset| drop(core.receive(record(PARTITION, offset))));
    assert_eq!(core.flow(NOW), (vec![], vec![]));
    assert!(core.is_full());
    let item = core.next_item().expect("it may begin");
    assert_eq!(core.flow(NOW), (vec![], vec![]));
    assert!(!core.is_full());
    drop(core.receive(record(PARTITION, 10)));
    assert_eq!(core.flow(LATER), (vec![], vec![]), "it is full anew");
    assert!(core.is_full());
    commit(&mut core, &[item]);
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
