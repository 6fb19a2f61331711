//! What a pipeline needs on a broker, and how that differs from what is there.

use std::collections::BTreeMap;

use crate::pipeline::{Demand, Differences, ExistingTopic, Plan, Role, TopicPlan};

use super::{ORDERS, orders};

fn plan() -> Plan {
    orders(ORDERS).unwrap().plan()
}

/// A topic as if it had been made by the plan.
fn made(topic: &TopicPlan) -> ExistingTopic {
    let settings = topic.settings.iter();
    ExistingTopic {
        name: topic.name.clone(),
        partitions: topic.partitions,
        settings: settings.map(|each| (each.name.to_owned(), each.value.clone())).collect(),
    }
}

/// A broker on which the plan was applied, but for one topic.
fn broker(changed: &str, change: impl Fn(&mut ExistingTopic)) -> Vec<ExistingTopic> {
    let mut topics: Vec<ExistingTopic> = plan().topics.iter().map(made).collect();
    let topic = topics.iter_mut().find(|topic| topic.name.as_str() == changed);
    change(topic.expect("the plan has the topic that the test changes"));
    topics
}

fn wrong(differences: &Differences) -> Vec<String> {
    differences.wrong.iter().map(ToString::to_string).collect()
}

#[test]
fn the_plan_of_the_orders_pipeline_is_the_one_in_the_snapshot() {
    assert_eq!(plan().to_string(), include_str!("orders.plan.txt"));
}

