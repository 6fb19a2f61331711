//! Which place holds for a setting, and what is said of wrong ones.

use std::path::Path;
use std::time::Duration;

use clap::Parser;

use super::*;
use crate::commands::{CommandLine, Options};

fn options(arguments: &[&str]) -> Options {
    let line = ["longshore"].iter().chain(arguments).chain(&["status"]);
    CommandLine::try_parse_from(line).unwrap().options
}

fn environment(variables: &[(&str, &str)]) -> Environment {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    variables.iter().map(owned).collect()
}

/// A settings file of this text, as options that name it.
fn with_file(folder: &Path, text: &str, arguments: &[&str]) -> Options {
    let path = folder.join("longshore.yaml");
    std::fs::write(&path, text).unwrap();
    Options { config: Some(path), ..options(arguments) }
}

fn of(settings: &Settings, name: &str) -> (String, String) {
    let shown = settings.shown().iter().find(|shown| shown.name == name);
    let shown = shown.unwrap_or_else(|| panic!("{name} isn't shown"));
    let origin = shown.origin.rsplit('/').next().unwrap_or_default().to_owned();
    (shown.value.clone(), origin)
}

#[test]
fn a_flag_holds_over_the_environment_over_the_file_over_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let flag = &["--session-timeout", "31s"][..];
    let variable = &[("LONGSHORE_SESSION_TIMEOUT", "32s")][..];
    let file = "# of ours\nsession_timeout: 33s\n";
    for (flag, variable, file, value, origin) in [
        (flag, variable, file, "31s", "--session-timeout"),
        (&[], variable, file, "32s", "LONGSHORE_SESSION_TIMEOUT"),
        (&[], &[], file, "33s", "longshore.yaml:2"),
        (&[], &[], "", "45s", "default"),
        (&[], &[("LONGSHORE_SESSION_TIMEOUT", "")], file, "33s", "longshore.yaml:2"),
    ] {
        let options = with_file(folder.path(), file, flag);
        let settings = Settings::resolve(&options, &environment(variable)).unwrap();
        assert_eq!(of(&settings, "session_timeout"), (value.to_owned(), origin.to_owned()));
        let read = humantime::parse_duration(value).unwrap();
        assert_eq!(settings.kafka.session_timeout, read);
    }
}

const EVERY_SETTING: &str = "\
bootstrap_servers: kafka:9092
pipeline: orders.yaml
slot: worker-1
session_timeout: 12s
transaction_timeout: 8s
max_poll_interval: 90s
drain_timeout: 5s
buffers: 64MiB
logs: json
admin: 0.0.0.0:9000
kafka:
  linger.ms: 7
";

#[test]
fn every_setting_can_stand_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let options = with_file(folder.path(), EVERY_SETTING, &[]);
    let settings = Settings::resolve(&options, &Environment::default()).unwrap();
    assert_eq!(settings.kafka.bootstrap_servers, "kafka:9092");
    assert_eq!(settings.pipeline.as_deref(), Some(Path::new("orders.yaml")));
    assert_eq!(settings.slot.as_deref(), Some("worker-1"));
    assert_eq!(settings.kafka.session_timeout, Duration::from_secs(12));
    assert_eq!(settings.kafka.transaction_timeout, Duration::from_secs(8));
    assert_eq!(settings.kafka.max_poll_interval, Duration::from_secs(90));
    assert_eq!(settings.drain_timeout, Duration::from_secs(5));
    assert_eq!(settings.buffers, 64 << 20);
    assert_eq!(settings.telemetry.admin.port(), 9000);
    assert_eq!(of(&settings, "kafka.linger.ms"), ("7".into(), "longshore.yaml:12".into()));
    assert!(settings.shown().iter().all(|shown| shown.origin != "default"));
}

#[test]
fn a_property_of_the_client_comes_from_the_same_places() {
    let folder = tempfile::tempdir().unwrap();
    let file = "kafka: {linger.ms: 1, batch.size: 2000}";
    let flag = &["-X", "linger.ms=3"][..];
    let variable = &[("LONGSHORE_KAFKA_LINGER_MS", "2")][..];
    for (flag, variable, value, origin) in [
        (flag, variable, "3", "-X"),
        (&[], variable, "2", "LONGSHORE_KAFKA_LINGER_MS"),
        (&[], &[], "1", "longshore.yaml:1"),
    ] {
        let options = with_file(folder.path(), file, flag);
        let settings = Settings::resolve(&options, &environment(variable)).unwrap();
        assert_eq!(of(&settings, "kafka.linger.ms"), (value.to_owned(), origin.to_owned()));
        assert_eq!(of(&settings, "kafka.batch.size").0, "2000");
    }
}

#[test]
fn a_secret_is_read_from_its_file_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("password");
    std::fs::write(&secret, "hunter2\n").unwrap();
    let secret = secret.to_str().unwrap();
    let variable = [("LONGSHORE_KAFKA_SASL_PASSWORD_FILE", secret)];
    for (flag, environment) in [
        (vec!["-X".to_owned(), format!("sasl.password_file={secret}")], environment(&[])),
        (Vec::new(), environment(&variable)),
    ] {
        let flag: Vec<&str> = flag.iter().map(String::as_str).collect();
        let settings = Settings::resolve(&options(&flag), &environment).unwrap();
        assert_eq!(of(&settings, "kafka.sasl.password").0, "********");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    for (file, arguments, variables, told) in [
        (
            "session_timeout: soon",
            &[][..],
            &[][..],
            "longshore.yaml:1): expected a duration with its unit, such as `10s` or `250ms`, found \
             `soon`",
        ),
        ("sesion_timeout: 10s", &[], &[], "unknown field `sesion_timeout`"),
        ("slot: a\nslot: b", &[], &[], "line 2"),
        ("- slot", &[], &[], "line 1"),
        (
            "",
            &["--buffers", "12"],
            &[],
            "`buffers` (--buffers): expected at least 1MiB, such as `128MiB`, found `12`",
        ),
        (
            "",
            &[],
            &[("LONGSHORE_ADMIN", "localhost")],
            "`admin` (LONGSHORE_ADMIN): expected an address with its port, such as \
             `127.0.0.1:9464`, found `localhost`",
        ),
        ("logs: xml", &[], &[], "expected auto, human or json, found `xml`"),
        ("slot: a/b", &[], &[], "expected letters, digits, `.`, `_` and `-`, found `a/b`"),
        ("", &["-X", "linger.ms"], &[], "-X linger.ms: expected a property such as `linger.ms=10`"),
        ("", &["-X", "group.id=mine"], &[], "`group.id` can't be overridden"),
        ("kafka: {isolation.level: read_uncommitted}", &[], &[], "longshore.yaml:1)"),
        ("", &["-X", "lingr.ms=1"], &[], "lingr.ms"),
        ("", &["-X", "sasl.password_file=/nowhere"], &[], "/nowhere can't be read"),
        ("", &["--transaction-timeout", "1m"], &[], "`transaction_timeout`"),
    ] {
        let options = with_file(folder.path(), file, arguments);
        let error = Settings::resolve(&options, &environment(variables)).unwrap_err().to_string();
        assert!(error.contains(told), "`{told}` isn't in `{error}`");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let missing = environment(&[("LONGSHORE_CONFIG", "/nowhere/longshore.yaml")]);
    let error = Settings::resolve(&options(&[]), &missing).unwrap_err().to_string();
    assert!(error.starts_with("settings file /nowhere/longshore.yaml: "), "{error}");
}
