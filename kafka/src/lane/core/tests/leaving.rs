//! Partitions that are given back.

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const DEADLINE: Duration = Duration::from_secs(10);

#[test]
fn the_last_outcome_of_a_partition_that_is_given_back_waits_for_no_company() {
    let mut core = core();
    core.config.commit_interval = Duration::from_secs(3_600);
    take_over(&mut core, PARTITION);
    core.receive(record(PARTITION, 0));
    let item = core.next_item().expect("it may begin");
    core.begin_release(&[PARTITION], DEADLINE, NOW);
    assert!(!core.is_due(NOW), "it is at work");
    assert!(core.finish(done(item), NOW));
    assert!(core.is_due(NOW));
}

#[test]
fn nobody_says_that_it_has_let_go_while_items_are_at_work_and_there_is_time() {
    let mut core = core();
    take_over(&mut core, PARTITION);
    (0..2).for_each(|offset| drop(core.receive(record(PARTITION, offset))));
    let first = core.next_item().expect("it may begin");
    let _at_work = core.next_item().expect("so may the second");
    core.begin_release(&[PARTITION], DEADLINE, NOW);
    assert!(core.finish(done(first), NOW));
    let batch = core.take_batch(NOW, |_, _, _| String::new()).expect("an outcome");
    assert_ne!(guards(&batch), ["-"], "the other one may yet kill");
    core.committed(batch, NOW);
    let late = DEADLINE - SECOND;
    assert!(!core.is_due(late - Duration::from_millis(1)) && core.is_due(late));
    let batch = core.take_batch(late, |_, _, _| String::new()).expect("a last word");
    assert_eq!(guards(&batch), ["-"]);
}