#[test]
fn a_plan_is_told_to_programs_as_json() {
    let json = serde_json::to_value(plan()).unwrap();
    assert_eq!(json["pipeline"], "orders");
    let topics = json["topics"].as_array().unwrap();
    let inbox = topics.iter().find(|it| it["name"] == "orders.settle.inbox").unwrap();
    assert_eq!(inbox["role"], "inbox");
    assert_eq!(inbox["owner"]["join"], "settle");
    assert_eq!(inbox["settings"][2]["demand"]["at_least"], 7_220_000);
    assert_eq!(json["advice"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_join_keeps_its_records_twice_as_long_as_it_may_look_back() {
    let plan = orders(&ORDERS.replace("timeout: 10s\n", "timeout: 10d\n")).unwrap().plan();
    for role in [Role::Inbox, Role::Journal] {
        let topic = plan.topics.iter().find(|topic| topic.role == role).unwrap();
        let retention = topic.settings.iter().find(|each| each.name == "retention.ms").unwrap();
        let needed = 2 * (10 * 24 + 1) * 3_600_000;
        assert_eq!(retention.demand, Demand::AtLeast(needed));
        assert_eq!(retention.value, needed.to_string());
    }
}

#[test]
fn only_a_join_that_fails_fast_has_cancels_and_only_one_that_keeps_late_parts_has_a_late_topic() {
    let text = ORDERS.replace("on_failed: include", "on_failed: fail_fast");
    let plan = orders(&text.replace("late: topic", "late: drop")).unwrap().plan();
    let names: Vec<&str> = plan.topics.iter().map(|topic| topic.name.as_str()).collect();
    assert!(names.contains(&"orders.settle.cancels"));
    assert!(!names.contains(&"orders.settle.late"));
    let rights = |component: &str| {
        plan.access.iter().find(|access| access.component == component).unwrap().allow.clone()
    };
    let read = "Read topic orders.settle.cancels".to_owned();
    assert!(rights("stage price").contains(&read));
    assert!(
        rights("join settle")
            .contains(&"Write, DescribeConfigs topic orders.settle.cancels".to_owned())
    );
}

#[test]
fn what_is_allowed_but_probably_not_meant_is_advice() {
    let text =
        ORDERS.replace(", key: order_key", "").replace("attempts: 5, item_timeout: 10s, ", "");
    assert_eq!(
        orders(&text).unwrap().plan().advice,
        [
            "the source has no `key`, so stage `split` handles its items in no order; name a key, \
             or say `ordering: none`",
            "one attempt of stage `price` may take 30s, longer than join `settle` waits (10s), and \
             its part is late then; lower `item_timeout` or raise `timeout`",
            "one attempt of stage `supply` may take 1m, longer than join `settle` waits (10s), and \
             its part is late then; lower `item_timeout` or raise `timeout`",
        ]
    );
}

#[test]
fn on_an_empty_broker_every_topic_is_to_be_created() {
    let differences = plan().against(&[]);
    assert_eq!(differences.create, plan().topics);
    assert_eq!((differences.ok.len(), differences.wrong.len()), (0, 0));
}

#[test]
fn after_it_was_applied_a_plan_finds_nothing_to_do() {
    let topics: Vec<ExistingTopic> = plan().topics.iter().map(made).collect();
    let differences = plan().against(&topics);
    assert_eq!(differences.ok.len(), plan().topics.len());
    assert_eq!((differences.create.len(), differences.wrong.len()), (0, 0));
}

#[test]
fn more_partitions_and_longer_retention_than_planned_are_fine() {
    let generous = |topic: &mut ExistingTopic| {
        topic.settings.insert("retention.ms".to_owned(), "-1".to_owned());
    };
    assert_eq!(wrong(&plan().against(&broker("orders.settle.inbox", generous))), [""; 0]);
    let wide = |topic: &mut ExistingTopic| topic.partitions = 20;
    assert_eq!(wrong(&plan().against(&broker("orders.settle.journal", wide))), [""; 0]);
}

#[test]
fn a_topic_with_too_few_partitions_is_wrong() {
    let narrow = |topic: &mut ExistingTopic| topic.partitions = 3;
    assert_eq!(
        wrong(&plan().against(&broker("orders.split", narrow))),
        ["orders.split: has 3 of 8 partitions; run kafka-topics.sh --alter --topic orders.split \
          --partitions 8, while no items wait in it: adding partitions moves keys"]
    );
}

#[test]
fn a_journal_must_be_as_wide_as_the_inbox_is() {
    let wide = |topic: &mut ExistingTopic| topic.partitions = 12;
    let wrong = wrong(&plan().against(&broker("orders.settle.inbox", wide)));
    assert_eq!(
        wrong[0],
        "orders.settle.journal: has 8 of 12 partitions; run kafka-topics.sh --alter --topic \
         orders.settle.journal --partitions 12"
    );
    assert_eq!(wrong.len(), 4, "conflicts, orphans and late parts follow the inbox, too");
}

#[test]
fn an_inbox_that_takes_time_from_its_writers_is_wrong() {
    let by_writers = |topic: &mut ExistingTopic| {
        topic.settings.insert("message.timestamp.type".to_owned(), "CreateTime".to_owned());
    };
    assert_eq!(
        wrong(&plan().against(&broker("orders.settle.inbox", by_writers))),
        ["orders.settle.inbox: message.timestamp.type is CreateTime, must be LogAppendTime; run \
          kafka-configs.sh --alter --topic orders.settle.inbox --add-config \
          message.timestamp.type=LogAppendTime"]
    );
}

#[test]
fn an_inbox_that_forgets_too_soon_is_wrong() {
    let forgetful = |topic: &mut ExistingTopic| {
        topic.settings.insert("retention.ms".to_owned(), "7219999".to_owned());
        topic.settings.remove("retention.bytes");
    };
    let differences = plan().against(&broker("orders.settle.inbox", forgetful));
    let wrong: Vec<&str> = differences.wrong.iter().map(|each| each.wrong.as_str()).collect();
    assert_eq!(
        wrong,
        [
            "retention.bytes is not known, must be -1",
            "retention.ms is 7219999, must be at least 7220000",
        ]
    );
}

#[test]
fn dead_letters_have_room_for_the_largest_item_of_a_topic_that_exists() {
    let large = ExistingTopic {
        name: "orders".into(),
        partitions: 32,
        settings: BTreeMap::from([("max.message.bytes".to_owned(), "5000000".to_owned())]),
    };
    let differences = plan().against(&[large]);
    let dead_letters =
        differences.create.iter().find(|topic| topic.name.as_str() == "orders-dlt").unwrap();
    assert_eq!(dead_letters.partitions, 32);
    let room = dead_letters.settings.iter().find(|each| each.name == "max.message.bytes").unwrap();
    assert_eq!(room.value, "5065536");
}

#[test]
fn dead_letters_without_room_are_wrong() {
    let tight = |topic: &mut ExistingTopic| {
        topic.settings.insert("max.message.bytes".to_owned(), "1048588".to_owned());
    };
    assert_eq!(
        wrong(&plan().against(&broker("orders-dlt", tight))),
        ["orders-dlt: max.message.bytes is 1048588, must be at least 1114124; run \
          kafka-configs.sh --alter --topic orders-dlt --add-config max.message.bytes=1114124"]
    );
}

#[test]
fn the_topics_of_the_user_are_never_wrong() {
    let theirs = |topic: &mut ExistingTopic| {
        topic.partitions = 1;
        topic.settings.insert("cleanup.policy".to_owned(), "compact".to_owned());
    };
    for topic in ["orders", "settled"] {
        assert_eq!(wrong(&plan().against(&broker(topic, theirs))), [""; 0]);
    }
}

#[test]
fn differences_are_told_to_people() {
    let narrow = |topic: &mut ExistingTopic| topic.partitions = 3;
    let mut topics = broker("orders.split", narrow);
    topics.retain(|topic| topic.name.as_str() != "settled");
    let told = plan().against(&topics).to_string();
    let lines: Vec<&str> = told.lines().take(4).collect();
    assert_eq!(
        lines,
        [
            "To create",
            "  TOPIC    PARTITIONS  WHAT FOR",
            "  settled           8  results leave here; yours, made only if missing",
            "As it must be",
        ]
    );
    assert!(told.contains("\nWrong\n  orders.split: has 3 of 8 partitions"));
}
