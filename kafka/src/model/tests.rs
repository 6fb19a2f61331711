//! What only the model shows: faults that no real client can be brought to, and its seed. All else
//! is in the contract suite, which the real Kafka passes too.

use std::time::Duration;

use bytes::Bytes;
use longshore_schemas::{Headers, TopicName};

use super::*;
use crate::lane::broker::{Broker, Committed, Polled, Sent};
use crate::{Offset, Outgoing, Partition, Remedy, Transactions};

const WAIT: Duration = Duration::from_millis(10);

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
fn progress_may_be_seen_before_the_records_of_its_transaction_and_after_them() {
    for (held, expected) in [(Held::OfRecords, (0, Some(1))), (Held::OfProgress, (1, None))] {
        let world = World::new();
        let mut member = world.joined("id");
        world.cluster.hold_markers(held);
        member.begin().expect("begins");
        member.produce(&world.to(0, "value"), 0).expect("produces");
        member.send_progress(&[at(0, 1)], WAIT).expect("sends");
        member.commit(WAIT).expect("the outcome is decided");
        assert_eq!((world.values().len(), world.committed(0)), expected, "{held:?}");

        let decided = world.cluster.decided("group", &world.input, Partition(0));
        assert_eq!(decided.map(|it| it.offset), Some(Offset(1)));
        let mut records = 0;
        world.cluster.visit_decided(&world.output, |_| records += 1);
        assert_eq!((records, world.cluster.seen().committed), (1, 1));

        let mut successor = world.cluster.producer("id");
        assert!(!successor.ready(WAIT).expect("it asks"), "its predecessor isn't through");
        world.cluster.release_markers();
        assert!(successor.ready(WAIT).expect("ready"));
        assert_eq!((world.values().len(), world.committed(0)), (1, Some(1)));
    }
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
