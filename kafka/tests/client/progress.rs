//! Progress inside transactions, and who may commit it.

use std::time::{Duration, Instant};

use longshore_kafka::client::KafkaBroker;
use longshore_kafka::lane::broker::{Broker, Polled};
use longshore_kafka::{Commit, Failure, Offset, Remedy, Spoiled, Transaction, Transactions};

use crate::harness::*;

#[test]
fn progress_and_its_metadata_are_committed_with_the_outputs() {
    let (input, out) = (topic(1), topic(1));
    let group = unique("group");
    let mut broker = connect(&input, &group);
    join_and_start(&mut broker, 0);
    let metadata = format!("ls1:5:{}", "m".repeat(3000));
    ready(&mut broker);
    let mut transaction = Transaction::begin(&mut broker, DEADLINE).expect("begun");
    transaction.produce(&output(&out, "a"), 0).expect("produced");
    transaction.deliver().expect("delivered");
    transaction.send_progress(&[sent(5, &metadata)]).expect("sent");
    assert!(matches!(transaction.commit(), Commit::Committed));
    let facts = locate(&mut broker, None).expect("located");
    let committed = facts.committed.expect("there is progress");
    assert_eq!((committed.offset, committed.metadata), (Offset(5), metadata));
    assert_eq!(committed_values(&out), ["a"]);
}

#[test]
fn progress_of_an_aborted_transaction_is_forgotten() {
    let (input, out) = (topic(1), topic(1));
    let mut broker = connect(&input, &unique("group"));
    join_and_start(&mut broker, 0);
    let mut transaction = open(&mut broker, &out, &["a"]);
    transaction.send_progress(&[sent(5, "")]).expect("sent");
    drop(transaction);
    assert_eq!(locate(&mut broker, None).expect("located").committed, None);
    assert_eq!(committed_values(&out), Vec::<String>::new());
    assert_eq!(all_values(&out), ["a"]);
}

#[test]
fn metadata_that_is_too_large_stops_and_names_the_setting() {
    let (input, out) = (topic(1), topic(1));
    let mut broker = connect(&input, &unique("group"));
    join_and_start(&mut broker, 0);
    let mut transaction = open(&mut broker, &out, &["a"]);
    let refused = transaction.send_progress(&[sent(5, &"m".repeat(5000))]);
    let Err(Spoiled::Failed(failure)) = refused else { panic!("refused: {refused:?}") };
    assert_eq!(
        (failure.remedy, failure.code.as_str()),
        (Remedy::Stop, "OFFSET_METADATA_TOO_LARGE")
    );
    assert!(failure.message.contains("`offset.metadata.max.bytes`"), "{failure}");
}

#[test]
fn a_lane_that_did_not_poll_in_time_loses_its_partitions_and_its_progress() {
    let (input, out) = (topic(1), topic(1));
    let mut settings = settings();
    settings.transaction_timeout = Duration::from_secs(5);
    settings.session_timeout = Duration::from_secs(6);
    settings.max_poll_interval = Duration::from_secs(7);
    let mut broker =
        KafkaBroker::connect(options(settings, &input, &unique("group"))).expect("connected");
    join_and_start(&mut broker, 0);
    // Silent until the client itself gives up its membership.
    let until = Instant::now() + DEADLINE;
    let refused = loop {
        let mut transaction = open(&mut broker, &out, &["late"]);
        match transaction.send_progress(&[sent(5, "")]) {
            // The broker may have heard of it a moment before the client's own books say so.
            Err(Spoiled::Failed(failure)) if !failure.message.contains("no member") => {
                assert_eq!(failure.remedy, Remedy::Abort, "{failure}");
                assert!(Instant::now() < until, "{failure}");
            }
            Err(Spoiled::Failed(failure)) => break failure,
            other => assert!(Instant::now() < until, "still a member: {other:?}"),
        }
    };
    // Generation -1 and no member id: Kafka itself would let that pass unchecked.
    assert_eq!(refused.remedy, Remedy::Abort, "{refused}");
    assert!(refused.message.contains("no member"), "{refused}");
    let lost = poll_for(&mut broker, |polled| match polled {
        Polled::Revoked { partitions, lost } => {
            assert_eq!(partitions, [P0]);
            Some(lost)
        }
        _ => None,
    });
    assert!(lost);
    broker.release(&[P0]).expect("released");
    assert_eq!(join(&mut broker), [P0], "it joins again");
    assert_eq!(committed_values(&out), Vec::<String>::new());
}

#[test]
fn another_process_in_the_same_slot_stops_the_first() {
    let (input, out) = (topic(1), topic(1));
    let group = unique("group");
    let connect_to_slot = || {
        let mut settings = settings();
        settings.session_timeout = Duration::from_secs(6);
        settings.transaction_timeout = Duration::from_secs(5);
        let mut options = options(settings, &input, &group);
        options.slot = Some("slot-1".to_owned());
        KafkaBroker::connect(options).expect("connected")
    };
    let mut first = connect_to_slot();
    join_and_start(&mut first, 0);
    let mut second = connect_to_slot();
    let taken_over = Instant::now();
    assert_eq!(join(&mut second), [P0]);
    assert!(taken_over.elapsed() < Duration::from_secs(4), "it must not wait for the session");

    let mut transaction = open(&mut first, &out, &["of the first"]);
    let refused = transaction.send_progress(&[sent(5, "")]);
    let Err(Spoiled::Failed(failure)) = refused else { panic!("refused: {refused:?}") };
    assert_eq!(failure.remedy, Remedy::Abort, "{failure}");
    drop(transaction);
    if failure.code == "FENCED_INSTANCE_ID" {
        assert_eq!(first.ready(Duration::ZERO), Ok(false), "it would fence the second");
    }
    let mut heard = Vec::new();
    let until = Instant::now() + DEADLINE;
    while heard.last().is_none_or(|failure: &Failure| failure.remedy != Remedy::Stop) {
        assert!(Instant::now() < until, "nobody tells the first: {heard:?}");
        heard.extend(first.poll(Duration::from_millis(20)).err());
        if !heard.is_empty() {
            assert_eq!(first.ready(Duration::ZERO), Ok(false), "it would fence the second");
        }
        second.poll(Duration::from_millis(20)).expect("the second is left alone");
    }
    let codes: Vec<_> = heard.iter().map(|it| (it.remedy, it.code.as_str())).collect();
    let code = "FENCED_INSTANCE_ID";
    assert_eq!(codes, [(Remedy::Leave, code), (Remedy::Stop, code)]);
    assert!(heard[1].message.contains("give each process a slot of its own"), "{}", heard[1]);
    assert_eq!(committed_values(&out), Vec::<String>::new());
}
