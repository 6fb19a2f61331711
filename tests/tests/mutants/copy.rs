//! A copy of the workspace, kept between runs so that only what changed is compiled again.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The copy.
pub struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Brings the copy up to date; these files have another text there.
    pub fn copied(other: &HashMap<&str, String>) -> Self {
        let original = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
        // A folder of its own: cargo takes what was built of the copy for what it is a copy of.
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants");
        let workspace = Self { root: home.join("workspace"), target: home.join("target") };
        let other = other.iter().map(|(path, text)| (original.join(path), text.as_bytes()));
        copy(original, &workspace.root, &other.collect());
        workspace
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where it is built.
    pub fn target(&self) -> &Path {
        &self.target
    }
}

fn copy(from: &Path, to: &Path, other: &HashMap<PathBuf, &[u8]>) {
    fs::create_dir_all(to).expect("a folder");
    remove_what_is_gone(from, to);
    for entry in fs::read_dir(from).expect("a folder that can be read") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let place = to.join(&name);
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                copy(&path, &place, other);
            }
        } else if let Some(text) = other.get(&path) {
            write(text, &place);
        } else {
            write(&fs::read(&path).expect("a file that can be read"), &place);
        }
    }
}

/// A file that has been moved must not stand in both places.
fn remove_what_is_gone(from: &Path, to: &Path) {
    for entry in fs::read_dir(to).expect("a folder that can be read") {
        let path = entry.expect("an entry").path();
        if from.join(path.file_name().expect("a name")).exists() {
            continue;
        }
        let removed =
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.expect("removed");
    }
}

/// A file that is as it was stays as it is; cargo goes by the time of its last change.
fn write(bytes: &[u8], to: &Path) {
    if fs::read(to).is_ok_and(|before| before == bytes) {
        return;
    }
    fs::write(to, bytes).expect("written");
}
