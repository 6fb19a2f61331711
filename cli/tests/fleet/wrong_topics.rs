//! Topics that are missing, too narrow, or deleted under the fleet.

use longshore_kafka::admin::NewTopic;

use crate::machine::{Orders, until};

#[test]
fn a_fleet_without_its_topics_does_not_start() {
    let orders = Orders::new("missing");
    for command in ["work", "coordinate"] {
        let said = orders.run(&[command]);
        assert_eq!(said.code, Some(4), "{said:?}");
        assert!(said.complaint.contains("create them by `longshore apply`"), "{said:?}");
        assert!(said.complaint.contains(&orders.topic("settle.inbox")), "{said:?}");
    }
}

#[test]
fn a_topic_that_is_too_narrow_is_named_and_nothing_is_created() {
    let orders = Orders::new("narrow");
    let narrow = NewTopic {
        name: orders.topic("split").as_str().into(),
        partitions: 1,
        replication: None,
        settings: [("cleanup.policy", "delete"), ("retention.bytes", "-1")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    };
    orders.admin().create_topics(&[narrow]).unwrap();
    for command in ["apply", "run", "work"] {
        let said = orders.run(&[command]);
        assert_eq!(said.code, Some(4), "{said:?}");
        assert!(said.complaint.contains("split: has 1 of 8 partitions"), "{said:?}");
    }
    assert_eq!(orders.run(&["plan"]).code, Some(4));
    let inbox = orders.topic("settle.inbox").as_str().into();
    assert_eq!(orders.admin().topics(&[inbox]).unwrap(), []);
}

#[test]
fn a_topic_that_is_deleted_under_the_fleet_stops_it_with_an_error() {
    let orders = Orders::new("deleted");
    assert_eq!(orders.run(&["apply"]).code, Some(0));
    let fleet = orders.start(&["work", "--drain-timeout", "5s"]);
    let group = orders.topic("price");
    until("the group has members", || {
        let group = orders.admin().group(&group).unwrap();
        group.is_some_and(|group| !group.members.is_empty())
    });
    let split = orders.topic("split");
    orders.admin().delete_topics(&[split.as_str().into()]).unwrap();
    let said = fleet.ended();
    assert_eq!(said.code, Some(1), "{said:?}");
    let last = said.complaint.lines().last().unwrap();
    assert!(last.starts_with("error: ") && last.contains(&split), "{last}");
}
