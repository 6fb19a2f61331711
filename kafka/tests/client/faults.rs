//! A broker that is killed in the middle of a transaction.

use std::time::{Duration, Instant};

use longshore_kafka::client::{KafkaBroker, TransactionalProducer};
use longshore_kafka::lane::broker::{Broker, Locate};
use longshore_kafka::{Commit, Remedy, Settings, Transaction, Transactions};

use crate::harness::*;

fn producer(servers: &str) -> TransactionalProducer {
    TransactionalProducer::new(Settings::new(servers), unique("txn")).expect("made")
}

#[test]
fn a_transaction_that_a_broker_died_in_ends_either_way_and_never_halfway() {
    let mut kafka = own_kafka();
    let servers = kafka.bootstrap_servers();
    let topic = topic_with(&servers, 1, &[]);
    let mut producer = producer(&servers);
    let before = open(&mut producer, &topic, &["before"]);
    assert!(matches!(before.commit(), Commit::Committed));

    let transaction = open(&mut producer, &topic, &["during"]);
    kafka.kill();
    kafka.restart(&mut |_| {}).expect("restarted");
    let committed = match transaction.commit() {
        Commit::Committed => true,
        Commit::Unknown(failure) => {
            assert_eq!(failure.remedy, Remedy::Rebuild, "{failure}");
            false
        }
    };
    // A copy of a request may still be under way: this producer begins no other transaction.
    assert!(!committed || producer.tainted());
    producer.discard_producer();
    let after = open(&mut producer, &topic, &["after"]);
    assert!(matches!(after.commit(), Commit::Committed));
    let seen = values(&servers, &topic, "read_committed");
    let during = seen.iter().any(|value| value == "during");
    assert!(during || !committed, "a commit that was Ok is kept: {seen:?}");
    assert_eq!(seen.first().map(String::as_str), Some("before"));
    assert_eq!(seen.last().map(String::as_str), Some("after"));
}

#[test]
fn a_broker_that_stays_away_is_answered_within_each_calls_time() {
    let mut kafka = own_kafka();
    let servers = kafka.bootstrap_servers();
    let topic = topic_with(&servers, 1, &[]);
    let mut producer = producer(&servers);
    ready(&mut producer);
    producer.begin().expect("begun");
    producer.produce(&output(&topic, "v"), 0).expect("produced");
    assert_eq!(producer.deliveries(DEADLINE).pending, 0);
    kafka.kill();

    let asked = Instant::now();
    let failure = producer.commit(WAIT).expect_err("nobody answers");
    assert_eq!(failure.remedy, Remedy::Retry, "{failure}");
    let again = producer.commit(WAIT).expect_err("nobody answers");
    assert_eq!(again.remedy, Remedy::Retry, "{again}");
    assert!(asked.elapsed() < Duration::from_secs(10), "took {:?}", asked.elapsed());
    assert!(producer.tainted());

    let closing = Instant::now();
    drop(producer);
    assert!(closing.elapsed() < Duration::from_secs(10), "closing took {:?}", closing.elapsed());
}

#[test]
fn a_lane_closes_in_time_without_its_broker() {
    let mut kafka = own_kafka();
    let servers = kafka.bootstrap_servers();
    let topic = topic_with(&servers, 1, &[]);
    let options = options(Settings::new(servers), &topic, "group");
    let mut broker = KafkaBroker::connect(options).expect("connected");
    join_and_start(&mut broker, 0);
    ready(&mut broker);
    broker.begin().expect("begun");
    broker.produce(&output(&topic, "v"), 0).expect("produced");
    kafka.kill();
    broker.locate(Locate::progress(1, vec![P0]));
    // What passes while the broker is away is no failure of the lane.
    for _ in 0..100 {
        broker.poll(Duration::from_millis(20)).expect("it goes on polling");
    }
    let closing = Instant::now();
    broker.close();
    assert!(closing.elapsed() < Duration::from_secs(10), "closing took {:?}", closing.elapsed());
}

#[test]
fn a_transaction_that_the_broker_timed_out_costs_the_producer_only() {
    let mut settings = settings();
    settings.transaction_timeout = Duration::from_secs(1);
    let topic = topic(1);
    let mut producer = TransactionalProducer::new(settings, unique("txn")).expect("made");
    ready(&mut producer);
    let started = Instant::now();
    let failure = loop {
        let mut transaction = Transaction::begin(&mut producer, DEADLINE).expect("begun");
        transaction.produce(&output(&topic, "slow"), 0).expect("produced");
        transaction.deliver().expect("delivered");
        // The broker looks for old transactions every ten seconds.
        let until = Instant::now() + Duration::from_secs(12);
        while Instant::now() < until {
            std::thread::park_timeout(until - Instant::now());
        }
        match transaction.commit() {
            Commit::Unknown(failure) => break failure,
            Commit::Committed => assert!(started.elapsed() < DEADLINE, "never timed out"),
        }
    };
    assert_eq!(failure.remedy, Remedy::Rebuild, "{failure}");
    let next = open(&mut producer, &topic, &["next"]);
    assert!(matches!(next.commit(), Commit::Committed));
}
