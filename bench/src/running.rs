//! A program that is being measured.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use procfs::process::Process;
use rustix::process::{Pid, Signal, kill_process};

/// How long a program may take to end once it is asked to: it commits what it has begun.
const STOP_MAX: Duration = Duration::from_secs(40);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A process, which is killed when nobody wants it any more.
pub(crate) struct Running {
    child: Child,
    since: Instant,
    log: PathBuf,
}

impl Running {
    /// Starts it. What it says goes to a file, behind what was said there before.
    pub(crate) fn start(mut command: Command, log: &Path) -> Result<Self> {
        let file = File::options().append(true).create(true).open(log);
        let file = file.with_context(|| format!("{} to be written", log.display()))?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let since = Instant::now();
        let child = command.spawn().with_context(|| format!("{command:?} to be run"))?;
        Ok(Self { child, since, log: log.to_owned() })
    }

    /// When it was started.
    pub(crate) fn since(&self) -> Instant {
        self.since
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The most that it had in memory so far, in MiB.
    pub(crate) fn peak_mib(&self) -> Result<f64> {
        let process = Process::new(i32::try_from(self.pid())?)?;
        let kib = process.status()?.vmhwm.context("its peak memory")?;
        Ok(kib as f64 / 1024.0)
    }

    /// Fails if it has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("it ended by itself: {status}; see {}", self.log.display()),
        }
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.check()?;
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).context("its pid")?;
        kill_process(pid, Signal::TERM)?;
        let deadline = Instant::now() + STOP_MAX;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                bail!("it didn't end within {STOP_MAX:?}; see {}", self.log.display());
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _killed = self.child.kill();
        let _waited_for = self.child.wait();
    }
}
