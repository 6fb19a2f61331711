//! Partitions whose items may have killed their owners.

use super::*;

/// Takes a partition over that was left with this word of its guard, and reads some records.
fn take_over_after(core: &mut Core, partition: Partition, left: &str, records: i64) {
    let guard = Guard::found(left, false, Offset(0), Offset(1_000)).expect("a guard's text");
    let epoch = core.assign(partition, &Start { guard, ..start() }, NOW);
    core.prepared(partition, epoch, Offset(0)).expect("it is ours");
    (0..records).for_each(|offset| drop(core.receive(record(partition, offset))));
}

#[test]
fn of_several_suspects_only_the_one_whose_turn_it_is_says_that_it_is_at_work() {
    let mut core = core();
    for partition in [PARTITION, Partition(1)] {
        take_over_after(&mut core, partition, "w32.100", 1);
    }
    core.try_suspect(Some(PARTITION), true);
    let batch = core.take_batch(NOW, |_, _, _| String::new()).expect("what both say");
    assert_eq!(guards(&batch), ["r32.1", "w32.100"]);
}

#[test]
fn a_suspect_has_its_turn_until_it_is_through() {
    let mut core = core();
    take_over_after(&mut core, Partition(1), "w32.100", 1);
    let suspect = core.suspect();
    assert_eq!(suspect, Some(Partition(1)));
    core.try_suspect(suspect, true);
    take_over_after(&mut core, PARTITION, "w32.100", 1);
    assert_eq!(core.suspect(), suspect, "another one has come since");
}

/// What kills beside it, before it is committed that it is through, would be taken for it.
#[test]
fn a_suspect_that_is_given_back_has_its_turn_until_its_outcome_is_committed() {
    let mut core = core();
    take_over_after(&mut core, PARTITION, "w32.100", 1);
    core.try_suspect(core.suspect(), true);
    let batch = core.take_batch(NOW, |_, _, _| String::new()).expect("it is at work");
    core.committed(batch, NOW);
    let item = core.next_item().expect("it is its turn");
    core.begin_release(&[PARTITION], Duration::from_secs(10), NOW);
    assert!(core.finish(done(item), NOW));
    let batch = core.take_batch(NOW, |_, _, _| String::new()).expect("its outcome");
    assert_eq!(core.suspect(), Some(PARTITION), "its outcome is on its way");
    core.committed(batch, NOW);
    assert_eq!(core.suspect(), None);
}

/// It has said that it is at work: whoever killed beside it would be taken for it, though it never
/// began.
#[test]
fn a_suspect_that_is_given_back_before_it_begins_has_its_turn_until_that_is_told() {
    for is_on_its_way in [false, true] {
        let mut core = core();
        take_over_after(&mut core, PARTITION, "w32.100", 1);
        core.try_suspect(core.suspect(), true);
        let batch = core.take_batch(NOW, |_, _, _| String::new()).expect("it is at work");
        if is_on_its_way {
            core.begin_release(&[PARTITION], Duration::from_secs(10), NOW);
            assert_eq!(core.suspect(), Some(PARTITION), "the word is on its way");
            core.committed(batch, NOW);
        } else {
            core.committed(batch, NOW);
            core.begin_release(&[PARTITION], Duration::from_secs(10), NOW);
        }
        assert_eq!(core.suspect(), Some(PARTITION), "it is at work, as far as anybody knows");
        let batch = core.take_batch(NOW, |_, _, _| String::new()).expect("its last word");
        assert_eq!(guards(&batch), ["w32.100"]);
        assert_eq!(core.suspect(), Some(PARTITION), "that is on its way");
        core.committed(batch, NOW);
        assert_eq!(core.suspect(), None);
    }
}

#[test]
fn a_suspect_waits_for_the_replays_beside_it() {
    let mut core = core();
    take_over_after(&mut core, PARTITION, "w32.100", 1);
    let (beside, position) = (Partition(1), Offset(5));
    let rests = |core: &Core| (core.rests_beside(PARTITION), core.rests());
    let epoch = core.assign(beside, &Start { position, ..start() }, NOW);
    assert_eq!(rests(&core), (false, false), "it is being prepared");
    core.prepared(beside, epoch, Offset(2)).expect("it is ours");
    assert_eq!(rests(&core), (false, false), "what it reads again could kill too");
    assert!(core.ends_replay(beside, position));
    assert_eq!(rests(&core), (true, true));
}

/// Something may have begun beside it while the commit that lets it begin was on its way.
#[test]
fn a_suspect_begins_nothing_when_its_turn_has_passed() {
    let mut core = core();
    take_over_after(&mut core, PARTITION, "w32.100", 1);
    core.try_suspect(Some(PARTITION), true);
    let batch = core.take_batch(NOW, |_, _, _| String::new()).expect("it is at work");
    core.try_suspect(Some(PARTITION), false);
    core.committed(batch, NOW);
    assert!(core.next_item().is_none(), "it isn't its turn any more");
    core.try_suspect(Some(PARTITION), true);
    assert!(core.next_item().is_some(), "it is again");
}

#[test]
fn what_came_to_nothing_is_not_much_that_was_done() {
    let mut core = core();
    // More than sixteen are much after two deaths.
    take_over_after(&mut core, PARTITION, "r8.4196", 1);
    let batch = core.take_batch(NOW, |_, _, _| String::new()).expect("it is at work");
    core.committed(batch, NOW);
    let item = core.next_item().expect("it may begin");
    assert!(core.finish(done(item), NOW));
    for _ in 0..20 {
        let batch = core.take_batch(NOW, |_, _, _| String::new()).expect("its outcome");
        core.aborted(batch, &[], NOW);
    }
    let batch = core.take_batch(NOW, |_, _, _| String::new()).expect("its outcome");
    assert!(guards(&batch)[0].starts_with("r16"), "{:?}", guards(&batch));
}

#[test]
fn where_nobody_asked_for_it_no_deaths_are_counted() {
    let mut core = core();
    core.config.deaths_max = None;
    take_over_after(&mut core, PARTITION, "r40.1", 1);
    let item = core.next_item().expect("it begins before anything is committed");
    assert!(core.finish(done(item), NOW));
    let batch = core.take_batch(NOW, |_, _, _| String::new()).expect("its outcome");
    assert_eq!(guards(&batch), ["-"]);
}
