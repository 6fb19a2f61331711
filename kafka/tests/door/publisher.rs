//! Publishing exactly once through the real client.

use std::time::Duration;

use longshore_kafka::admin::Isolation;
use longshore_kafka::client::TransactionalProducer;
use longshore_kafka::publisher::{Published, Publisher};
use longshore_kafka::reader::Reader;
use longshore_kafka::{Outgoing, Record};
use longshore_schemas::TopicName;

use crate::broker::{PATIENCE, fresh, outgoing, settings, topic};

fn publisher(id: &str) -> Publisher<TransactionalProducer> {
    let producer = TransactionalProducer::new(settings(), id).expect("a producer");
    Publisher::open(producer, Duration::from_secs(15)).expect("ready")
}

fn committed(topic: &TopicName) -> Vec<Record> {
    let mut reader = Reader::open(&settings(), topic, Isolation::Committed).expect("opened");
    reader.read_all(PATIENCE).expect("reads").map(|record| record.expect("a record")).collect()
}

/// Publishes a batch whose refused records are left out until the rest is taken. Gives what was
/// refused, by its index at first.
fn publish_without_refused(
    publisher: &mut Publisher<TransactionalProducer>,
    batch: &[Outgoing],
) -> Vec<usize> {
    let mut left: Vec<_> = batch.iter().cloned().enumerate().collect();
    let mut refused_in_all = Vec::new();
    for _ in 0..20 {
        let records: Vec<_> = left.iter().map(|(_, record)| record.clone()).collect();
        match publisher.publish(&records).expect("publishes") {
            Published::All => return refused_in_all,
            Published::Unsettled(_) => assert!(committed(&batch[0].topic).is_empty()),
            Published::Refused(refused) => {
                for (index, _) in refused.into_iter().rev() {
                    refused_in_all.push(left.remove(index).0);
                }
            }
        }
    }
    panic!("never taken; refused so far: {refused_in_all:?}");
}

#[test]
fn records_and_cursor_are_published_together() {
    let (items, cursors) = (topic("items", 3, &[]), topic("cursors", 2, &[]));
    let mut publisher = publisher(&fresh("source"));
    for batch in 0..5 {
        let mut records: Vec<_> = (0..100)
            .map(|it| outgoing(&items, it % 3, "k", &(batch * 100 + it).to_string()))
            .collect();
        let mut cursor = outgoing(&cursors, 0, "file", &((batch + 1) * 100).to_string());
        cursor.partition = None;
        records.push(cursor);
        assert!(matches!(publisher.publish(&records).expect("publishes"), Published::All));
    }
    assert_eq!(committed(&items).len(), 500);
    let mut reader = Reader::open(&settings(), &cursors, Isolation::Committed).expect("opened");
    let cursor = reader.latest(b"file", PATIENCE).expect("reads").expect("a cursor");
    assert_eq!(cursor.value.as_deref(), Some(&b"500"[..]));
}

#[test]
fn a_record_that_the_broker_refuses_is_singled_out_of_its_batch() {
    let items = topic("refused", 2, &[("max.message.bytes", "20000")]);
    let mut batch: Vec<_> =
        (0..600).map(|it| outgoing(&items, it % 2, "k", &format!("{it:03}"))).collect();
    // Too large for the topic; the client, whose limit is a megabyte, lets them pass.
    for large in [37, 38, 501] {
        batch[large].value = Some(vec![b'x'; 50_000].into());
    }
    let mut refused = publish_without_refused(&mut publisher(&fresh("source")), &batch);
    refused.sort_unstable();
    assert_eq!(refused, [37, 38, 501]);
    let found = committed(&items);
    for partition in [0, 1] {
        let of = found.iter().filter(|it| it.partition.0 == partition);
        let values: Vec<_> = of.map(|it| it.value.clone().expect("a value")).collect();
        let numbers = (0..600).filter(|it| it % 2 == partition && ![37, 38, 501].contains(it));
        assert_eq!(values, numbers.map(|it| format!("{it:03}")).collect::<Vec<_>>());
    }
}

#[test]
fn records_that_are_refused_only_in_company_are_all_published() {
    let items = topic("company", 1, &[("max.message.bytes", "20000")]);
    let batch: Vec<_> =
        (0..200).map(|it| outgoing(&items, 0, "k", &format!("{it:01000}"))).collect();
    let refused = publish_without_refused(&mut publisher(&fresh("source")), &batch);
    assert!(refused.is_empty(), "{refused:?}");
    let values: Vec<_> =
        committed(&items).into_iter().map(|it| it.value.expect("a value")).collect();
    assert_eq!(values.len(), 200);
    assert!(values.is_sorted(), "in their order");
}

#[test]
fn a_second_process_of_the_id_fences_the_first_which_goes_on_behind_its_cursor() {
    let items = topic("fenced", 1, &[]);
    let id = fresh("source");
    let mut first = publisher(&id);
    let item = |it: &str| [outgoing(&items, 0, "k", it)];
    assert!(matches!(first.publish(&item("0")).expect("publishes"), Published::All));
    let mut second = publisher(&id);
    assert!(matches!(second.publish(&item("1")).expect("publishes"), Published::All));
    let published = first.publish(&item("1")).expect("settles");
    assert!(matches!(published, Published::Unsettled(_)), "{published:?}");
    assert_eq!(committed(&items).len(), 2);
    assert!(matches!(first.publish(&item("2")).expect("publishes"), Published::All));
    assert_eq!(committed(&items).len(), 3);
}
