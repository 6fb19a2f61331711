//! Audits while the fleet works, and of joins in which something was planted.

use std::time::{Duration, Instant};

use longshore::Exit;
use longshore_kafka::Outgoing;
use longshore_schemas::TopicName;
use longshore_schemas::records::JournalRecord;
use longshore_tests::{Cluster, Fleet, Shape, until};

use crate::audit_at_hand::{AuditAtHand, faults};
use crate::echoes;
use crate::strangers::{copy, hold, plant, stranger};

const DEADLINE: Duration = Duration::from_secs(60);

#[test]
fn audits_of_stages_and_joins_at_work_find_nothing() {
    const ITEMS: i64 = 6_000;
    for shape in [Shape::Stage { partitions: 4 }, Shape::Join] {
        let fleet = Fleet::new(Cluster::shared(), shape);
        let file = fleet.lines(echoes(0..ITEMS));
        // The first items give every group its progress.
        fleet.publish(echoes(ITEMS..ITEMS + 200));
        let workers = [fleet.worker(), fleet.worker()];
        let coordinator = (shape == Shape::Join).then(|| fleet.coordinator_in("coordinator"));
        fleet.until_ended(200);
        let producer = fleet.producer(&file);
        let started = Instant::now();
        let mut at_work = 0;
        while fleet.ledger().ended() < ITEMS as usize + 200 {
            assert!(started.elapsed() < 3 * DEADLINE, "it isn't over");
            let before = fleet.ledger().ended();
            let (code, said) = fleet.process(&["audit", "-o", "json"]).ends();
            let moved = fleet.ledger().ended() > before;
            assert_eq!(code, 0, "{shape:?} at work:\n{said}");
            at_work += u32::from(moved);
        }
        assert!(at_work > 0, "{shape:?}: no audit was made while anything was done");
        let (code, said) = producer.ends();
        assert_eq!(code, 0, "{said}");
        coordinator.into_iter().chain(workers).for_each(|it| it.stop());
        fleet.ledger().each_once(ITEMS + 200);
        fleet.audit_is_clean();
    }
}

/// A join of which three groups have ended, and nobody works any more.
fn three_groups() -> Fleet {
    let fleet = Fleet::new(Cluster::shared(), Shape::Join);
    fleet.publish(echoes(0..3));
    let (worker, coordinator) = (fleet.worker(), fleet.coordinator_in("coordinator"));
    fleet.until_ended(3);
    coordinator.stop();
    worker.stop();
    fleet
}

/// The stage writes into the inbox and its own topic at once; the audit reads the inbox, its
/// openings among them, before the one and the other after.
#[test]
fn items_that_end_between_two_topics_of_their_stage_are_at_no_fault() {
    const ITEMS: i64 = 10;
    let fleet = three_groups();
    fleet.publish(echoes(3..3 + ITEMS));
    let topic = |what: &str| TopicName::from(format!("{}.{what}", fleet.name()));
    let (inbox, parts) = (topic("all.inbox"), topic("split"));
    let opening = fleet.records(&inbox).remove(0);
    let mut producer = stranger(&fleet, "holds");
    let open = hold(&mut producer, &copy(&opening));
    let audit = AuditAtHand::of(&fleet);
    audit.until_it_waits_for(&inbox);
    let worker = fleet.worker();
    until("all items are split", || {
        (fleet.records(&parts).len() as i64 == 3 * (3 + ITEMS)).then_some(())
    });
    worker.stop();
    drop(open);
    assert_eq!(audit.ends(), (Exit::Done, vec![]));
}

/// Nothing else that is read of the fleet is held back by it.
#[test]
fn a_transaction_that_hangs_among_the_marks_is_found() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 1 });
    fleet.publish(echoes(0..10));
    let worker = fleet.worker();
    fleet.until_ended(10);
    worker.stop();
    fleet.audit_is_clean();
    let marks = TopicName::from(format!("{}.begun", fleet.name()));
    let mark = fleet.records(&marks).pop().expect("it has marked what it began");
    let mut producer = stranger(&fleet, "holds");
    let open = hold(&mut producer, &copy(&mark));
    let (code, said) = fleet.process(&["audit", "--patience", "1s", "-o", "json"]).ends();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("LV-1") && said.contains(marks.as_str()), "{said}");
    drop(open);
    fleet.audit_is_clean();
}

#[test]
fn what_is_planted_into_a_join_is_found() {
    let fleet = three_groups();
    fleet.audit_is_clean();

    let journal = TopicName::from(format!("{}.all.journal", fleet.name()));
    let (results, closings) = (fleet.records(&fleet.done()), fleet.records(&journal));
    let at = plant(&fleet, copy(&results[0]));
    let of = "of group";
    finds(&fleet, "EO-3", (&at, of, "it is a second result"));

    let at = plant(&fleet, copy(&closings[0]));
    finds(&fleet, "EO-3", (&at, of, "it is a second closing"));

    let closed = closings[0].value.as_ref().expect("a closing");
    let Ok(JournalRecord::Closed(mut closed)) = JournalRecord::decode(closed) else {
        panic!("no closing stands first in the journal");
    };
    closed.group_id = "nobody/0/0".into();
    let value = JournalRecord::Closed(closed).encode().expect("encoded");
    let at = plant(&fleet, Outgoing { value: Some(value), ..copy(&closings[0]) });
    let of = "of group nobody/0/0 revision 1 of all";
    finds(&fleet, "EO-2", (&at, of, "it closes the group, which has no result"));
    finds(&fleet, "EO-4", (&at, of, "its opening isn't in the inbox where it says"));

    let mut alone = copy(&results[1]);
    alone.headers.set_text("ls-origin", "all/nobody/0/1/1/0");
    let at = plant(&fleet, alone);
    let of = "of group nobody/0/1 revision 1 of all";
    finds(&fleet, "EO-1", (&at, of, "its closing isn't in the journal"));
}

/// An audit finds this, and says where.
fn finds(fleet: &Fleet, breaks: &str, (at, of, wrong): (&str, &str, &str)) {
    let (code, said) = fleet.process(&["audit", "-o", "json"]).ends();
    assert_eq!(code, 1, "{said}");
    let is_it = |(it, what): &&(String, String)| {
        it == breaks && what.starts_with(&format!("{at}, {of}")) && what.ends_with(wrong)
    };
    let count = faults(&said).iter().filter(is_it).count();
    assert_eq!(count, 1, "{breaks} {at} {of} {wrong}: {said}");
}
