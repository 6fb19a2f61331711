//! What only the model can show: requests that come late, markers that wait, answers that are lost.
//! All else is in the contract suite, which the real Kafka passes too.

use std::time::Duration;

use bytes::Bytes;
use longshore_schemas::{Headers, TopicName};

use super::*;
use crate::lane::broker::{Broker, Committed, Locate, Polled, Sent};
use crate::{Offset, Outgoing, Partition, Remedy, Transactions};

const WAIT: Duration = Duration::from_millis(10);
/// The model answers for records within this.
const DELIVERED: Duration = Duration::from_secs(1);

struct World {
    cluster: Cluster,
    input: TopicName,
    output: TopicName,
}

impl World {
    fn new() -> Self {
        let world = Self { cluster: Cluster::new(7), input: "in".into(), output: "out".into() };
        world.cluster.create_topic(&world.input, 2);
        world.cluster.create_topic(&world.output, 2);
        world
    }

    fn member(&self, id: &str) -> Member {
        self.cluster.member("group", &self.input, id)
    }

    fn joined(&self, id: &str) -> Member {
        let mut member = self.member(id);
        take_assignment(&mut member);
        assert!(member.ready(WAIT).expect("ready"));
        member
    }

    fn to(&self, partition: i32, value: &'static str) -> Outgoing {
        Outgoing {
            topic: self.output.clone(),
            partition: Some(Partition(partition)),
            key: None,
            value: Some(Bytes::from_static(value.as_bytes())),
            headers: Headers::new(),
            timestamp: None,
        }
    }

    fn committed(&self, partition: i32) -> Option<i64> {
        let committed = self.cluster.committed("group", &self.input, Partition(partition));
        committed.map(|it| it.offset.0)
    }

    fn values(&self) -> Vec<String> {
        let records = self.cluster.read_committed(&self.output);
        records.into_iter().map(|it| text(it.value.expect("has one"))).collect()
    }
}

fn text(bytes: Bytes) -> String {
    String::from_utf8(bytes.to_vec()).expect("the tests write text")
}

fn take_assignment(member: &mut Member) -> Vec<Partition> {
    for _ in 0..10 {
        if let Some(Polled::Assigned(partitions)) = member.poll(WAIT).expect("polls") {
            member.accept(&partitions).expect("accepts");
            return partitions;
        }
    }
    panic!("no assignment came");
}

fn at(partition: i32, offset: i64) -> Sent {
    let committed = Committed { offset: Offset(offset), metadata: String::new() };
    Sent { partition: Partition(partition), committed }
}

#[test]
fn a_late_commit_ends_a_later_transaction_of_the_same_producer() {
    let world = World::new();
    let mut producer = world.cluster.producer("id");
    assert!(producer.ready(WAIT).expect("ready"));
    producer.begin().expect("begins");
    producer.produce(&world.to(0, "first"), 0).expect("produces");
    world.cluster.fail_next(Call::Commit, Fault::Late(Duration::from_secs(5)));
    assert_eq!(producer.commit(WAIT).expect_err("late").remedy, Remedy::Retry);
    producer.commit(WAIT).expect("the second copy commits");
    assert!(producer.tainted());

    producer.begin().expect("begins");
    producer.produce(&world.to(0, "torn"), 0).expect("produces");
    assert_eq!(producer.deliveries(DELIVERED).pending, 0);
    world.cluster.advance(Duration::from_secs(5));
    assert_eq!(world.values(), ["first", "torn"], "though nobody committed it");
    assert_eq!(world.cluster.seen().late, 1);
}

#[test]
fn a_rebuilt_producer_is_safe_from_late_copies() {
    let world = World::new();
    let mut producer = world.cluster.producer("id");
    assert!(producer.ready(WAIT).expect("ready"));
    producer.begin().expect("begins");
    producer.produce(&world.to(0, "first"), 0).expect("produces");
    world.cluster.fail_next(Call::Commit, Fault::Late(Duration::from_secs(5)));
    producer.commit(WAIT).expect_err("late");
    producer.commit(WAIT).expect("the second copy commits");
    producer.discard_producer();
    assert!(producer.ready(WAIT).expect("ready") && !producer.tainted());

    producer.begin().expect("begins");
    producer.produce(&world.to(0, "second"), 0).expect("produces");
    assert_eq!(producer.deliveries(DELIVERED).pending, 0);
    world.cluster.advance(Duration::from_secs(5));
    assert_eq!(world.values(), ["first"]);
    assert_eq!(world.cluster.seen().late, 0);
    producer.commit(WAIT).expect("commits");
}

