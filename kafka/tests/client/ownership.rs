//! Every partition finds an owner, whenever a member dies.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use longshore_chaos::{ApiKey, Rules, Then};
use longshore_kafka::client::{BrokerOptions, KafkaBroker, MEMBERSHIP_LOST};
use longshore_kafka::lane::broker::{Broker, Polled, Sent};
use longshore_kafka::{Failure, Partition, Remedy, Settings, Spoiled, Transaction};
use longshore_schemas::TopicName;

use crate::harness::{DEADLINE, join, options, ready, sent, settings, topic, topic_with, unique};
use crate::proxied::Proxied;

fn in_slot(slot: &str, topic: &TopicName, group: &str) -> KafkaBroker {
    in_slot_by(settings(), slot, topic, group)
}

fn in_slot_by(settings: Settings, slot: &str, topic: &TopicName, group: &str) -> KafkaBroker {
    let options = options(settings, topic, group);
    let options = BrokerOptions { slot: Some(slot.to_owned()), ..options };
    KafkaBroker::connect(options).expect("connected")
}

/// Answers one event. The partitions it brings are added, those it takes are removed.
fn answer(member: &mut KafkaBroker, owned: &mut BTreeSet<Partition>) {
    match member.poll(Duration::from_millis(20)).expect("polled") {
        Some(Polled::Assigned(partitions)) => {
            member.accept(&partitions).expect("accepted");
            owned.extend(partitions);
        }
        Some(Polled::Revoked { partitions, .. }) => {
            member.release(&partitions).expect("released");
            owned.retain(|it| !partitions.contains(it));
        }
        _ => {}
    }
}

/// What is asked back from the first member, and not answered, while the second one joins.
fn asked_back(
    first: &mut KafkaBroker,
    (second, of_second): (&mut KafkaBroker, &mut BTreeSet<Partition>),
) -> Vec<Partition> {
    let until = Instant::now() + DEADLINE;
    loop {
        assert!(Instant::now() < until, "nothing was asked back");
        answer(second, of_second);
        match first.poll(Duration::from_millis(20)).expect("polled") {
            Some(Polled::Revoked { partitions, .. }) => return partitions,
            Some(Polled::Assigned(partitions)) => first.accept(&partitions).expect("accepted"),
            _ => {}
        }
    }
}

#[test]
fn a_member_that_dies_between_the_rounds_of_a_rebalance_leaves_no_partition_alone() {
    let topic = topic(4);
    let group = unique("group");
    let mut first = in_slot("first", &topic, &group);
    assert_eq!(join(&mut first).len(), 4);
    // The second member's share is asked back from the first, which dies before it has answered.
    let mut second = in_slot("second", &topic, &group);
    let mut of_second = BTreeSet::new();
    asked_back(&mut first, (&mut second, &mut of_second));
    drop(first);
    let mut successor = in_slot("first", &topic, &group);
    let mut of_successor = BTreeSet::new();
    let until = Instant::now() + DEADLINE;
    while of_second.len() + of_successor.len() < 4 {
        assert!(Instant::now() < until, "without an owner: {of_second:?} {of_successor:?}");
        answer(&mut second, &mut of_second);
        answer(&mut successor, &mut of_successor);
    }
    assert!(of_second.is_disjoint(&of_successor), "{of_second:?} {of_successor:?}");
}

/// As `kept` is in the group now, in a transaction of its own.
fn commit(member: &mut KafkaBroker, kept: &Sent) -> Result<(), Failure> {
    ready(member);
    let mut transaction = Transaction::begin(member, DEADLINE).expect("begun");
    match transaction.send_progress(std::slice::from_ref(kept)) {
        Ok(()) => drop(transaction.commit()),
        Err(Spoiled::Failed(failure)) => return Err(failure),
        Err(Spoiled::Refused(refused)) => panic!("nothing was written: {refused:?}"),
    }
    Ok(())
}

/// With a session of 6 seconds.
fn short(mut settings: Settings) -> Settings {
    settings.session_timeout = Duration::from_secs(6);
    settings.transaction_timeout = Duration::from_secs(5);
    settings
}

