//! One process of the fleet: its leash, its log, and what it says of itself.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use longshore_local::{Leash, LocalError};

use super::metrics::{self, Counters};

/// Lines of a log that are shown of a process that failed.
const TAIL_LINES: usize = 10;

/// A running process. Dropping it kills it; it is killed too when its owner is.
pub struct Child {
    leash: Leash,
    log: PathBuf,
    admin: Option<SocketAddr>,
    counters: Counters,
    memory: Memory,
}

/// Resident memory of a process in bytes; 0 where it isn't known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// What it had when it was last looked at.
    pub now: u64,
    /// The most it had until then.
    pub peak: u64,
}

impl Child {
    /// Starts it; what it says goes into the log, which must not be another's.
    pub fn start(command: &Command, log: PathBuf) -> Result<Self, LocalError> {
        let leash = Leash::tie(command, &log)?;
        Ok(Self {
            leash,
            log,
            admin: None,
            counters: Counters::default(),
            memory: Memory::default(),
        })
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.leash.ended()
    }

    /// Asks it to end in order.
    pub fn terminate(&self) {
        self.leash.terminate();
    }

    /// Kill -9. It is gone when this returns.
    pub fn kill(&mut self) {
        self.leash.kill();
    }

    /// It stands still until it is thawed.
    pub fn freeze(&self) {
        self.leash.freeze();
    }

    /// It goes on, if it stood still.
    pub fn thaw(&self) {
        self.leash.thaw();
    }

    /// Looks at its metrics and its memory, as far as it lets itself be looked at.
    pub fn look(&mut self) {
        self.admin = self.admin.or_else(|| admin(&fs::read_to_string(&self.log).ok()?));
        if let Some(counters) = self.admin.and_then(metrics::read) {
            self.counters = counters;
        }
        let status = fs::read_to_string(format!("/proc/{}/status", self.leash.pid()));
        self.memory = status.ok().and_then(|status| memory(&status)).unwrap_or(self.memory);
    }

    /// What it had counted when it was last looked at.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Its memory when it was last looked at.
    pub fn memory(&self) -> Memory {
        self.memory
    }

    /// The last lines of its log.
    pub fn log_tail(&self) -> String {
        tail(&self.log)
    }
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

/// The address of the admin server, as the log tells it.
fn admin(log: &str) -> Option<SocketAddr> {
    let told = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        line["admin"].as_str()?.parse().ok()
    };
    log.lines().find_map(told)
}

/// What is resident and the most that ever was (`VmRSS` and `VmHWM` of `man 5 proc_pid_status`, in
/// KiB).
fn memory(status: &str) -> Option<Memory> {
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
    };
    Some(Memory { now: bytes("VmRSS:")?, peak: bytes("VmHWM:")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_admin_server_is_found_in_the_log() {
        let log =
            "not json\n{\"level\":\"INFO\"}\n{\"admin\":\"127.0.0.1:4711\",\"level\":\"INFO\"}\n";
        assert_eq!(admin(log), Some("127.0.0.1:4711".parse().unwrap()));
        assert_eq!(admin("{\"level\":\"INFO\"}\n"), None);
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let status = "Name:\tlongshore\nVmHWM:\t   2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!(memory(status), Some(Memory { now: 1 << 20, peak: 2 << 20 }));
        assert_eq!(memory("Name:\tlongshore\n"), None);
    }
}
