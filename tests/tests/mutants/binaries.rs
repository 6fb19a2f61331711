//! Test binaries with all mutants in them, each run with one.

use std::path::PathBuf;
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
/// Histories that are tried of each subject: those that are found at all are found in the first
/// thousand.
const HISTORIES_OF_EACH: &str = "4000";

/// The test binaries of some tests, and how long they take without a mutant.
pub struct Binaries {
    tests: Tests,
    files: Vec<PathBuf>,
    take: Duration,
}

impl Binaries {
    /// Builds them, and sees that they pass without any mutant.
    pub fn built(workspace: &Workspace, tests: Tests) -> Self {
        let built = Self { tests, files: build(workspace, tests), take: Duration::ZERO };
        let begun = Instant::now();
        assert!(built.pass(None, TEST_TIME_MAX), "{tests:?} fail without any mutant");
        Self { take: begun.elapsed(), ..built }
    }

    /// Whether they find this mutant.
    pub fn find(&self, mutant: usize) -> bool {
        !self.pass(Some(mutant), TEST_TIME_LEAST.max(self.take * STUCK))
    }

    fn pass(&self, mutant: Option<usize>, within: Duration) -> bool {
        self.files.iter().all(|file| {
            let mut command = Command::new(file);
            command.arg(self.tests.filter).env_remove(WHICH);
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

/// Builds the test binaries: where they are.
fn build(workspace: &Workspace, tests: Tests) -> Vec<PathBuf> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["test", "--release", "--no-run", "--message-format", "json"]);
    command.args(["-p", tests.package]).args(tests.binaries);
    command.current_dir(workspace.root()).env("CARGO_TARGET_DIR", workspace.target());
    let output = command.output().expect("cargo runs");
    let messages = String::from_utf8_lossy(&output.stdout);
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let messages: Vec<_> = messages.collect();
    let errors = messages.iter().filter(|it| it["message"]["level"] == "error");
    let errors = errors.filter_map(|it| it["message"]["rendered"].as_str());
    let said = || errors.collect::<String>() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{tests:?} with the mutants in it: {}", said());
    let tests_only = messages.iter().filter(|it| it["profile"]["test"] == true);
    tests_only.filter_map(|it| it["executable"].as_str().map(PathBuf::from)).collect()
}
