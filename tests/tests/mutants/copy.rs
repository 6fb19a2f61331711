//! A copy of the workspace, kept between runs so that only what changed is compiled again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The copy.
pub struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Brings the copy up to date.
    pub fn copied() -> Self {
        let original = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants");
        let workspace = Self { root: home.join("workspace"), target: home.join("target") };
        copy(original, &workspace.root);
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

    /// A file of it.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).expect("a file of the workspace")
    }

    /// Replaces a file of it.
    pub fn write(&self, path: &str, text: &str) {
        fs::write(self.root.join(path), text).expect("written");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    remove_what_is_gone(from, to);
    for entry in fs::read_dir(from).expect("a folder that can be read") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let place = to.join(&name);
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                copy(&path, &place);
            }
        } else {
            copy_file(&path, &place);
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
fn copy_file(from: &Path, to: &Path) {
    let bytes = fs::read(from).expect("a file that can be read");
    if fs::read(to).is_ok_and(|before| before == bytes) {
        return;
    }
    fs::copy(from, to).expect("copied");
    let now = std::time::SystemTime::now();
    File::options().write(true).open(to).and_then(|it| it.set_modified(now)).expect("a new time");
}
