//! Words that stand nowhere: names that say nothing, work left undone, places of one machine.

use crate::exemptions::hold;
use crate::sources::{self, Source};

#[test]
fn no_file_has_a_name_that_says_nothing() {
    let empty_names = ["util", "utils", "common", "helper", "helpers", "model", "models", "misc"];
    let mut found = Vec::new();
    for file in sources::rust() {
        let parts = file.path.trim_end_matches(".rs").split('/');
        // The model of Kafka is the one that is meant.
        let mut parts = parts.filter(|_| !file.path.starts_with("kafka/src/model/"));
        if let Some(name) = parts.find(|it| empty_names.contains(it)) {
            found.push((file.path.clone(), format!("`{name}` says nothing")));
        }
    }
    hold("names", found);
}

#[test]
fn no_work_is_left_undone_in_a_comment() {
    // Put together here, or this file would break its own rule.
    let marks = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["HA", "CK"]].map(|it| it.concat());
    let mut found = Vec::new();
    for file in sources::all() {
        for (number, line) in (1..).zip(file.text.lines()) {
            let words = line.split(|it: char| !it.is_alphanumeric());
            let marked = words.filter(|word| marks.iter().any(|mark| mark == word));
            found.extend(marked.map(|word| file.at(number, word)));
        }
    }
    hold("undone", found);
}

#[test]
fn nothing_knows_the_machine_it_was_written_on() {
    let homes = [["/ro", "ot/"], ["/ho", "me/"], ["/wo", "rk/"]].map(|it| it.concat());
    let mut found = Vec::new();
    for file in sources::all() {
        for (number, line) in (1..).zip(file.text.lines()) {
            let homes = homes.iter().filter(|home| begins_a_path(line, home));
            found.extend(homes.map(|home| file.at(number, format!("a path under {home}"))));
        }
    }
    hold("machine", found);
}

/// Whether a path in this line begins with the folder: not one further down.
fn begins_a_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|it| it.is_alphanumeric() || "_-./}*~".contains(it))
    })
}

#[test]
fn dependencies_come_from_the_public_registry_by_its_own_name() {
    let lock = sources::all().into_iter().find(|it| it.path == "Cargo.lock");
    let lock = lock.expect("the workspace has a lock file");
    let public = r#"source = "registry+https://github.com/rust-lang/crates.io-index""#;
    let foreign = (1..).zip(lock.text.lines()).filter(|(_, line)| line.starts_with("source = "));
    let foreign = foreign.filter(|(_, line)| *line != public);
    hold("registry", foreign.map(|(number, line)| lock.at(number, line)).collect());
}

#[test]
fn the_scripts_and_build_files_name_no_mirror() {
    let is_build = |it: &Source| {
        let ends = [".toml", ".xml", "/setup", ".yaml", ".yml"];
        ends.iter().any(|end| it.path.ends_with(end)) || !it.path.contains(['/', '.'])
    };
    let known = ["github.com", "crates.io", "apache.org", "rustup.rs", "w3.org", "127.0.0.1"];
    let mut found = Vec::new();
    for file in sources::all().into_iter().filter(is_build) {
        for (number, line) in (1..).zip(file.text.lines()) {
            for (at, _) in line.match_indices("://") {
                let host = line[at + 3..].split(['/', '"', ' ', ':', '<', ')']).next();
                let host = host.unwrap_or_default();
                if !host.is_empty() && !known.iter().any(|it| host.ends_with(it)) {
                    found.push(file.at(number, host));
                }
            }
        }
    }
    hold("mirrors", found);
}

#[test]
fn a_folder_of_one_machine_is_told_from_one_further_down() {
    let home = ["/ho", "me/"].concat();
    for line in [format!("see {home}me"), format!("\"{home}me\"")] {
        assert!(begins_a_path(&line, &home), "{line}");
    }
    for line in [format!("./{home}x"), format!("target{home}x")] {
        assert!(!begins_a_path(&line, &home), "{line}");
    }
}
