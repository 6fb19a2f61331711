//! How files look: their length, their lines, how they begin, what lists only list.

use crate::exemptions::hold;
use crate::sources;

const LINES_MAX: usize = 400;
const WIDTH_MAX: usize = 100;

#[test]
fn a_file_has_at_most_400_lines_before_its_tests() {
    let files = sources::rust().into_iter().filter(|it| !it.is_test());
    let long = files.filter_map(|it| {
        let lines = it.before_tests().count();
        (lines > LINES_MAX).then(|| (it.path, format!("{lines} lines")))
    });
    hold("length", long.collect());
}

#[test]
fn a_line_has_at_most_100_characters() {
    let mut wide = Vec::new();
    for file in sources::rust() {
        for (number, line) in (1..).zip(file.text.lines()) {
            let width = line.chars().count();
            // An address can't be broken.
            if width > WIDTH_MAX && !line.contains("://") {
                wide.push(file.at(number, format!("{width} characters")));
            }
        }
    }
    hold("width", wide);
}

#[test]
fn every_module_opens_with_what_it_is() {
    let files = sources::rust().into_iter();
    let silent = files.filter(|it| !it.text.starts_with("//! "));
    hold("opening", silent.map(|it| (it.path, "begins without `//!`".to_owned())).collect());
}

#[test]
fn mod_and_lib_files_only_list() {
    let mut busy = Vec::new();
    for file in sources::rust() {
        let lists = ["/mod.rs", "/lib.rs"].iter().any(|it| file.path.ends_with(it));
        if lists && !file.is_test() {
            let functions = file.code().filter(|(_, line)| is_function(line));
            busy.extend(functions.map(|(number, line)| file.at(number, line)));
        }
    }
    hold("lists", busy);
}

/// Whether the line begins a function.
fn is_function(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let qualifiers = ["pub", "pub(crate)", "pub(super)", "async", "const", "unsafe"];
    words.find(|word| !qualifiers.contains(word)) == Some("fn")
}

#[test]
fn functions_are_told_from_what_only_looks_like_them() {
    for line in ["fn run() {", "pub fn run() {", "pub(crate) async fn run() {"] {
        assert!(is_function(line), "{line}");
    }
    for line in ["pub mod run;", "pub use run::run;", "pub struct Run { stop: fn() }"] {
        assert!(!is_function(line), "{line}");
    }
}
