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
