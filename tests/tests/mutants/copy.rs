//! A copy of the workspace, kept between runs so that only what changed is compiled again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

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
        workspace.seed();
        workspace
    }

    /// What the workspace depends on has been built for these very tests, and needn't be once more.
    /// Packages of the workspace itself are left out: see [`Workspace::copied`].
    fn seed(&self) {
        let built = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("release");
        let target = self.target.join("release");
        if target.exists() || !built.exists() {
            return;
        }
        let is_other = |name: &str| !name.trim_start_matches("lib").starts_with("longshore");
        let is_of_other = |name: &str| is_other(name) && name.starts_with("lib");
        for folder in [".fingerprint", "build"] {
            take_over(&built.join(folder), &target.join(folder), &is_other);
        }
        // Test binaries lie there too: what begins with `lib` is a library, or says what it is of.
        take_over(&built.join("deps"), &target.join("deps"), &is_of_other);
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

/// Takes over what has a name that counts, with all that is in it. What can't be is built again.
fn take_over(from: &Path, to: &Path, counts: &dyn Fn(&str) -> bool) {
    fs::create_dir_all(to).expect("a folder");
    let entries = fs::read_dir(from).into_iter().flatten().flatten();
    for entry in entries.filter(|it| counts(&it.file_name().to_string_lossy())) {
        let (path, place) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            take_over(&path, &place, &|_| true);
            continue;
        }
        // What cargo writes about a build it may write again, in place: a link would change both.
        let is_product = path.iter().any(|it| it == "deps" || it == "out");
        let _built_again =
            if is_product { fs::hard_link(&path, &place) } else { copy_with_time(&path, &place) };
    }
}

/// Cargo goes by the times of files.
fn copy_with_time(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    fs::File::options().write(true).open(to)?.set_modified(fs::metadata(from)?.modified()?)
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