#[test]
fn late_progress_overwrites_that_of_a_later_transaction() {
    let world = World::new();
    let mut member = world.joined("id");
    member.begin().expect("begins");
    world.cluster.fail_next(Call::SendProgress, Fault::Late(Duration::from_secs(5)));
    member.send_progress(&[at(0, 1)], WAIT).expect_err("late");
    member.send_progress(&[at(0, 1)], WAIT).expect("the second copy arrives");
    member.commit(WAIT).expect("commits");

    member.begin().expect("begins");
    member.send_progress(&[at(0, 2)], WAIT).expect("sends");
    world.cluster.advance(Duration::from_secs(5));
    member.commit(WAIT).expect("commits");
    assert_eq!(world.committed(0), Some(1), "the position went back");
}

#[test]
fn an_unknown_commit_may_have_landed_or_not() {
    for (fault, landed) in
        [(Fault::AnswerLost(Remedy::Rebuild), true), (Fault::Fails(Remedy::Rebuild), false)]
    {
        let world = World::new();
        let mut member = world.joined("id");
        member.begin().expect("begins");
        member.produce(&world.to(0, "value"), 0).expect("produces");
        member.send_progress(&[at(0, 1)], WAIT).expect("sends");
        world.cluster.fail_next(Call::Commit, fault);
        assert_eq!(member.commit(WAIT).expect_err("unknown").remedy, Remedy::Rebuild);
        member.discard_producer();
        assert!(member.ready(WAIT).expect("ready"));
        assert_eq!(world.values().len(), usize::from(landed));
        assert_eq!(world.committed(0), landed.then_some(1));
    }
}

#[test]
fn a_repeated_commit_is_answered_like_the_first() {
    let world = World::new();
    let mut producer = world.cluster.producer("id");
    assert!(producer.ready(WAIT).expect("ready"));
    producer.begin().expect("begins");
    producer.produce(&world.to(0, "value"), 0).expect("produces");
    world.cluster.fail_next(Call::Commit, Fault::AnswerLost(Remedy::Retry));
    producer.commit(WAIT).expect_err("no answer");
    assert_eq!(producer.abort(WAIT).expect_err("conflict").code, "_CONFLICT");
    producer.commit(WAIT).expect("commits");
    assert_eq!(world.cluster.seen().committed, 1);
}

#[test]
fn until_its_markers_are_written_a_commit_is_seen_by_nobody() {
    let world = World::new();
    let mut member = world.joined("id");
    world.cluster.hold_markers();
    member.begin().expect("begins");
    member.produce(&world.to(0, "value"), 0).expect("produces");
    member.send_progress(&[at(0, 1)], WAIT).expect("sends");
    member.commit(WAIT).expect("the outcome is decided");
    assert_eq!((world.values().len(), world.committed(0)), (0, None));
    member.locate(Locate::progress(1, vec![Partition(0)]));
    assert!(member.poll(WAIT).expect("polls").is_none(), "progress isn't stable");

    let mut successor = world.cluster.producer("id");
    assert!(!successor.ready(WAIT).expect("asks"), "its predecessor isn't through");
    world.cluster.release_markers();
    assert!(successor.ready(WAIT).expect("ready"));
    assert_eq!((world.values().len(), world.committed(0)), (1, Some(1)));
    assert!(matches!(member.poll(WAIT), Ok(Some(Polled::Located(_)))));
}

#[test]
fn records_wait_while_the_markers_of_the_transaction_before_are_written() {
    let world = World::new();
    let mut producer = world.cluster.producer("id");
    assert!(producer.ready(WAIT).expect("ready"));
    world.cluster.hold_markers();
    producer.begin().expect("begins");
    producer.produce(&world.to(0, "first"), 0).expect("produces");
    producer.commit(WAIT).expect("commits");
    producer.begin().expect("begins");
    producer.produce(&world.to(0, "second"), 0).expect("queues");
    assert_eq!(producer.deliveries(DELIVERED).pending, 1);
    world.cluster.release_markers();
    assert_eq!(producer.deliveries(DELIVERED).pending, 0);
}

#[test]
fn of_two_producers_the_progress_appended_last_counts() {
    let world = World::new();
    let mut older = world.joined("older");
    let mut newer = world.cluster.producer("newer");
    assert!(newer.ready(WAIT).expect("ready"));
    older.begin().expect("begins");
    older.send_progress(&[at(0, 1)], WAIT).expect("sends");
    let mut second = world.joined_beside(&mut older, "second");
    second.begin().expect("begins");
    second.send_progress(&[at(0, 2)], WAIT).expect("sends");
    second.commit(WAIT).expect("commits first");
    older.commit(WAIT).expect("commits last");
    assert_eq!(world.committed(0), Some(2));
}

