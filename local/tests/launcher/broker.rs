//! A broker of one's own: its tools, its kill, its restart, its death with its owner.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::time::Duration;

use longshore_local::{LocalError, start_owned};

use crate::machine::{
    cache_of_child, create_topic, environment, first_record, is_reachable, names_in, produce,
    run_tool, shared_broker, spawn_this_test, topics, wait_until,
};

const TOPIC_TOOL: &str = "org.apache.kafka.tools.TopicCommand";
const PRODUCER: &str = "org.apache.kafka.tools.ConsoleProducer";
const CONSUMER: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";

#[test]
fn kafka_s_own_tools_run_against_the_broker() {
    let broker = shared_broker();
    let servers = broker.bootstrap_servers();
    create_topic(broker.tool_command(TOPIC_TOOL), &servers, "by-its-own-tool");
    assert!(topics(broker.tool_command(TOPIC_TOOL), &servers).contains("by-its-own-tool"));

    let server = ["--bootstrap-server", servers.as_str()];
    for (class, arguments) in [
        ("org.apache.kafka.tools.TransactionsCommand", &["list"][..]),
        ("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", &["--list"]),
        ("org.apache.kafka.tools.GetOffsetShell", &[]),
    ] {
        run_tool(broker.tool_command(class), &[&server[..], arguments].concat());
    }
}

#[test]
fn a_killed_broker_restarts_on_its_port_with_its_records_once_the_port_is_free() {
    let cache = tempfile::tempdir().unwrap();
    let mut broker = start_owned(&environment(cache.path()), &mut |_| {}).unwrap();
    let servers = broker.bootstrap_servers();
    create_topic(broker.tool_command(TOPIC_TOOL), &servers, "kept");
    produce(broker.tool_command(PRODUCER), &servers, "kept", "a record");

    broker.kill();
    assert!(!is_reachable(&servers));
    let taken = TcpListener::bind(&servers).unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = broker.restart(&mut |_| {}).unwrap_err();
    assert!(matches!(error, LocalError::PortBusy { port: named } if named == port));

    drop(taken);
    broker.restart(&mut |_| {}).unwrap();
    assert_eq!(broker.bootstrap_servers(), servers);
    assert_eq!(first_record(broker.tool_command(CONSUMER), &servers, "kept"), "a record\n");

    broker.stop();
    assert!(!is_reachable(&servers));
    assert_eq!(broker.pid(), None);
}

#[test]
fn a_broker_dies_with_its_owner_s_kill_9_and_its_data_is_swept_by_the_next_owner() {
    if let Some(cache) = cache_of_child() {
        let broker = start_owned(&environment(&cache), &mut |_| {}).unwrap();
        println!("broker at {}", broker.bootstrap_servers());
        // Ended by the kill -9; bounded, should the test die first.
        std::thread::sleep(Duration::from_secs(120));
        return;
    }
    let cache = tempfile::tempdir().unwrap();
    let test =
        "broker::a_broker_dies_with_its_owner_s_kill_9_and_its_data_is_swept_by_the_next_owner";
    let mut owner = spawn_this_test(test, cache.path()).spawn().unwrap();
    let mut said = BufReader::new(owner.stdout.take().unwrap()).lines().map_while(Result::ok);
    let servers = said.find_map(|line| line.split_once("broker at ").map(|(_, at)| at.to_owned()));
    let servers = servers.unwrap();
    assert!(is_reachable(&servers));
    let brokers = cache.path().join("brokers");
    let orphaned = names_in(&brokers).into_iter().find(|name| name != "lock").unwrap();

    owner.kill().unwrap();
    owner.wait().unwrap();
    wait_until("the broker is gone", || !is_reachable(&servers));

    let _next = start_owned(&environment(cache.path()), &mut |_| {}).unwrap();
    assert!(!names_in(&brokers).contains(&orphaned), "{orphaned} was not swept");
}

#[test]
fn a_kafka_that_cannot_start_shows_the_end_of_its_log() {
    let cache = tempfile::tempdir().unwrap();
    let mut environment = environment(cache.path());
    let home = cache.path().join("hollow-kafka");
    std::fs::create_dir_all(home.join("libs")).unwrap();
    std::fs::write(home.join("libs/kafka-clients-4.3.1.jar"), "").unwrap();
    environment.kafka_home = Some(home);
    let error = start_owned(&environment, &mut |_| {}).unwrap_err();
    assert!(matches!(&error, LocalError::NotStarted { .. }), "{error}");
    assert!(error.to_string().contains("kafka.tools.StorageTool"), "{error}");
}
