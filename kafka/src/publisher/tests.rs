//! The publisher over the model broker, fault by fault.

use bytes::Bytes;
use longshore_schemas::{Headers, TopicName};

use super::*;
use crate::Partition;
use crate::model::{Call, Cluster, Fault, Held, Producer};

const TIMEOUT: Duration = Duration::from_secs(10);
const ID: &str = "orders-source-0";

/// A source of numbers: publishes each once, with a cursor that says which is next.
struct Source {
    cluster: Cluster,
    items: TopicName,
    cursors: TopicName,
    total: usize,
}

impl Source {
    fn new(seed: u64, total: usize) -> Self {
        let cluster = Cluster::new(seed);
        let (items, cursors) = (TopicName::from("items"), TopicName::from("items.cursors"));
        cluster.create_topic(&items, 1);
        cluster.create_topic(&cursors, 1);
        Self { cluster, items, cursors, total }
    }

    fn open(&self) -> Result<Publisher<Producer>, PublishError> {
        Publisher::open(self.cluster.producer(ID), TIMEOUT)
    }

    /// The next number, as a reader of committed records finds it.
    fn cursor(&self) -> usize {
        let last = self.cluster.read_committed(&self.cursors).pop();
        last.map_or(0, |record| number(record.value.as_ref()))
    }

    fn batch(&self, from: usize) -> Vec<Outgoing> {
        let to = (from + 7).min(self.total);
        let items = (from..to).map(|it| outgoing(&self.items, it));
        items.chain([outgoing(&self.cursors, to)]).collect()
    }

    /// Publishes what is left until the source ends, or the publisher can't go on.
    fn run(&self, publisher: &mut Publisher<Producer>) -> Result<(), PublishError> {
        let mut next = self.cursor();
        while next < self.total {
            match publisher.publish(&self.batch(next))? {
                Published::All => next = (next + 7).min(self.total),
                Published::Unsettled(_) => next = self.cursor(),
                Published::Refused(refused) => panic!("refused: {refused:?}"),
            }
        }
        Ok(())
    }

    fn published(&self) -> Vec<usize> {
        let records = self.cluster.read_committed(&self.items);
        records.iter().map(|record| number(record.value.as_ref())).collect()
    }

    fn assert_each_once_in_order(&self) {
        assert_eq!(self.published(), (0..self.total).collect::<Vec<_>>());
        assert_eq!(self.cursor(), self.total);
    }
}

fn number(value: Option<&Bytes>) -> usize {
    std::str::from_utf8(value.unwrap()).unwrap().parse().unwrap()
}

fn outgoing(topic: &TopicName, number: usize) -> Outgoing {
    Outgoing {
        topic: topic.clone(),
        partition: Some(Partition(0)),
        key: None,
        value: Some(number.to_string().into()),
        headers: Headers::new(),
        timestamp: None,
    }
}

#[test]
fn a_source_is_published_once_and_in_order() {
    let source = Source::new(1, 100);
    source.run(&mut source.open().unwrap()).unwrap();
    source.assert_each_once_in_order();
    assert_eq!(source.cluster.seen().committed, 15);
}

#[test]
fn an_unknown_commit_is_settled_by_the_cursor_whether_it_landed_or_not() {
    for fault in [Fault::AnswerLost(Remedy::Rebuild), Fault::Fails(Remedy::Rebuild)] {
        let source = Source::new(2, 20);
        let mut publisher = source.open().unwrap();
        source.cluster.fail_next(Call::Commit, fault);
        let published = publisher.publish(&source.batch(0)).unwrap();
        assert!(matches!(published, Published::Unsettled(_)), "{published:?}");
        let landed = matches!(fault, Fault::AnswerLost(_));
        assert_eq!(source.cursor(), if landed { 7 } else { 0 });
        source.run(&mut publisher).unwrap();
        source.assert_each_once_in_order();
    }
}

#[test]
fn a_refused_record_is_named_and_nothing_is_written_until_it_is_replaced() {
    let source = Source::new(3, 7);
    source.cluster.limit_messages(&source.items, 100);
    let mut publisher = source.open().unwrap();
    let mut batch = source.batch(0);
    for large in [2, 5] {
        batch[large].value = Some(vec![b'x'; 1_000].into());
    }
    let mut named = Vec::new();
    // A client may name them one after the other, and ask for a look at the cursor in between.
    for _ in 0..6 {
        match publisher.publish(&batch).unwrap() {
            Published::All => break,
            Published::Unsettled(_) => assert_eq!(source.cursor(), 0),
            Published::Refused(refused) => {
                assert!(source.published().is_empty());
                for (index, refusal) in refused {
                    assert_eq!(refusal.topic, source.items);
                    batch[index].value = Some(index.to_string().into());
                    named.push(index);
                }
            }
        }
    }
    named.sort_unstable();
    assert_eq!(named, [2, 5]);
    source.assert_each_once_in_order();
}