impl World {
    fn joined_beside(&self, other: &mut Member, id: &str) -> Member {
        let mut member = self.member(id);
        assert!(member.poll(WAIT).expect("polls").is_none(), "its share isn't free yet");
        let Some(Polled::Revoked { partitions, lost: false }) = other.poll(WAIT).expect("polls")
        else {
            panic!("the other should be asked for its share")
        };
        assert!(member.poll(WAIT).expect("polls").is_none(), "not before it is let go of");
        other.release(&partitions).expect("releases");
        assert_eq!(take_assignment(&mut member), partitions);
        assert!(member.ready(WAIT).expect("ready"));
        member
    }
}

#[test]
fn a_generation_that_wasnt_heard_of_is_stale_until_the_next_poll() {
    let world = World::new();
    let mut behind = world.joined("behind");
    world.cluster.fall_behind(behind.id());
    world.cluster.rebalance("group");
    behind.begin().expect("begins");
    let refused = behind.send_progress(&[at(0, 1)], WAIT).expect_err("stale");
    assert_eq!((refused.code.as_str(), refused.remedy), ("ILLEGAL_GENERATION", Remedy::Abort));
    behind.abort(WAIT).expect("aborts");
    behind.poll(WAIT).expect("hears");
    behind.begin().expect("begins");
    behind.send_progress(&[at(0, 1)], WAIT).expect("sends");
}

#[test]
fn a_member_that_never_joined_is_refused_before_anything_is_sent() {
    let world = World::new();
    let mut member = world.member("id");
    assert!(member.ready(WAIT).expect("ready"));
    member.begin().expect("begins");
    let refused = member.send_progress(&[at(0, 1)], WAIT).expect_err("no membership");
    assert_eq!(refused.remedy, Remedy::Abort);
}

#[test]
fn the_group_checks_nothing_without_a_membership() {
    let world = World::new();
    let _member = world.joined("id");
    let state = world.cluster.lock();
    assert_eq!(state.groups["group"].check(None), Ok(()));
}

#[test]
fn a_crashed_members_partitions_move_when_its_session_runs_out() {
    let world = World::new();
    let mut dying = world.joined("dying");
    let mut heir = world.joined_beside(&mut dying, "heir");
    dying.begin().expect("begins");
    dying.produce(&world.to(0, "never seen"), 0).expect("produces");
    assert_eq!(dying.deliveries(WAIT).pending, 0);
    world.cluster.fail_next_of("dying", Call::Commit, Fault::Crash);
    assert_eq!(dying.commit(WAIT).expect_err("dead").remedy, Remedy::Stop);
    drop(dying);
    assert!(heir.poll(Duration::from_secs(20)).expect("polls").is_none());
    assert_eq!(world.cluster.seen().timed_out, 1);
    assert!(heir.poll(Duration::from_secs(30)).expect("polls").is_none());
    assert_eq!(take_assignment(&mut heir).len(), 1);
    assert!(world.values().is_empty());
}

#[test]
fn a_slot_passes_to_its_next_holder_at_once() {
    let world = World::new();
    let in_slot = |id: &str| {
        world.cluster.member_as(Identity {
            group: "group".to_owned(),
            topic: world.input.clone(),
            transactional_id: id.to_owned(),
            slot: Some("slot".to_owned()),
        })
    };
    let mut old = in_slot("id");
    let partitions = take_assignment(&mut old);
    old.crash();
    let mut new = in_slot("id");
    assert_eq!(take_assignment(&mut new), partitions);
}

#[test]
fn a_lost_session_is_heard_of_at_the_next_poll_and_then_healed() {
    let world = World::new();
    let mut member = world.joined("id");
    member.begin().expect("begins");
    world.cluster.fail_next(Call::SendProgress, Fault::SessionLost);
    assert_eq!(member.send_progress(&[at(0, 1)], WAIT).expect_err("lost").remedy, Remedy::Abort);
    let Some(Polled::Revoked { partitions, lost: true }) = member.poll(WAIT).expect("polls") else {
        panic!("it should hear of its loss")
    };
    member.release(&partitions).expect("releases");
    assert_eq!(take_assignment(&mut member), partitions);
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let history = |seed| {
        let cluster = Cluster::new(seed);
        let topic = TopicName::from("in");
        cluster.create_topic(&topic, 4);
        for index in 0..40 {
            cluster.append(&topic, Partition(index % 4), None, "value");
        }
        let mut member = cluster.member("group", &topic, "id");
        for partition in take_assignment(&mut member) {
            member.start(partition, Offset(0)).expect("starts");
        }
        cluster.fail_at_random(3, &[(Call::Poll, Fault::Fails(Remedy::Retry))]);
        (0..80).map(|_| format!("{:?}", member.poll(WAIT))).collect::<Vec<_>>()
    };
    assert_eq!(history(1), history(1));
    assert_ne!(history(1), history(2));
}
