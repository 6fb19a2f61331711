//! A wall clock that is set while the process runs whose clock it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

/// What is loaded into the process, in C: it takes the place of functions of C's library.
const SOURCE: &str = include_str!("clock/wrong_clock.c");

/// The wall clock of a process. It goes right until it is set.
pub struct WrongClock {
    folder: TempDir,
}

impl WrongClock {
    /// A clock that is right.
    pub fn new() -> Self {
        let clock = Self { folder: tempfile::tempdir().expect("a folder") };
        fs::write(clock.file(), [0; 8]).expect("a file");
        clock
    }

    /// From now on it is so many seconds ahead, or behind.
    pub fn set(&self, seconds_ahead: i64) {
        // In place: the process has mapped the file into its memory.
        let file = fs::OpenOptions::new().write(true).open(self.file()).expect("its file");
        std::os::unix::fs::FileExt::write_all_at(&file, &seconds_ahead.to_ne_bytes(), 0)
            .expect("written");
    }

    /// The environment of a process that has this clock.
    pub(crate) fn environment(&self) -> [(&'static str, PathBuf); 2] {
        [("LD_PRELOAD", library().to_owned()), ("WRONG_CLOCK", self.file())]
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("wrong-by")
    }
}

impl Default for WrongClock {
    fn default() -> Self {
        Self::new()
    }
}

/// Compiled once in a run. The folder stays: statics aren't dropped, and the system's folder for
/// temporary files is emptied by the system.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, library) = LIBRARY.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let (source, library) =
            (folder.path().join("wrong_clock.c"), folder.path().join("wrong_clock.so"));
        fs::write(&source, SOURCE).expect("its source");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&library, &source])
            .arg("-ldl")
            .output()
            .expect("a C compiler");
        assert!(compiled.status.success(), "{compiled:?}");
        (folder, library)
    });
    library
}
