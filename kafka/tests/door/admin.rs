//! Topics, logs, groups and progress of a real Kafka.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use longshore_kafka::admin::{Admin, AdminError, GroupProgress, Stability, TimestampType};
use longshore_kafka::client::{BrokerOptions, KafkaBroker};
use longshore_kafka::lane::broker::{Broker, Committed, Polled, Sent};
use longshore_kafka::{Offset, Partition, Settings};
use longshore_schemas::{Timestamp, TopicName};

use crate::broker::{
    admin, fresh, open_transaction, outgoing, settings, topic, until, wanted, write,
};

fn sent(partition: i32, offset: i64, metadata: &str) -> Sent {
    let committed = Committed { offset: Offset(offset), metadata: metadata.to_owned() };
    Sent { partition: Partition(partition), committed }
}

#[test]
fn an_unreachable_broker_is_named_with_what_to_do() {
    // Nothing listens on port 1.
    let error = Admin::connect(&Settings::new("127.0.0.1:1")).err().expect("nobody is there");
    let text = error.to_string();
    assert!(matches!(error, AdminError::Unreachable { .. }), "{text}");
    assert!(text.contains("127.0.0.1:1") && text.contains("longshore up"), "{text}");
    assert!(text.contains("refused"), "why, too: {text}");
}

#[test]
fn a_topic_is_created_described_and_deleted() {
    let name = TopicName::from(fresh("topic"));
    let wanted = wanted(
        &name,
        3,
        &[
            ("max.message.bytes", "2000000"),
            ("message.timestamp.type", "LogAppendTime"),
            ("retention.ms", "-1"),
            ("retention.bytes", "5000"),
        ],
    );
    let admin = admin();
    admin.create_topics(std::slice::from_ref(&wanted)).expect("created");
    let topics = admin.topics(&[name.clone(), TopicName::from("door-no-such")]).expect("described");
    let [topic] = topics.as_slice() else { panic!("{topics:?}") };
    assert_eq!(topic.partitions, [0, 1, 2].map(Partition));
    assert_eq!(topic.settings.max_message_bytes, 2_000_000);
    assert_eq!(topic.settings.timestamp_type, TimestampType::LogAppendTime);
    assert_eq!(topic.settings.cleanup_policy, "delete");
    assert_eq!((topic.settings.retention, topic.settings.retention_bytes), (None, Some(5_000)));
    assert!(admin.topic_names().expect("listed").iter().any(|(it, _)| *it == name));
    admin.delete_topics(&[name.clone(), TopicName::from("door-no-such")]).expect("deleted");
    assert!(admin.topics(&[name]).expect("described").is_empty());
}

#[test]
fn a_topic_that_exists_is_fine_only_if_it_fits() {
    let name = topic("fits", 2, &[("retention.ms", "60000")]);
    let admin = admin();
    admin.create_topics(&[wanted(&name, 2, &[("retention.ms", "60000")])]).expect("fits");
    let error =
        admin.create_topics(&[wanted(&name, 4, &[("retention.ms", "9")])]).expect_err("misfit");
    let AdminError::Misfit { differences, .. } = &error else { panic!("{error}") };
    assert_eq!(
        differences.as_slice(),
        ["has 2 partitions instead of 4", "has retention.ms=60000 instead of 9"]
    );
}

#[test]
fn all_who_create_the_same_topics_at_once_find_them_all() {
    let admins: [Admin; 6] = std::array::from_fn(|_| admin());
    for _ in 0..20 {
        let names: Vec<_> = (0..3).map(|_| TopicName::from(fresh("raced"))).collect();
        let wanted: Vec<_> = names.iter().map(|name| wanted(name, 4, &[])).collect();
        let start = Barrier::new(admins.len());
        let create = |admin: &Admin| {
            start.wait();
            admin.create_topics(&wanted).expect("created, or found");
            admin.topics(&names).expect("described").len()
        };
        let found = thread::scope(|scope| {
            let create = &create;
            let tried = admins.each_ref().map(|admin| scope.spawn(move || create(admin)));
            tried.map(|it| it.join().expect("no panic"))
        });
        assert_eq!(found, [names.len(); 6]);
    }
}

#[test]
fn an_invalid_topic_is_refused_with_the_brokers_reason() {
    let bad = wanted(&TopicName::from(fresh("bad")), 1, &[("cleanup.policy", "hope")]);
    let error = admin().create_topics(&[bad]).expect_err("refused");
    assert!(matches!(error, AdminError::Refused { .. }), "{error}");
}

