//! Ties a process to its owner: when the owner ends, even by kill -9, the process ends. What is
//! said of brokers here holds for any process on a leash.
//!
//! A destructor does not run after kill -9, and `PR_SET_PDEATHSIG` fires when the *thread* that
//! started the child ends, and on Linux only. So the tie is a pipe. The owner holds its writing
//! end, which the system closes however the owner ends. A small shell reads the other end and
//! kills the broker when it sees the pipe closed, unless a line came first, which lets go.
//! The shell that becomes the broker by `exec` starts this watcher before it does: at no moment
//! does the broker run unwatched, and the owner's child is the broker itself.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::LocalError;
use crate::docker::Container;

/// Arguments: Docker and the container to remove, or two empty ones; then the broker's command.
///
/// The watcher is a grandchild, which init adopts and reaps: as a child it would stay a zombie of
/// a broker that was let go. Hang-ups are ignored, or a closed terminal would end `up`'s broker.
const SCRIPT: &str = r#"
exec 3<&0 </dev/null
trap '' HUP
docker=$1
container=$2
shift 2
(
    (
        read -r _ <&3 && exit
        kill -9 $$
        [ -z "$docker" ] || "$docker" rm --force "$container"
    ) &
)
exec "$@" 3<&-
"#;

/// How often an ending process is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A running process and the pipe that holds it. Dropping it kills the process.
#[derive(Debug)]
pub struct Leash {
    child: Child,
    /// Absent once the watcher was told to let go.
    pipe: Option<ChildStdin>,
    container: Option<Container>,
}

impl Leash {
    /// Starts a command on a leash; what it says is appended to the log.
    pub fn tie(command: &Command, log: &Path) -> Result<Self, LocalError> {
        Self::start(command, None, log)
    }

    /// Starts the command, in a process group of its own: Ctrl-C in the owner's terminal is for
    /// the owner, which may still need its broker to shut down in order.
    pub(crate) fn start(
        command: &Command,
        container: Option<Container>,
        log: &Path,
    ) -> Result<Self, LocalError> {
        let open = OpenOptions::new().create(true).append(true).open(log);
        let output = open.map_err(LocalError::io("open", log))?;
        let errors = output.try_clone().map_err(LocalError::io("open", log))?;
        let child = in_shell(command, container.as_ref())
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            .process_group(0)
            .spawn();
        let mut child = child.map_err(LocalError::io("run", Path::new("/bin/sh")))?;
        let pipe = child.stdin.take();
        Ok(Self { child, pipe, container })
    }

    /// The process's id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How the process ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().ok().flatten();
        if status.is_some() {
            // The pid may be given to another process from now on: the watcher must not kill it.
            self.dismiss_watcher();
        }
        status
    }

    /// SIGTERM: the process is asked to end in order.
    pub fn terminate(&self) {
        // Nobody but this value reaps the child, so the pid is still its own.
        let _ended_meanwhile = kill_process(Pid::from_child(&self.child), Signal::TERM);
    }

    /// SIGSTOP: the process stands still, and everything that it waits for goes on.
    pub fn freeze(&self) {
        let _ended_meanwhile = kill_process(Pid::from_child(&self.child), Signal::STOP);
    }

    /// SIGCONT: a process that stands still goes on.
    pub fn thaw(&self) {
        let _ended_meanwhile = kill_process(Pid::from_child(&self.child), Signal::CONT);
    }

    /// Kill -9; the process is gone when this returns.
    pub fn kill(&mut self) {
        let _ended_meanwhile = self.child.kill();
        // The watcher is told before the pid is free for others.
        self.dismiss_watcher();
        let _reaped = self.child.wait();
    }

    /// SIGTERM, at which Kafka shuts down in order; kill -9 when `patience` is over.
    pub(crate) fn stop(mut self, patience: Duration) {
        let since = Instant::now();
        self.terminate();
        while self.ended().is_none() && since.elapsed() < patience {
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Lets the broker outlive its owner.
    pub(crate) fn release(mut self) {
        self.dismiss_watcher();
        self.container = None;
    }

    fn dismiss_watcher(&mut self) {
        if let Some(mut pipe) = self.pipe.take() {
            // A watcher that has gone can't be told, and needn't be.
            let _gone = pipe.write_all(b"let go\n");
        }
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        if self.pipe.is_none() {
            return;
        }
        self.kill();
        if let Some(container) = &self.container {
            container.remove();
        }
    }
}

/// The shell that starts the watcher and becomes the command.
fn in_shell(command: &Command, container: Option<&Container>) -> Command {
    let (docker, name) = container.map_or((OsStr::new(""), ""), |container| {
        (container.docker.as_os_str(), container.name.as_str())
    });
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", SCRIPT, "longshore-leash"]).arg(docker).arg(name);
    shell.arg(command.get_program()).args(command.get_args());
    for (variable, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(variable, value),
            None => shell.env_remove(variable),
        };
    }
    shell
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::process::ProcessId;

    fn sleeping(log: &Path) -> Leash {
        let mut command = Command::new("sleep");
        command.arg("600");
        Leash::start(&command, None, log).unwrap()
    }

    fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
        let since = Instant::now();
        while !condition() {
            assert!(since.elapsed() < Duration::from_secs(10), "not within 10 s: {what}");
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    #[test]
    fn a_closed_pipe_kills_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let mut leash = sleeping(&folder.path().join("log"));
        let process = ProcessId::of(leash.pid()).unwrap();
        drop(leash.pipe.take());
        wait_until("the process is killed", || !process.is_running());
        assert!(leash.child.wait().unwrap().code().is_none(), "it ended by a signal");
    }

    #[test]
    fn a_dropped_leash_leaves_neither_process_nor_watcher() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let leash = sleeping(&log);
        let process = ProcessId::of(leash.pid()).unwrap();
        drop(leash);
        assert!(!process.is_running());
    }

    #[test]
    fn a_killed_process_is_gone_at_once_and_another_may_take_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut command = Command::new("sleep");
        command.arg("600");
        let mut leash = Leash::tie(&command, &log).unwrap();
        let process = ProcessId::of(leash.pid()).unwrap();
        leash.kill();
        assert!(!process.is_running());
        leash = Leash::tie(&command, &log).unwrap();
        assert!(leash.ended().is_none());
    }

    #[test]
    fn a_released_process_lives_on() {
        let folder = tempfile::tempdir().unwrap();
        let leash = sleeping(&folder.path().join("log"));
        let process = ProcessId::of(leash.pid()).unwrap();
        leash.release();
        // The watcher reads the line in its own time; were it to kill instead, it would do so now.
        std::thread::sleep(Duration::from_millis(200));
        assert!(process.is_running());
        process.signal(Signal::KILL);
        wait_until("the process ends", || !process.is_running());
    }

    #[test]
    fn a_process_that_ended_by_itself_is_noticed_and_its_words_are_in_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let mut leash = Leash::start(&command, None, &log).unwrap();
        let mut status = None;
        wait_until("the process ends", || {
            status = leash.ended();
            status.is_some()
        });
        assert_eq!(status.unwrap().code(), Some(3));
        assert_eq!(std::fs::read_to_string(log).unwrap(), "out\nerr\n");
    }

    #[test]
    fn a_process_that_ignores_a_polite_stop_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' TERM; echo ready; while :; do sleep 1; done"]);
        let leash = Leash::start(&command, None, &log).unwrap();
        let process = ProcessId::of(leash.pid()).unwrap();
        wait_until("it is ready", || std::fs::read_to_string(&log).unwrap() == "ready\n");
        leash.stop(Duration::from_millis(100));
        assert!(!process.is_running());
    }
}
