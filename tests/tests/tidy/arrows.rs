//! What may depend on what. A new arrow between crates needs a decision record first.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Ours that each of ours may depend on. Its tests may use whatever lies below those, the local
/// Kafka, and the proxy that breaks connections to it.
const ARROWS: &[(&str, &[&str])] = &[
    ("longshore-schemas", &[]),
    ("longshore-local", &[]),
    ("longshore-chaos", &[]),
    ("longshore-telemetry", &[]),
    ("longshore-kafka", &["longshore-schemas"]),
    ("longshore-handler", &["longshore-schemas"]),
    ("longshore-producer", STEPS),
    ("longshore-worker", STEPS),
    ("longshore-coordinator", STEPS),
    (
        "longshore",
        &[
            "longshore-schemas",
            "longshore-kafka",
            "longshore-handler",
            "longshore-producer",
            "longshore-worker",
            "longshore-coordinator",
            "longshore-telemetry",
            "longshore-local",
            "longshore-chaos",
        ],
    ),
    (
        "longshore-simulation",
        &[
            "longshore-schemas",
            "longshore-kafka",
            "longshore-handler",
            "longshore-worker",
            "longshore-coordinator",
        ],
    ),
    ("longshore-orders", &["longshore"]),
    ("longshore-accounts", &["longshore"]),
    ("longshore-cli", &["longshore", "longshore-orders"]),
];

/// What the three steps of data's way stand on: never one another.
const STEPS: &[&str] =
    &["longshore-schemas", "longshore-kafka", "longshore-handler", "longshore-telemetry"];

/// What the words must do without.
const NOT_IN_SCHEMAS: &[&str] = &["tokio", "tokio-util", "futures", "rdkafka"];

/// What may use everything, and is used by nothing.
const ALL: [&str; 2] = ["longshore-tests", "longshore-bench"];
const FOR_TESTS: [&str; 2] = ["longshore-local", "longshore-chaos"];

/// The dependencies of a package, and those that only its tests have.
struct Package {
    normal: BTreeSet<String>,
    dev: BTreeSet<String>,
}

/// The workspace as cargo understands it.
fn packages() -> BTreeMap<String, Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON of cargo");
    let packages = list(&metadata["packages"]);
    packages.map(|it| (name(it), package(it))).collect()
}

fn list(value: &Value) -> std::slice::Iter<'_, Value> {
    value.as_array().expect("a list in cargo's metadata").iter()
}

fn name(value: &Value) -> String {
    value["name"].as_str().expect("a name in cargo's metadata").to_owned()
}

fn package(package: &Value) -> Package {
    let of_kind = |is_dev: bool| {
        let dependencies = list(&package["dependencies"]);
        let dependencies = dependencies.filter(|it| (it["kind"] == "dev") == is_dev);
        dependencies.map(name).collect()
    };
    Package { normal: of_kind(false), dev: of_kind(true) }
}

/// Ours that lie anywhere below one of ours.
fn below(name: &str) -> BTreeSet<&'static str> {
    let direct = ARROWS.iter().filter(|(it, _)| *it == name).flat_map(|(_, to)| *to);
    direct.flat_map(|to| below(to).into_iter().chain([*to])).collect()
}

#[test]
fn crates_depend_on_those_below_them_only() {
    let packages = packages();
    let ours: BTreeSet<_> = packages.keys().cloned().collect();
    for (name, package) in packages.iter().filter(|(name, _)| !ALL.contains(&name.as_str())) {
        let arrows = ARROWS.iter().find(|(it, _)| it == name);
        let (_, allowed) = arrows.unwrap_or_else(|| panic!("{name} is not among the arrows"));
        for to in package.normal.intersection(&ours) {
            assert!(allowed.contains(&to.as_str()), "{name} may not depend on {to}");
        }
        for to in package.dev.intersection(&ours) {
            let below = below(name).contains(to.as_str()) || FOR_TESTS.contains(&to.as_str());
            assert!(below, "the tests of {name} may not depend on {to}: it isn't below");
        }
    }
    assert_eq!(
        packages.len(),
        ARROWS.len() + ALL.len(),
        "a crate in the list is gone, or two are new"
    );
}

#[test]
fn every_arrow_that_is_allowed_is_needed() {
    let packages = packages();
    for (name, allowed) in ARROWS.iter().filter(|(_, allowed)| *allowed != STEPS) {
        let needless = allowed.iter().filter(|to| !packages[*name].normal.contains(**to));
        let needless: Vec<_> = needless.collect();
        assert!(needless.is_empty(), "{name} doesn't use {needless:?}: allow it no longer");
    }
}

#[test]
fn only_the_door_and_the_bench_depend_on_the_kafka_client() {
    let users = packages().into_iter().filter(|(_, it)| it.normal.contains("rdkafka"));
    let users: Vec<_> = users.map(|(name, _)| name).collect();
    assert_eq!(users, ["longshore-bench", "longshore-kafka"]);
}

#[test]
fn the_words_need_neither_a_runtime_nor_a_client() {
    let schemas = &packages()["longshore-schemas"];
    let unwanted = NOT_IN_SCHEMAS.iter().filter(|it| schemas.normal.contains(**it));
    assert_eq!(unwanted.count(), 0);
}
