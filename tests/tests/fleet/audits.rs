//! Audits while the fleet works, and of joins in which something was planted.

use std::time::{Duration, Instant};

use longshore_kafka::admin::Isolation;
use longshore_kafka::client::TransactionalProducer;
use longshore_kafka::reader::Reader;
use longshore_kafka::{Commit, Outgoing, Record, Transaction, Transactions};
use longshore_schemas::TopicName;
use longshore_schemas::records::JournalRecord;
use longshore_tests::{Cluster, Fleet, Shape};
use serde_json::Value;

use crate::echoes;

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
    let mark = records(&fleet, &marks).pop().expect("it has marked what it began");
    let mut producer = stranger(&fleet);
    let mut open = Transaction::begin(&mut producer, DEADLINE).expect("begun");
    open.produce(&copy(&mark), 0).expect("produced");
    open.deliver().expect("delivered");
    let (code, said) = fleet.process(&["audit", "--patience", "1s", "-o", "json"]).ends();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("LV-1") && said.contains(marks.as_str()), "{said}");
    drop(open);
    fleet.audit_is_clean();
}

#[test]
fn what_is_planted_into_a_join_is_found() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Join);
    fleet.publish(echoes(0..3));
    let (worker, coordinator) = (fleet.worker(), fleet.coordinator_in("coordinator"));
    fleet.until_ended(3);
    coordinator.stop();
    worker.stop();
    fleet.audit_is_clean();

    let journal = TopicName::from(format!("{}.all.journal", fleet.name()));
    let (results, closings) = (records(&fleet, &fleet.done()), records(&fleet, &journal));
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
    let json = said.find('{').map_or("", |start| &said[start..]);
    let answer = serde_json::Deserializer::from_str(json).into_iter::<Value>().next();
    let answer = answer.unwrap_or_else(|| panic!("{said}")).unwrap_or_else(|_| panic!("{said}"));
    let faults = answer["report"]["faults"].as_array().expect("faults");
    let is_it = |fault: &&Value| {
        let what = fault["what"].as_str().unwrap_or_default();
        fault["breaks"] == breaks
            && what.starts_with(&format!("{at}, {of}"))
            && what.ends_with(wrong)
    };
    assert_eq!(faults.iter().filter(is_it).count(), 1, "{breaks} {at} {of} {wrong}: {said}");
}

fn records(fleet: &Fleet, topic: &TopicName) -> Vec<Record> {
    let mut reader = Reader::open(&fleet.settings(), topic, Isolation::Committed).expect("there");
    let reading = reader.read_all(DEADLINE).expect("it can be read");
    reading.map(|it| it.expect("it can be read")).collect()
}

/// The record once more, for the same partition.
fn copy(record: &Record) -> Outgoing {
    Outgoing {
        topic: record.topic.clone(),
        partition: Some(record.partition),
        key: record.key.clone(),
        value: record.value.clone(),
        headers: record.headers.clone(),
        timestamp: None,
    }
}

/// Writes a record in a transaction of nobody's: where it stands then.
fn plant(fleet: &Fleet, record: Outgoing) -> String {
    let (topic, partition) = (record.topic.clone(), record.partition);
    let mut producer = stranger(fleet);
    let mut transaction = Transaction::begin(&mut producer, DEADLINE).expect("begun");
    transaction.produce(&record, 0).expect("produced");
    transaction.deliver().expect("delivered");
    assert!(matches!(transaction.commit(), Commit::Committed));
    let there = records(fleet, &topic);
    let planted = there.iter().rfind(|it| Some(it.partition) == partition);
    let planted = planted.expect("it is there");
    format!("{topic}/{}/{}", planted.partition, planted.offset)
}

/// A producer that is none of the fleet's.
fn stranger(fleet: &Fleet) -> TransactionalProducer {
    let id = format!("{}-plants", fleet.name());
    let mut producer = TransactionalProducer::new(fleet.settings(), id).expect("a producer");
    let started = Instant::now();
    while !producer.ready(Duration::from_secs(1)).expect("ready") {
        assert!(started.elapsed() < DEADLINE, "not ready within {DEADLINE:?}");
    }
    producer
}
