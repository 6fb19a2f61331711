//! Defects put into the lane and the gather on purpose: their tests must find every one.
//!
//! Each is a change of a few words to a copy of the workspace, under `target/mutants`. A change
//! whose words aren't found any more fails too: the table has to follow the code.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod copy;
mod table;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use copy::Workspace;
use table::{HISTORIES, JOIN, LANE, MUTANTS, Mutant, Tests};

/// A mutant whose tests take longer is stuck, which is a way to be found out.
const TEST_TIME_MAX: Duration = Duration::from_secs(240);

/// Histories that are tried of each subject: those that are found at all are found in the first
/// thousand.
const HISTORIES_OF_EACH: &str = "4000";

/// What the tests make of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Found,
    Survived,
}

#[test]
fn the_table_follows_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let astray: Vec<_> = MUTANTS
        .iter()
        .filter(|it| {
            let code = fs::read_to_string(root.join(it.file)).unwrap_or_default();
            code.matches(it.words).count() != 1
        })
        .map(|it| (it.defect, it.file))
        .collect();
    assert!(astray.is_empty(), "their words don't stand there once: {astray:#?}");
}

#[test]
fn the_tests_find_every_mutant() {
    let workspace = Workspace::copied();
    for tests in [&LANE, &JOIN, &HISTORIES] {
        let passed = builds(&workspace, tests) && passes(&workspace, tests);
        assert!(passed, "the tests of {} fail without any mutant", tests.package);
    }
    let verdicts: Vec<_> = MUTANTS.iter().map(|it| (it, try_out(&workspace, it))).collect();
    let survivors: Vec<_> = verdicts
        .iter()
        .filter(|(_, verdict)| *verdict == Verdict::Survived)
        .map(|(mutant, _)| mutant.defect)
        .collect();
    assert!(survivors.is_empty(), "no test finds these: {survivors:#?}");
}

fn try_out(workspace: &Workspace, mutant: &Mutant) -> Verdict {
    let original = workspace.read(mutant.file);
    workspace.write(mutant.file, &original.replace(mutant.words, mutant.instead));
    let built = builds(workspace, &mutant.tests);
    let found = built && !passes(workspace, &mutant.tests);
    workspace.write(mutant.file, &original);
    assert!(built, "`{}` doesn't compile", mutant.defect);
    if found { Verdict::Found } else { Verdict::Survived }
}

fn cargo(workspace: &Workspace, tests: &Tests, how: &str) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["test", "--release", "-p", tests.package, how])
        .args(tests.filter)
        .current_dir(workspace.root())
        .env("CARGO_TARGET_DIR", workspace.target())
        .env("RUSTFLAGS", "-Awarnings")
        .env("LONGSHORE_SIMULATION_SEEDS", HISTORIES_OF_EACH)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn builds(workspace: &Workspace, tests: &Tests) -> bool {
    cargo(workspace, tests, "--no-run").status().expect("cargo runs").success()
}

/// Whether the tests, which are built, pass in time.
fn passes(workspace: &Workspace, tests: &Tests) -> bool {
    let mut running = cargo(workspace, tests, "--quiet").spawn().expect("cargo runs");
    let deadline = Instant::now() + TEST_TIME_MAX;
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
