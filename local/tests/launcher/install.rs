//! The install: by real Maven, by two at once, interrupted, failing, and tampered with.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use longshore_local::{Environment, KAFKA_VERSION, LocalError, OwnedBroker, Progress, start_owned};

use crate::machine::{environment, is_reachable, names_in};

/// A cache without Kafka on a machine that has Java and Maven.
fn fresh(cache: &Path) -> Environment {
    Environment { kafka_home: None, ..environment(cache) }
}

fn start_and_listen(environment: &Environment) -> (OwnedBroker, Vec<Progress>) {
    let mut told = Vec::new();
    let broker = start_owned(environment, &mut |step| told.push(step)).unwrap();
    (broker, told)
}

#[test]
fn two_starts_at_once_sweep_an_interrupted_install_and_install_once() {
    let cache = tempfile::tempdir().unwrap();
    let environment = fresh(cache.path());
    let interrupted = cache.path().join(".installing-dead/libs");
    let damaged = cache.path().join(format!("kafka-{KAFKA_VERSION}/libs"));
    for folder in [&interrupted, &damaged] {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("kafka-clients-4.3.1.jar"), "half a jar").unwrap();
    }

    let ((first, told_first), (second, told_second)) = std::thread::scope(|scope| {
        let first = scope.spawn(|| start_and_listen(&environment));
        let second = scope.spawn(|| start_and_listen(&environment));
        (first.join().unwrap(), second.join().unwrap())
    });

    assert!(is_reachable(&first.bootstrap_servers()));
    assert!(is_reachable(&second.bootstrap_servers()));
    assert_ne!(first.bootstrap_servers(), second.bootstrap_servers());
    let installs = told_first.iter().chain(&told_second);
    let installs = installs.filter(|step| matches!(step, Progress::Installed { .. })).count();
    assert_eq!(installs, 1, "{told_first:?} {told_second:?}");
    let folder = format!("kafka-{KAFKA_VERSION}");
    assert_eq!(names_in(cache.path()), ["brokers", "install.lock", folder.as_str()]);

    let data = first.data_dir();
    drop((first, second));
    assert!(!data.exists(), "a broker's data goes with its owner");
}

#[test]
fn a_failing_maven_is_quoted_and_leaves_nothing_behind() {
    let cache = tempfile::tempdir().unwrap();
    let environment = with_maven(cache.path(), "mkdir -p \"$libs\"; echo 'no route'; exit 1");
    let error = start_owned(&environment, &mut |_| {}).unwrap_err();
    assert!(matches!(&error, LocalError::Maven { .. }), "{error}");
    assert!(error.to_string().contains("no route"), "{error}");
    assert_eq!(names_in(&environment.cache_dir), ["install.lock"]);
}

#[test]
fn a_jar_that_is_not_the_released_one_is_refused_by_name() {
    let cache = tempfile::tempdir().unwrap();
    let installed = environment(cache.path()).kafka_home.unwrap();
    let jar = format!("kafka-raft-{KAFKA_VERSION}.jar");
    let script = format!(
        "cp -R '{}' \"$libs\"; printf x >>\"$libs/{jar}\"",
        installed.join("libs").display()
    );
    let environment = with_maven(cache.path(), &script);
    let error = start_owned(&environment, &mut |_| {}).unwrap_err();
    assert!(matches!(&error, LocalError::WrongJar { jar: named, .. } if *named == jar), "{error}");
    assert_eq!(names_in(&environment.cache_dir), ["install.lock"]);
}

/// A fresh cache on a machine whose Maven does what the script says; `$libs` is where it is to
/// put the jars.
fn with_maven(folder: &Path, script: &str) -> Environment {
    let mut environment = fresh(&folder.join("cache"));
    let bin = folder.join("bin");
    std::fs::create_dir(&bin).unwrap();
    let find_libs = "for a; do case $a in -DoutputDirectory=*) libs=${a#*=};; esac; done";
    write_program(bin.join("mvn"), &format!("#!/bin/sh\n{find_libs}\n{script}\n"));
    let mut path = OsString::from(bin);
    path.push(":");
    path.push(&environment.path);
    environment.path = path;
    environment
}

fn write_program(path: PathBuf, text: &str) {
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