#[test]
fn watermarks_show_the_start_the_stable_end_and_the_end() {
    let topic = topic("watermarks", 2, &[]);
    write(&[outgoing(&topic, 0, "k", "0"), outgoing(&topic, 0, "k", "1")]);
    let open = open_transaction(&[outgoing(&topic, 0, "k", "2")]);
    let admin = admin();
    admin.delete_records(&topic, &[(Partition(0), Offset(1))]).expect("deleted");
    let marks = admin.watermarks(&topic).expect("watermarks");
    let numbers: Vec<_> = marks
        .iter()
        .map(|it| (it.partition.0, it.log_start.0, it.last_stable.0, it.high.0))
        .collect();
    assert_eq!(numbers, [(0, 1, 3, 4), (1, 0, 0, 0)]);
    drop(open);
}

#[test]
fn offsets_are_found_by_time() {
    let topic = topic("times", 2, &[]);
    let timed = [1_000, 2_000].map(|at| {
        let mut record = outgoing(&topic, 0, "k", "");
        record.timestamp = Some(Timestamp(at));
        record
    });
    write(&timed);
    let admin = admin();
    let at = |millis| admin.offsets_at(&topic, Timestamp(millis)).expect("found");
    let places = |zero| vec![(Partition(0), Offset(zero)), (Partition(1), Offset(0))];
    assert_eq!(at(1_500), places(1));
    assert_eq!(at(0), places(0));
    assert_eq!(at(2_001), places(2), "the marker, which has a time too");
    assert_eq!(at(i64::MAX), places(3), "the end, behind the marker");
}

#[test]
fn progress_of_a_group_without_members_is_written_and_read_with_its_metadata() {
    let topic = topic("progress", 2, &[]);
    let group = fresh("group");
    let progress = GroupProgress::open(&settings(), &group).expect("opened");
    let none = vec![(Partition(0), None), (Partition(1), None)];
    assert_eq!(progress.read(&topic, Stability::Stable).expect("read"), none);
    assert!(progress.describe().expect("described").is_none());
    let zero = sent(0, 0, "ls1:anything");
    progress.write(&topic, std::slice::from_ref(&zero)).expect("written");
    for stability in [Stability::Stable, Stability::AsWritten] {
        let found = progress.read(&topic, stability).expect("read");
        let expected = [(Partition(0), Some(zero.committed.clone())), (Partition(1), None)];
        assert_eq!(found, expected, "offset 0 isn't none");
    }
    let admin = admin();
    assert_eq!(admin.group(&group).expect("described").expect("known").state, "Empty");
    admin.delete_group(&group).expect("deleted");
    admin.delete_group(&group).expect("already gone is fine");
    assert_eq!(progress.read(&topic, Stability::Stable).expect("read"), none);
}

#[test]
fn progress_of_a_live_group_is_not_touched_and_its_members_are_named() {
    let topic = topic("live", 2, &[]);
    let group = fresh("group");
    let mut member = KafkaBroker::connect(BrokerOptions {
        settings: settings(),
        topic: topic.clone(),
        group: group.clone(),
        slot: None,
        transactional_id: fresh("id"),
    })
    .expect("connected");
    until("the member is assigned", || {
        let polled = member.poll(Duration::from_millis(50)).expect("polls");
        if let Some(Polled::Assigned(partitions)) = &polled {
            member.accept(partitions).expect("accepted");
        }
        matches!(polled, Some(Polled::Assigned(partitions)) if partitions.len() == 2)
    });
    let admin = admin();
    let found = admin.group(&group).expect("described").expect("known");
    assert_eq!(found.state, "Stable");
    let assigned: Vec<_> = found.members.iter().flat_map(|it| it.assigned.clone()).collect();
    assert_eq!(assigned, [(topic.clone(), Partition(0)), (topic.clone(), Partition(1))]);

    let progress = GroupProgress::open(&settings(), &group).expect("opened");
    let error = progress.write(&topic, &[sent(0, 1, "")]).expect_err("refused");
    assert!(matches!(&error, AdminError::GroupLive { members, .. } if members.len() == 1));
    assert!(error.to_string().contains("longshore at 127.0.0.1"), "{error}");
    let error = admin.delete_group(&group).expect_err("refused");
    assert!(matches!(error, AdminError::GroupLive { .. }), "{error}");
    assert_eq!(progress.read(&topic, Stability::Stable).expect("read")[0].1, None);
}

#[test]
fn questions_about_a_topic_that_does_not_exist_say_so() {
    let missing = TopicName::from(fresh("missing"));
    let error = admin().watermarks(&missing).expect_err("there is none");
    assert!(matches!(error, AdminError::UnknownTopic { .. }), "{error}");
}
