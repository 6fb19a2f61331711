//! Defects put on purpose into the lane and its client, the worker and the join: their tests must
//! find every one.
//!
//! Each is a change of a few words. All of them are woven into a copy of the workspace, under
//! `target/tmp/mutants`, and a variable of the environment says which one is run. A change whose
//! words aren't found any more fails too: the table has to follow the code.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod binaries;
mod copy;
mod table;
mod weave;

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use binaries::{Binaries, build};
use copy::Workspace;
use table::{
    CLIENT, GATHER, HISTORIES, JOIN, LANE, Mutant, SETTINGS, TRANSACTION, WORKER, mutants,
};
use weave::{Change, weave};

#[test]
fn the_tests_find_every_mutant() {
    let all = mutants();
    let workspace = Workspace::copied(&woven(&all));
    let mut survivors = Vec::new();
    let groups = [LANE, TRANSACTION, CLIENT, SETTINGS, WORKER, GATHER, JOIN, HISTORIES];
    let built = build(&workspace, &groups);
    for tests in groups {
        let binaries = Binaries::of(tests, &built);
        let mutants = all.iter().enumerate().filter(|(_, it)| it.tests == tests);
        let survive = mutants.filter(|(number, _)| !binaries.find(*number));
        survivors.extend(survive.map(|(_, it)| it.defect));
    }
    assert!(survivors.is_empty(), "no test finds these: {survivors:#?}");
}

/// The files that mutants change, with all of their mutants.
fn woven(mutants: &[&Mutant]) -> HashMap<&'static str, String> {
    let mut changes: HashMap<_, Vec<_>> = HashMap::new();
    for (number, it) in mutants.iter().enumerate() {
        let change = Change { number, words: it.words, instead: it.instead };
        changes.entry(it.file).or_default().push(change);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let woven = changes.into_iter().map(|(file, changes)| {
        let text = fs::read_to_string(root.join(file)).expect("a file of the table");
        let woven = weave(&text, &changes).unwrap_or_else(|why| panic!("{file}: {why}"));
        (file, woven)
    });
    woven.collect()
}
