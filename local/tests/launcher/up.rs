//! The broker that stays: two `up` at once, a dead one, and `down`.

use std::path::PathBuf;
use std::process::Command;

use longshore_local::{
    Cluster, Down, Environment, RunningBroker, Status, Up, down, find_or_start, status, up,
};

use crate::machine::{
    cache_of_child, create_topic, environment, is_reachable, shared_broker, spawn_this_test,
    topics, wait_until,
};

/// Stops the broker of a failed test too.
struct DownAtTheEnd<'a>(&'a Environment);

impl Drop for DownAtTheEnd<'_> {
    fn drop(&mut self) {
        let _the_test_judges = down(self.0, &mut |_| {});
    }
}

fn topic_tool() -> Command {
    shared_broker().tool_command("org.apache.kafka.tools.TopicCommand")
}

fn running(environment: &Environment) -> RunningBroker {
    match status(environment).unwrap() {
        Status::Running(broker) => broker,
        other => panic!("not running: {other:?}"),
    }
}

fn kill_9(pid: u32) {
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
}

#[test]
fn two_ups_at_once_end_with_one_broker_that_outlives_them_until_down() {
    if let Some(cache) = cache_of_child() {
        up(&environment(&cache), &mut |_| {}).unwrap();
        return;
    }
    let cache = tempfile::tempdir().unwrap();
    let environment = environment(cache.path());
    let _down = DownAtTheEnd(&environment);
    assert!(matches!(status(&environment).unwrap(), Status::Stopped));

    let test = "up::two_ups_at_once_end_with_one_broker_that_outlives_them_until_down";
    let mut processes = [(); 2].map(|()| spawn_this_test(test, cache.path()).spawn().unwrap());
    for process in &mut processes {
        assert!(process.wait().unwrap().success());
    }
    let broker = running(&environment);
    assert!(is_reachable(&broker.bootstrap_servers));
    let log = std::fs::read_to_string(&broker.log).unwrap();
    assert_eq!(log.matches("Kafka Server started").count(), 1, "{log}");

    let third = up(&environment, &mut |_| {}).unwrap();
    assert!(matches!(third, Up::AlreadyRunning(same) if same == broker));
    let found = find_or_start(&environment, &mut |_| {}).unwrap();
    assert!(matches!(&found, Cluster::Shared(same) if *same == broker));
    drop(found);

    assert!(matches!(down(&environment, &mut |_| {}).unwrap(), Down::Stopped(_)));
    assert!(!is_reachable(&broker.bootstrap_servers));
    assert!(matches!(status(&environment).unwrap(), Status::Stopped));
    assert!(matches!(down(&environment, &mut |_| {}).unwrap(), Down::NotRunning));
}

#[test]
fn a_dead_broker_is_stale_and_the_next_up_has_its_topics() {
    let cache = tempfile::tempdir().unwrap();
    let environment = environment(cache.path());
    let _down = DownAtTheEnd(&environment);
    let Up::Started(first) = up(&environment, &mut |_| {}).unwrap() else {
        panic!("it cannot run already");
    };
    create_topic(topic_tool(), &first.bootstrap_servers, "kept");

    kill_9(first.pid());
    wait_until(
        "its death is seen",
        || matches!(status(&environment).unwrap(), Status::Stale(broker) if broker == first),
    );

    let Up::Started(second) = up(&environment, &mut |_| {}).unwrap() else {
        panic!("a dead broker does not count as running");
    };
    assert_ne!(second.pid(), first.pid());
    assert!(topics(topic_tool(), &second.bootstrap_servers).contains("kept"));
    assert!(second.data_dir.starts_with(PathBuf::from(cache.path()).canonicalize().unwrap()));

    kill_9(second.pid());
    wait_until("its death is seen", || matches!(status(&environment).unwrap(), Status::Stale(_)));
    assert!(matches!(down(&environment, &mut |_| {}).unwrap(), Down::NotRunning));
    assert!(matches!(status(&environment).unwrap(), Status::Stopped));
}
