//! Which Kafka is chosen, and what a user is told who has none.

use longshore_local::{Cluster, LocalError, find_or_start};

use crate::machine::{bare_environment, environment, shared_broker};

#[test]
fn a_given_kafka_is_used_and_nothing_is_started() {
    let cache = tempfile::tempdir().unwrap();
    let mut environment = bare_environment(cache.path());
    environment.bootstrap_servers = Some(shared_broker().bootstrap_servers());

    let mut told = Vec::new();
    let cluster = find_or_start(&environment, &mut |step| told.push(step)).unwrap();
    assert!(matches!(cluster, Cluster::Given { .. }));
    assert_eq!(cluster.bootstrap_servers(), shared_broker().bootstrap_servers());
    assert_eq!(told, []);
}

#[test]
fn a_given_kafka_that_does_not_answer_is_an_error_and_not_replaced() {
    let cache = tempfile::tempdir().unwrap();
    let mut environment = environment(cache.path());
    environment.bootstrap_servers = Some("127.0.0.1:1".into());
    let error = find_or_start(&environment, &mut |_| {}).unwrap_err();
    assert!(matches!(&error, LocalError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("127.0.0.1:1"), "{error}");
}

#[test]
fn a_machine_with_nothing_on_it_is_told_every_choice_with_its_command() {
    let cache = tempfile::tempdir().unwrap();
    let error = find_or_start(&bare_environment(cache.path()), &mut |_| {}).unwrap_err();
    assert!(matches!(&error, LocalError::NoKafka { .. }), "{error}");
    let text = error.to_string();
    for choice in [
        "export LONGSHORE_BOOTSTRAP_SERVERS=host:port",
        "export KAFKA_HOME=/path/to/kafka",
        "apt-get install maven",
        "docker pull apache/kafka:",
        "JAVA_HOME has none",
        "scripts/setup",
    ] {
        assert!(text.contains(choice), "{choice:?} is missing in: {text}");
    }
}

#[test]
fn a_missing_java_is_the_whole_message_where_kafka_is_at_hand() {
    let cache = tempfile::tempdir().unwrap();
    let mut environment = bare_environment(cache.path());
    environment.kafka_home = self::environment(cache.path()).kafka_home;
    let error = find_or_start(&environment, &mut |_| {}).unwrap_err();
    assert!(matches!(&error, LocalError::NoJava { .. }), "{error}");
    assert!(error.to_string().contains("apt-get install openjdk-17-jre-headless"), "{error}");
}

#[test]
fn a_wrong_kafka_home_is_an_error_and_not_passed_over() {
    let cache = tempfile::tempdir().unwrap();
    let mut environment = environment(cache.path());
    environment.kafka_home = Some(cache.path().to_path_buf());
    let error = find_or_start(&environment, &mut |_| {}).unwrap_err();
    assert!(matches!(error, LocalError::NotKafkaHome { home } if home == cache.path()));
}
