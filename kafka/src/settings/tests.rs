//! What a user may set, and what is refused.

use super::*;

fn settings() -> Settings {
    Settings::new("broker:9092")
}

#[test]
fn the_defaults_are_in_order_and_known_to_the_client() {
    assert_eq!(settings().check(), Ok(()));
}

#[test]
fn every_owned_property_is_refused_by_name_with_the_reason() {
    for (key, reason) in OWNED {
        let refused = settings().override_property(key, "1").expect_err(key);
        assert!(refused.to_string().contains(key), "{refused}");
        assert!(refused.to_string().contains(reason), "{refused}");
    }
}

#[test]
fn what_a_builder_sets_beyond_the_defaults_can_not_be_overridden() {
    let defaults: Vec<_> = [COMMON, CONSUMER, PRODUCER].concat();
    let settings = settings();
    for config in
        [settings.lane_consumer("g", Some("s")), settings.transactional_producer("t", &[])]
    {
        for key in config.config_map().keys() {
            let is_default = defaults.iter().any(|(default, _)| default == key);
            let is_owned = OWNED.iter().any(|(owned, _)| owned == key);
            // A user's batch size holds below the topics' own limit, and what a user wants to see
            // in the log is added.
            let is_joint = matches!(&**key, "batch.size" | "debug");
            assert!(is_default || is_owned || is_joint, "{key}");
        }
    }
}

#[test]
fn what_the_guarantee_rests_on_is_told_to_every_client() {
    let settings = settings();
    let group = [
        ("group.id", "g"),
        ("enable.auto.commit", "false"),
        ("enable.auto.offset.store", "false"),
        ("auto.offset.reset", "error"),
        ("isolation.level", "read_committed"),
    ];
    let member = [
        ("group.instance.id", "s"),
        ("partition.assignment.strategy", "cooperative-sticky"),
        ("enable.partition.eof", "true"),
        ("session.timeout.ms", "45000"),
        ("max.poll.interval.ms", "120000"),
        ("debug", "metadata"),
    ];
    let producer = [
        ("transactional.id", "t"),
        ("enable.idempotence", "true"),
        ("acks", "all"),
        ("delivery.report.only.error", "false"),
        ("transaction.timeout.ms", "15000"),
        ("debug", "broker"),
    ];
    for (config, properties) in [
        (settings.lane_consumer("g", Some("s")), &[&group[..], &member].concat()),
        (settings.lookup_consumer("g"), &group.to_vec()),
        (settings.transactional_producer("t", &[]), &producer.to_vec()),
    ] {
        for (key, value) in properties {
            assert_eq!(config.get(key), Some(*value), "{key}");
        }
    }
}

#[test]
fn a_default_gives_way_to_an_override() {
    let mut settings = settings();
    settings.override_property("linger.ms", "50").expect("allowed");
    let producer = settings.transactional_producer("t", &[]);
    assert_eq!(producer.get("linger.ms"), Some("50"));
    assert_eq!(producer.get("partitioner"), Some("murmur2_random"));
}

#[test]
fn no_batch_is_larger_than_the_strictest_topic_takes() {
    let mut settings = settings();
    let strict = settings.transactional_producer("t", &[65_536, 5_000_000]);
    assert_eq!(strict.get("batch.size"), Some("65536"));
    assert_eq!(strict.get("message.max.bytes"), Some("5001024"));
    settings.override_property("batch.size", "10000").expect("allowed");
    let small = settings.transactional_producer("t", &[65_536]);
    assert_eq!(small.get("batch.size"), Some("10000"));
}

#[test]
fn the_log_has_what_brokers_do_beside_what_a_user_wants_in_it() {
    let mut settings = settings();
    assert_eq!(settings.transactional_producer("t", &[]).get("debug"), Some("broker"));
    settings.override_property("debug", "eos,msg").expect("allowed");
    assert_eq!(settings.transactional_producer("t", &[]).get("debug"), Some("broker,eos,msg"));
    assert_eq!(settings.check(), Ok(()));
}

#[test]
fn unknown_properties_and_values_are_named() {
    let mut settings = settings();
    settings.override_property("linger.msec", "5").expect("not known to be wrong yet");
    let refused = settings.check().expect_err("the client doesn't know it");
    assert!(refused.to_string().contains("linger.msec"), "{refused}");

    let mut settings = Settings::new("broker:9092");
    settings.override_property("linger.ms", "soon").expect("not known to be wrong yet");
    let refused = settings.check().expect_err("not a number");
    assert!(matches!(&refused, SettingsError::Refused { key, .. } if key == "linger.ms"));
}

#[test]
fn a_transaction_must_die_before_its_member() {
    let mut settings = settings();
    settings.session_timeout = settings.transaction_timeout;
    let refused = settings.check().expect_err("out of order").to_string();
    assert!(refused.contains("`transaction_timeout` (15s)"), "{refused}");
    settings.session_timeout = Duration::from_secs(120);
    let refused = settings.check().expect_err("out of order").to_string();
    assert!(refused.contains("`max_poll_interval` (120s)"), "{refused}");
}

#[test]
fn secrets_are_never_shown() {
    let mut settings = settings();
    let secrets = [
        "sasl.password",
        "ssl.key.password",
        "ssl.key.pem",
        "ssl.keystore.password",
        "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.config",
        "sasl.oauthbearer.assertion.private.key.passphrase",
        "sasl.oauthbearer.assertion.private.key.pem",
    ];
    for key in secrets {
        settings.override_property(key, "hunter2").expect("allowed");
    }
    settings.override_property("sasl.username", "alice").expect("allowed");
    let debug = format!("{settings:?}");
    assert!(!debug.contains("hunter2"), "{debug}");
    assert!(debug.contains("alice"), "{debug}");
    assert!(settings.shown_overrides().all(|(_, value)| value != "hunter2"));
}

#[test]
fn the_queue_takes_the_largest_record_however_small_the_buffers() {
    let settings = Settings { buffers: 64 << 10, ..settings() };
    for (limits, least) in [(&[][..], MESSAGE_BYTES_MAX), (&[5_000_000], 5_000_000)] {
        let producer = settings.transactional_producer("t", limits);
        let kbytes = producer.get("queue.buffering.max.kbytes").and_then(|it| it.parse().ok());
        assert!(kbytes.is_some_and(|it: usize| it * 1024 >= 2 * least), "{limits:?}: {kbytes:?}");
    }
    let large = Settings { buffers: 64 << 20, ..settings };
    let producer = large.transactional_producer("t", &[]);
    assert_eq!(producer.get("queue.buffering.max.kbytes"), Some("32768"));
}
