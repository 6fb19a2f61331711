//! A process named so that a recycled pid is never taken for it.

use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

/// A pid together with the moment its process was born.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProcessId {
    pub(crate) pid: u32,
    birth: String,
}

impl ProcessId {
    /// The process that has this pid now, if there is one.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let birth = birth_by_proc(pid).or_else(|| birth_by_ps(pid))?;
        Some(Self { pid, birth })
    }

    pub(crate) fn is_running(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }

    /// Signals the process if it is still the same one. That it may end in between is no error.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid.filter(|_| self.is_running()) {
            let _ended_meanwhile = kill_process(pid, signal);
        }
    }
}

/// Linux: clock ticks from boot to birth, and which boot (`man 5 proc_pid_stat`, fields 3 and 22).
fn birth_by_proc(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    birth_from_stat(&stat).map(|ticks| format!("{}:{ticks}", boot.trim()))
}

/// The program's name stands in brackets and may hold spaces and brackets itself: fields are
/// counted from the last bracket. A zombie has ended, though its pid is still taken.
fn birth_from_stat(stat: &str) -> Option<&str> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    fields.nth(18).filter(|_| state != "Z" && state != "X")
}

/// Other systems have no `/proc`; every `ps` knows the state and the start, to the second.
fn birth_by_ps(pid: u32) -> Option<String> {
    let answer =
        Command::new("ps").args(["-o", "state=,lstart=", "-p", &pid.to_string()]).output().ok()?;
    let line = String::from_utf8(answer.stdout).ok()?;
    let (state, birth) = line.trim().split_once(char::is_whitespace)?;
    (!state.starts_with('Z')).then(|| birth.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_process_is_known_again_and_an_ended_one_is_not() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let process = ProcessId::of(child.id()).unwrap();
        assert!(process.is_running());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!process.is_running());
    }

    #[test]
    fn another_process_with_the_same_pid_is_not_taken_for_it_nor_signalled() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let recycled = ProcessId { pid: child.id(), birth: "an earlier one".into() };
        assert!(!recycled.is_running());
        recycled.signal(Signal::KILL);
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_name_with_spaces_and_brackets_does_not_shift_the_fields() {
        let fields = (4..=52).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!(birth_from_stat(&format!("7 (a) b (c) S {fields}")), Some("22"));
        assert_eq!(birth_from_stat(&format!("7 (java) Z {fields}")), None);
        assert_eq!(birth_from_stat("no stat at all"), None);
    }
}
