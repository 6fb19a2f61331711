//! Test binaries with all mutants in them, each run with one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::copy::Workspace;
use crate::table::Tests;
use crate::weave::WHICH;

/// A mutant whose tests take so many times as long as those of the code itself is stuck, which is a
/// way to be found out.
const STUCK: u32 = 8;
/// Whatever they take, it isn't stuck before that.
const TEST_TIME_LEAST: Duration = Duration::from_secs(10);
/// Tests of the code itself take less.
const TEST_TIME_MAX: Duration = Duration::from_secs(240);
/// What the names of tests have in them that take seconds: others take a second together, find
/// most, and are tried first.
const SLOW: &[&str] =
    &["by_seed", "anywhere", "any_point", "whatever_goes_wrong", "does_not_hold_the_lane"];
/// Histories that are tried of each subject: those that are found at all are found in the first
/// thousand.
const HISTORIES_OF_EACH: &str = "4000";

/// Some tests, and how long they take without a mutant.
pub struct Binaries {
    tests: Tests,
    files: Vec<PathBuf>,
    fast: Duration,
    slow: Duration,
}

/// Which of the tests.
#[derive(Clone, Copy)]
enum Pace {
    Fast,
    Slow,
}

impl Binaries {
    /// Picks theirs from what was built, and sees that they pass without any mutant.
    pub fn of(tests: Tests, built: &[Built]) -> Self {
        let theirs = built
            .iter()
            .filter(|it| it.package == tests.package && tests.binaries.contains(&it.name.as_str()));
        let files: Vec<PathBuf> = theirs.map(|it| it.file.clone()).collect();
        assert_eq!(files.len(), tests.binaries.len(), "{tests:?}: not all were built");
        let tried = Self { tests, files, fast: Duration::ZERO, slow: Duration::ZERO };
        let [fast, slow] = [Pace::Fast, Pace::Slow].map(|pace| {
            let begun = Instant::now();
            assert!(tried.pass(None, pace, TEST_TIME_MAX), "{tests:?} fail without any mutant");
            begun.elapsed()
        });
        Self { fast, slow, ..tried }
    }

    /// Whether they find this mutant.
    pub fn find(&self, mutant: usize) -> bool {
        [(Pace::Fast, self.fast), (Pace::Slow, self.slow)].into_iter().any(|(pace, takes)| {
            let within = TEST_TIME_LEAST.max(takes * STUCK);
            !self.pass(Some(mutant), pace, within)
        })
    }

    fn pass(&self, mutant: Option<usize>, pace: Pace, within: Duration) -> bool {
        self.files.iter().all(|file| {
            let mut command = Command::new(file);
            command.env_remove(WHICH);
            match pace {
                Pace::Fast => {
                    command.arg(self.tests.filter);
                    command.args(SLOW.iter().flat_map(|name| ["--skip", name]));
                }
                // Those of other modules too, which do no harm.
                Pace::Slow => {
                    command.args(SLOW);
                }
            }
            if let Some(number) = mutant {
                command.env(WHICH, number.to_string());
            }
            passes(&mut command, within)
        })
    }
}

fn passes(command: &mut Command, within: Duration) -> bool {
    command.env("LONGSHORE_SIMULATION_SEEDS", HISTORIES_OF_EACH);
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut running = quiet.spawn().expect("the tests run");
    let deadline = Instant::now() + within;
    while Instant::now() < deadline {
        if let Some(status) = running.try_wait().expect("waited") {
            return status.success();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    running.kill().expect("killed");
    running.wait().expect("waited");
    false
}

/// A test binary.
#[derive(Debug)]
pub struct Built {
    package: String,
    /// `lib` for a crate's own tests, or the name of its integration test.
    name: String,
    file: PathBuf,
}

/// Builds the test binaries of all these tests at once, so that what they share is compiled once.
pub fn build(workspace: &Workspace, all: &[Tests]) -> Vec<Built> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["test", "--release", "--no-run", "--message-format", "json"]);
    let packages: BTreeSet<_> = all.iter().map(|tests| tests.package).collect();
    for package in packages {
        command.args(["-p", package]);
    }
    // Cargo takes `--lib` only once.
    let names: BTreeSet<_> = all.iter().flat_map(|tests| tests.binaries).collect();
    for name in names {
        match *name {
            "lib" => command.arg("--lib"),
            name => command.args(["--test", name]),
        };
    }
    command.current_dir(workspace.root()).env("CARGO_TARGET_DIR", workspace.target());
    let output = command.output().expect("cargo runs");
    let messages = String::from_utf8_lossy(&output.stdout);
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let messages: Vec<_> = messages.collect();
    let errors = messages.iter().filter(|it| it["message"]["level"] == "error");
    let errors = errors.filter_map(|it| it["message"]["rendered"].as_str());
    let said = || errors.collect::<String>() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "with the mutants in it: {}", said());
    messages.iter().filter_map(built).collect()
}

/// What a message of cargo's says of a test binary.
fn built(message: &Value) -> Option<Built> {
    let file = PathBuf::from(message["executable"].as_str()?);
    let is_test = message["profile"]["test"] == true;
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?.file_name()?;
    let package = format!("longshore-{}", folder.to_string_lossy());
    let is_lib = message["target"]["kind"].as_array()?.iter().any(|kind| kind == "lib");
    let name = if is_lib { "lib" } else { message["target"]["name"].as_str()? };
    is_test.then_some(Built { package, name: name.to_owned(), file })
}
