//! A request whose client has given it up arrives when the next transaction is open (KAFKA-17754).
//!
//! Each fault comes twice: to a producer that is used again, where it does its harm, and to one
//! that is replaced because it is tainted, where it can do none.

use longshore_chaos::{ApiKey, Then, Trap};
use longshore_kafka::client::{BrokerOptions, KafkaBroker, TransactionalProducer};
use longshore_kafka::lane::broker::Committed;
use longshore_kafka::{Commit, Offset, Transactions};

use crate::harness::*;
use crate::proxied::Proxied;

/// What is done with a producer whose request may arrive late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Reused,
    ReplacedIfTainted,
}

impl Next {
    fn after<T: Transactions>(self, producer: &mut T) {
        if self == Self::ReplacedIfTainted {
            assert!(producer.tainted(), "nothing tells that a request may still be under way");
            producer.discard_producer();
        }
    }
}

/// Commits a transaction whose EndTxn is kept back until the next one is open, which is aborted.
fn values_after_a_late_end(next: Next) -> Vec<String> {
    let kafka = Proxied::alone();
    let topic = topic_with(&kafka.direct(), 1, &[]);
    let mut producer = TransactionalProducer::new(kafka.settings(), unique("txn")).expect("made");
    let transaction = open(&mut producer, &topic, &["committed"]);
    kafka.hold_next(ApiKey::END_TXN, Then::Reset);
    assert!(matches!(transaction.commit(), Commit::Committed), "the client asks again by itself");
    next.after(&mut producer);
    let transaction = open(&mut producer, &topic, &["aborted"]);
    kafka.deliver_held();
    drop(transaction);
    values(&kafka.direct(), &topic, "read_committed")
}

#[test]
fn a_late_end_commits_what_the_next_transaction_of_its_producer_aborts() {
    assert_eq!(values_after_a_late_end(Next::Reused), ["committed", "aborted"]);
}

#[test]
fn a_late_end_does_nothing_to_a_producer_that_was_replaced() {
    assert_eq!(values_after_a_late_end(Next::ReplacedIfTainted), ["committed"]);
}

/// Commits progress 5, whose TxnOffsetCommit is kept back until 10 has been sent and not yet
/// committed.
fn progress_after_a_late_copy(next: Next) -> Committed {
    let kafka = Proxied::alone();
    let (input, out) = (topic_with(&kafka.direct(), 1, &[]), topic_with(&kafka.direct(), 1, &[]));
    let options = BrokerOptions { ..options(kafka.settings(), &input, &unique("group")) };
    let mut broker = KafkaBroker::connect(options).expect("connected");
    join_and_start(&mut broker, 0);
    let mut first = open(&mut broker, &out, &["first"]);
    kafka.hold_next(ApiKey::TXN_OFFSET_COMMIT, Then::Reset);
    first.send_progress(&[sent(5, "first")]).expect("the client asks again by itself");
    assert!(matches!(first.commit(), Commit::Committed));
    next.after(&mut broker);
    let mut second = open(&mut broker, &out, &["second"]);
    second.send_progress(&[sent(10, "second")]).expect("sent");
    kafka.deliver_held();
    assert!(matches!(second.commit(), Commit::Committed));
    locate(&mut broker, None).expect("located").committed.expect("there is progress")
}

#[test]
fn late_progress_takes_the_next_transaction_of_its_producer_back() {
    let back = Committed { offset: Offset(5), metadata: "first".to_owned() };
    assert_eq!(progress_after_a_late_copy(Next::Reused), back);
}

#[test]
fn late_progress_does_nothing_to_a_producer_that_was_replaced() {
    let ahead = Committed { offset: Offset(10), metadata: "second".to_owned() };
    assert_eq!(progress_after_a_late_copy(Next::ReplacedIfTainted), ahead);
}

/// Whoever asks again by itself, and is answered then, has left a copy behind. Nothing but the
/// failure of the connection tells: every call is Ok.
#[test]
fn a_request_that_was_not_answered_taints_before_the_commit_returns() {
    let kafka = Proxied::alone();
    let (input, out) = (topic_with(&kafka.direct(), 1, &[]), topic_with(&kafka.direct(), 1, &[]));
    let options = options(kafka.settings(), &input, &unique("group"));
    let mut broker = KafkaBroker::connect(options).expect("connected");
    join_and_start(&mut broker, 0);
    let traps = ApiKey::TRANSACTIONAL.into_iter().flat_map(|of| {
        let lost = [Then::Cut, Then::Reset].map(|then| Trap::SwallowAnswer { of, then });
        let late = Trap::HoldRequest { of, at_most: DEADLINE, then: Then::Reset };
        lost.into_iter().chain([late])
    });
    for (number, trap) in (1..).zip(traps) {
        ready(&mut broker);
        assert!(kafka.control.set_trap(trap, 1));
        let mut transaction = open(&mut broker, &out, &["v"]);
        transaction.send_progress(&[sent(number, "")]).expect("sent");
        assert!(matches!(transaction.commit(), Commit::Committed), "{trap:?}");
        assert!(broker.tainted(), "{trap:?}");
        broker.discard_producer();
        kafka.control.release();
    }
    let counts = kafka.control.counts();
    assert!(counts.swallowed >= 8 && counts.held >= 4, "{counts:?}");
}