#[test]
fn an_aborted_batch_is_tried_again_and_not_for_ever() {
    let source = Source::new(4, 7);
    let mut publisher = source.open().unwrap();
    source.cluster.fail_next(Call::Deliveries, Fault::Fails(Remedy::Abort));
    source.run(&mut publisher).unwrap();
    source.assert_each_once_in_order();

    let stuck = Source::new(4, 7);
    let mut publisher = stuck.open().unwrap();
    stuck.cluster.fail_at_random(1, &[(Call::Deliveries, Fault::Fails(Remedy::Abort))]);
    let error = stuck.run(&mut publisher).unwrap_err();
    assert!(matches!(error, PublishError::Failed(_) | PublishError::Fenced { .. }), "{error}");
    assert!(stuck.published().is_empty());
}

#[test]
fn two_processes_of_one_id_publish_each_item_once() {
    let source = Source::new(5, 42);
    let mut first = source.open().unwrap();
    assert!(matches!(first.publish(&source.batch(0)).unwrap(), Published::All));
    let mut second = source.open().unwrap();
    assert!(matches!(second.publish(&source.batch(7)).unwrap(), Published::All));
    // The first doesn't know that it was fenced, nor what the second has published.
    let published = first.publish(&source.batch(7)).unwrap();
    assert!(matches!(published, Published::Unsettled(_)), "{published:?}");
    source.run(&mut first).unwrap();
    source.assert_each_once_in_order();
}

#[test]
fn processes_that_fence_each_other_are_told_so() {
    let source = Source::new(6, 7);
    let mut publisher = source.open().unwrap();
    let mut tries = 0..100;
    let error = loop {
        tries.next().expect("told within a hundred tries");
        let _rival = source.open().unwrap();
        match publisher.publish(&source.batch(0)) {
            Ok(Published::Unsettled(_)) => {}
            other => break other.unwrap_err(),
        }
    };
    assert!(matches!(error, PublishError::Fenced { .. }), "{error}");
    assert!(error.to_string().contains("same transactional id"), "{error}");
}

#[test]
fn a_predecessors_transaction_is_waited_for_and_not_for_ever() {
    let source = Source::new(7, 7);
    let mut publisher = source.open().unwrap();
    source.cluster.hold_markers(Held::All);
    assert!(matches!(publisher.publish(&source.batch(0)).unwrap(), Published::All));
    let error = source.open().unwrap_err();
    assert!(matches!(error, PublishError::NotReady { waited: TIMEOUT }), "{error}");
    source.cluster.release_markers();
    source.open().unwrap();
}

#[test]
fn a_batch_has_bounds() {
    let source = Source::new(8, 1);
    let mut publisher = source.open().unwrap();
    let many = vec![outgoing(&source.items, 0); BATCH_RECORDS_MAX + 1];
    let error = publisher.publish(&many).unwrap_err();
    assert!(matches!(error, PublishError::BatchTooLarge { .. }), "{error}");
    assert!(matches!(publisher.publish(&[]).unwrap(), Published::All));
}

#[test]
fn whatever_fails_each_item_is_published_once_and_in_order() {
    let mut faults = vec![
        (Call::Produce, Fault::QueueFull),
        (Call::Begin, Fault::BrokerError),
        (Call::Produce, Fault::Crash),
        (Call::Commit, Fault::Crash),
        (Call::Commit, Fault::AnswerLost(Remedy::Retry)),
        (Call::Commit, Fault::AnswerLost(Remedy::Rebuild)),
        (Call::Abort, Fault::AnswerLost(Remedy::Rebuild)),
        (Call::Commit, Fault::Late(Duration::from_secs(3))),
        (Call::Abort, Fault::Late(Duration::from_secs(3))),
    ];
    for call in [Call::Ready, Call::Begin, Call::Produce, Call::Deliveries, Call::Commit] {
        let remedies = [Remedy::Retry, Remedy::Abort, Remedy::Rebuild];
        faults.extend(remedies.map(|remedy| (call, Fault::Fails(remedy))));
    }
    let mut happened = 0;
    for seed in 0..500 {
        let source = Source::new(seed, 60);
        source.cluster.fail_at_random(12, &faults);
        let mut restarts = 0..200;
        // A process that can't go on ends; the next one takes up its cursor.
        while source.open().and_then(|mut it| source.run(&mut it)).is_err() {
            restarts.next().expect("the source ends");
        }
        source.assert_each_once_in_order();
        happened += source.cluster.seen().faults;
    }
    assert!(happened > 5_000, "only {happened} faults");
}
