//! One process of a fleet: started, asked to stop, killed, and what it said.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::wait::until;

/// The shortest that a broker permits by default, so that a dead member is soon replaced.
pub(crate) const SESSION_TIMEOUT: Duration = Duration::from_secs(6);
/// Below the session timeout, as it must be.
pub(crate) const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(5);
/// The program.
const PROGRAM: &str = "fleet-under-test";
/// Lines of a log that a failed test shows.
const TAIL: usize = 30;

/// A process, which dies with its owner.
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts the program with these arguments; what it says goes to a file in this folder.
    pub(crate) fn start(folder: &Path, name: &str, arguments: &[&str]) -> Self {
        Self::start_with(folder, name, arguments, &[])
    }

    /// The same with these variables in its environment.
    pub(crate) fn start_with(
        folder: &Path,
        name: &str,
        arguments: &[&str],
        environment: &[(&str, PathBuf)],
    ) -> Self {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).expect("a log file");
        let child = Command::new(program())
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("the same file twice"))
            .stderr(file)
            .spawn()
            .expect("the program starts");
        Self { name: name.to_owned(), child, log }
    }

    /// Asks it to stop, as a supervisor would, and waits until it has drained.
    pub fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("it runs");
        let status = self.wait();
        assert!(status.success(), "{} didn't drain: {status}\n{}", self.name, self.tail());
    }

    /// Kill -9. Fails if it had ended before.
    pub fn crash(mut self) {
        assert!(self.running(), "{} ended before it was killed\n{}", self.name, self.tail());
        self.child.kill().expect("it runs");
        assert_eq!(self.wait().signal(), Some(Signal::KILL.as_raw()));
    }

    /// Lets it stand still, its connections open: as seen from outside, a process that hangs.
    pub fn freeze(&self) {
        kill_process(Pid::from_child(&self.child), Signal::STOP).expect("it runs");
    }

    /// Lets it go on as if nothing had been.
    pub fn thaw(&self) {
        kill_process(Pid::from_child(&self.child), Signal::CONT).expect("it runs");
    }

    /// Waits until it has been killed by its own hand.
    pub fn dies(mut self) {
        let status = self.wait();
        let killed = Some(Signal::KILL.as_raw());
        assert_eq!(status.signal(), killed, "{}: {status}\n{}", self.name, self.tail());
    }

    /// Waits until it ends by itself: its exit code, and all it said.
    pub fn ends(mut self) -> (i32, String) {
        let status = self.wait();
        let code = status.code();
        let said = self.said();
        (code.unwrap_or_else(|| panic!("{}: {status}\n{said}", self.name)), said)
    }

    /// Whether it runs.
    pub fn running(&mut self) -> bool {
        self.child.try_wait().expect("it can be asked").is_none()
    }

    /// All it said so far.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).expect("its log")
    }

    /// The events of its log that say this, with their fields.
    pub fn told(&self, message: &str) -> Vec<Value> {
        let said = self.said();
        // A line that is being written isn't whole yet.
        let events = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        events.filter(|event| event["message"] == message).collect()
    }

    /// Whether it was given any partition: a new member is often told first that it has none yet.
    pub fn has_partitions(&self) -> bool {
        self.told("assigned").iter().any(|event| event["partitions"] != "[]")
    }

    /// What a counter of it has come to, over all its series with these labels.
    pub fn counter(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let labels: Vec<_> =
            labels.iter().map(|(key, value)| format!("{key}=\"{value}\"")).collect();
        let metrics = self.metrics();
        let series = metrics.lines().filter(|line| {
            let of_name = line.strip_prefix(name).is_some_and(|it| it.starts_with(['{', ' ']));
            of_name && labels.iter().all(|label| line.contains(label))
        });
        let value = |line: &str| line.rsplit(' ').next()?.parse::<u64>().ok();
        series.map(|line| value(line).expect("a counter is a whole number")).sum()
    }

    /// What it tells at its admin port.
    fn metrics(&self) -> String {
        let address = until("it says where its admin port is", || self.admin());
        let mut stream = TcpStream::connect(&address).expect("its admin port is open");
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .expect("it can be asked");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer
    }

    fn admin(&self) -> Option<String> {
        let said = self.said();
        let (_, rest) = said.split_once("\"admin\":\"")?;
        rest.split_once('"').map(|(address, _)| address.to_owned())
    }

    /// The most memory that it had at any time, in bytes, as the system counts it.
    pub fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
        kib.expect("the system counts it") * 1_024
    }

    /// The files in this folder that it has open, as the system lets others open them: a file may
    /// have no name of its own.
    pub fn open_files(&self, folder: &Path) -> Vec<PathBuf> {
        let open = fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("it runs");
        let open = open.map(|it| it.expect("it runs").path());
        let is_there = |it: &PathBuf| fs::read_link(it).is_ok_and(|it| it.starts_with(folder));
        open.filter(is_there).collect()
    }

    fn wait(&mut self) -> ExitStatus {
        let what = format!("{} ends", self.name);
        until(&what, || self.child.try_wait().expect("it can be asked"))
    }

    fn tail(&self) -> String {
        let said = self.said();
        let lines: Vec<_> = said.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.running() {
            // A test that failed shows what its processes said.
            show(&self.name, &self.tail());
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

#[expect(clippy::print_stderr, reason = "the test runner shows it if the test fails")]
fn show(name: &str, tail: &str) {
    eprintln!("--- {name}, still running:\n{tail}");
}

/// The program lies beside the folder of the tests: cargo builds both.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a path of the test");
    let folder = test.parent().and_then(Path::parent).expect("target/<profile>/deps");
    folder.join(PROGRAM)
}