/// Its session ends while it is asked for half of what it has. The group takes it in again, since
/// it has a slot, and the client never says that the other half is lost.
#[test]
fn a_member_that_was_lost_in_a_rebalance_commits_nothing_of_what_it_kept() {
    let kafka = Proxied::alone();
    let topic = topic_with(&kafka.direct(), 4, &[]);
    let group = unique("group");
    let mut first = in_slot_by(short(kafka.settings()), "first", &topic, &group);
    assert_eq!(join(&mut first).len(), 4);
    let direct = || short(Settings::new(kafka.direct()));
    let mut second = in_slot_by(direct(), "second", &topic, &group);
    let mut of_second = BTreeSet::new();
    let asked = asked_back(&mut first, (&mut second, &mut of_second));
    let kept = (0..4).map(Partition).find(|it| !asked.contains(it)).expect("two are kept");

    kafka.control.set_rules(Rules { black_hole: true, ..Rules::default() });
    let until = Instant::now() + DEADLINE;
    while of_second.len() < 4 {
        assert!(Instant::now() < until, "the second has only {of_second:?}");
        answer(&mut second, &mut of_second);
    }
    let by_second = Sent { partition: kept, ..sent(50, "second") };
    commit(&mut second, &by_second).expect("it owns all");
    kafka.control.set_rules(Rules::default());

    first.release(&asked).expect("released");
    let by_first = Sent { partition: kept, ..sent(10, "first") };
    let mut of_first = BTreeSet::new();
    let until = Instant::now() + DEADLINE;
    let lost = loop {
        assert!(Instant::now() < until, "it never hears that it has lost its partitions");
        answer(&mut second, &mut of_second);
        match first.poll(Duration::from_millis(20)) {
            Err(failure) if failure.remedy == Remedy::Leave => break failure,
            Err(failure) => assert_eq!(failure.remedy, Remedy::Retry, "{failure}"),
            Ok(Some(Polled::Revoked { lost: true, .. })) => panic!("the client tells by now: good"),
            Ok(Some(Polled::Assigned(partitions))) => first.accept(&partitions).expect("accepted"),
            Ok(Some(Polled::Revoked { partitions, .. })) => {
                first.release(&partitions).expect("released");
            }
            Ok(_) => {}
        }
        let sent = commit(&mut first, &by_first);
        assert!(sent.is_err(), "it committed progress of a partition that another one has");
    };
    assert_eq!(lost.code, MEMBERSHIP_LOST, "{lost}");
    let until = Instant::now() + DEADLINE;
    while of_first.is_empty() || of_first.len() + of_second.len() < 4 {
        assert!(Instant::now() < until, "it never comes back: {of_first:?} {of_second:?}");
        answer(&mut second, &mut of_second);
        answer(&mut first, &mut of_first);
    }
    assert!(of_first.is_disjoint(&of_second), "{of_first:?} {of_second:?}");
}

/// Its connection breaks under its request to join, so it joins by another one. The first request
/// comes all the same, and the group has a member in the slot that nobody is.
#[test]
fn a_member_that_is_fenced_by_a_late_request_of_its_own_comes_again() {
    let kafka = Proxied::alone();
    let topic = topic_with(&kafka.direct(), 2, &[]);
    kafka.hold_next(ApiKey::JOIN_GROUP, Then::Reset);
    let mut member = in_slot_by(short(kafka.settings()), "slot", &topic, &unique("group"));
    assert_eq!(join(&mut member).len(), 2);
    commit(&mut member, &sent(10, "before")).expect("it owns all");
    kafka.deliver_held();

    let until = Instant::now() + DEADLINE;
    let lost = loop {
        assert!(Instant::now() < until, "it was never fenced");
        if let Err(failure) = member.poll(Duration::from_millis(20)) {
            break failure;
        }
    };
    assert_eq!((lost.remedy, lost.code.as_str()), (Remedy::Leave, "FENCED_INSTANCE_ID"), "{lost}");
    let refused = member.send_progress(&[sent(20, "of nobody")], DEADLINE);
    assert_eq!(refused.map_err(|it| it.remedy), Err(Remedy::Abort));
    let lost_at = Instant::now();
    assert_eq!(join(&mut member).len(), 2);
    let took = lost_at.elapsed();
    assert!(took < Duration::from_secs(6 + 5), "a session, and little more: {took:?}");
    commit(&mut member, &sent(20, "after")).expect("it owns all");
}
