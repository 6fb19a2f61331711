//! Items that can't be done stand in nobody's way.

use longshore_tests::{Cluster, Fleet, Job, Shape, Watch, until};

const ITEMS: i64 = 300;
/// Every so manieth item is a bad one.
const BAD: i64 = 50;

/// Some of the items are bad: they are in the dead letters once, the others are done, those behind
/// them in their key among them.
fn are_given_up(does: &str) {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 1 });
    let job = |number| Job::echo(number, format!("key {}", number % 10));
    fleet.publish((0..ITEMS).map(|number| match number % BAD {
        7 => job(number).doing(does),
        _ => job(number),
    }));
    let worker = fleet.worker();
    fleet.until_ended(ITEMS as usize);
    worker.stop();
    let ledger = fleet.ledger();
    ledger.each_once(ITEMS);
    ledger.in_key_order();
    let mut dead = ledger.dead();
    dead.sort_unstable();
    assert_eq!(dead, (0..ITEMS).filter(|number| number % BAD == 7).collect::<Vec<_>>());
    fleet.audit_is_clean();
}

/// Processes are started again as often as one is killed by an item: it is given up in the end, and
/// nobody else is.
#[test]
fn an_item_that_kills_its_process_is_given_up_and_no_other_is() {
    const ITEMS: i64 = 2_000;
    const KILLERS: [i64; 2] = [700, 1_300];
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 2 });
    let job = |number| Job::echo(number, format!("key {}", number % 10));
    fleet.publish((0..ITEMS).map(|number| match KILLERS.contains(&number) {
        true => job(number).doing("kill"),
        false => job(number),
    }));
    let watch = Watch::of(&fleet);
    let mut deaths = 0;
    let mut worker = fleet.worker_in("one");
    until("all have ended", || {
        if !worker.running() {
            let dead = std::mem::replace(&mut worker, fleet.worker_in("one"));
            dead.dies();
            deaths += 1;
        }
        (fleet.ledger().ended() >= ITEMS as usize).then_some(())
    });
    watch.ends_well(ITEMS, [worker]);
    let mut dead = fleet.ledger().dead();
    dead.sort_unstable();
    assert_eq!(dead, KILLERS);
    // At least four before it is alone, and two then. What is begun at once grows between deaths,
    // so it takes a few more to come near a killer, and the other one does its part.
    assert!((6..=24).contains(&deaths), "{deaths} deaths");
}

#[test]
fn an_item_that_never_returns_is_given_up_after_its_time() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 1 });
    fleet.rewrite(|text| text.replace("item_timeout: 120s", "item_timeout: 1s"));
    let job = |number| Job::echo(number, format!("key {}", number % 10));
    fleet.publish((0..ITEMS).map(|number| match number % BAD {
        7 => job(number).doing("hang"),
        _ => job(number),
    }));
    let worker = fleet.worker();
    fleet.until_ended(ITEMS as usize);
    worker.stop();
    let ledger = fleet.ledger();
    ledger.each_once(ITEMS);
    ledger.in_key_order();
    assert_eq!(ledger.dead().len() as i64, ITEMS / BAD);
    fleet.audit_is_clean();
}

#[test]
fn a_poison_item_is_given_up() {
    are_given_up("fail");
}

#[test]
fn an_item_whose_handler_panics_is_given_up() {
    are_given_up("panic");
}

#[test]
fn an_item_whose_output_is_too_large_for_its_topic_is_given_up_alone() {
    are_given_up("oversize");
}
