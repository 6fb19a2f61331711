//! The files of the workspace, as they lie in its folders.

use std::fs;
use std::path::{Path, PathBuf};

/// A text file.
pub struct Source {
    /// Its path from the root of the workspace.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// Every text file of the workspace; a folder that is hidden or made by a build isn't looked into.
pub fn all() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member has a workspace");
    let mut found = Vec::new();
    visit(root, root, &mut found);
    assert!(found.len() > 100, "only {} files found under {}", found.len(), root.display());
    found
}

/// Every file of Rust.
pub fn rust() -> Vec<Source> {
    all().into_iter().filter(|it| it.path.ends_with(".rs")).collect()
}

fn visit(root: &Path, dir: &Path, found: &mut Vec<Source>) {
    let mut entries = read(dir);
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let passed_over = name == "target" || name.starts_with('.');
        if path.is_dir() && !passed_over {
            visit(root, &path, found);
        } else if path.is_file() {
            let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            // What isn't UTF-8 is no text: a sample of bytes, for example.
            found
                .extend(fs::read_to_string(&path).ok().map(|text| Source { path: relative, text }));
        }
    }
}

fn read(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("a folder of the workspace can be read");
    entries.map(|it| it.expect("an entry can be read").path()).collect()
}

impl Source {
    /// Whether it is a test as a whole: an integration test, or a module `tests` of its own.
    pub fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// Its lines up to the module of its tests.
    pub fn before_tests(&self) -> impl Iterator<Item = &str> {
        self.text.lines().take_while(|line| *line != "#[cfg(test)]")
    }

    /// Its lines of code, with their numbers: without comments and blank lines.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = (1..).zip(self.text.lines().map(str::trim));
        lines.filter(|(_, line)| !line.is_empty() && !line.starts_with("//"))
    }

    /// What a line of code has against it, as a finding.
    pub fn at(&self, line: usize, what: impl std::fmt::Display) -> (String, String) {
        (self.path.clone(), format!("line {line}: {what}"))
    }
}
