//! Every metric that is recorded is in the one table of names.

use longshore_telemetry::names::TABLE;

use crate::exemptions::hold;
use crate::sources::{self, Source};

#[test]
fn every_metric_that_is_recorded_is_in_the_table() {
    let mut found = Vec::new();
    let mut recorded = 0;
    for file in sources::rust().into_iter().filter(|it| !it.is_test()) {
        for name in literals(&file) {
            recorded += 1;
            if !TABLE.iter().any(|it| it.name == name) {
                found.push((file.path.clone(), format!("`{name}` is not in the table")));
            }
        }
    }
    assert!(recorded > 5, "only {recorded} metrics were found: has the way to record changed?");
    hold("metrics", found);
}

#[test]
fn every_metric_in_the_table_is_recorded_somewhere() {
    let mut unseen: Vec<_> = TABLE.iter().map(|it| it.name).collect();
    for file in sources::rust().into_iter().filter(|it| !it.is_test()) {
        if file.path.ends_with("telemetry/src/names.rs") {
            continue;
        }
        let text = file.before_tests().collect::<Vec<_>>().join("\n");
        let constants: Vec<_> = text.match_indices("names::").map(|(at, _)| &text[at..]).collect();
        unseen.retain(|name| {
            let constant = format!("names::{}", constant_of(name));
            !text.contains(&format!("\"{name}\""))
                && !constants.iter().any(|it| it.starts_with(&constant))
        });
    }
    assert_eq!(unseen, Vec::<&str>::new(), "nobody records these");
}

/// The constant that holds a metric's name.
fn constant_of(name: &str) -> String {
    let table = include_str!("../../../telemetry/src/names.rs");
    let line = table.lines().find(|line| line.contains(&format!("\"{name}\"")));
    let constant = line.and_then(|line| line.split_once(" = ")).map(|(constant, _)| constant);
    constant.expect("a row of the table").trim().to_owned()
}

/// The names that are given to the macros as literals, before the file's tests.
fn literals(file: &Source) -> Vec<String> {
    let text: Vec<_> = file.before_tests().collect();
    let text = text.join("\n");
    let macros = ["counter!(", "gauge!(", "histogram!("];
    let calls = macros.iter().flat_map(|name| text.match_indices(name));
    let arguments = calls.map(|(at, name)| text[at + name.len()..].trim_start());
    let literals = arguments.filter_map(|it| it.strip_prefix('"')?.split('"').next());
    literals.map(str::to_owned).collect()
}
