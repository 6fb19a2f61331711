//! A program that is being measured, in one process or several.

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

/// Processes of one program, which are killed when nobody wants them any more.
pub(crate) struct Running {
    children: Vec<Child>,
    since: Instant,
    log: PathBuf,
}

impl Running {
    /// Starts them. What they say goes to a file, behind what was said there before.
    pub(crate) fn start(commands: Vec<Command>, log: &Path) -> Result<Self> {
        let file = File::options().append(true).create(true).open(log);
        let file = file.with_context(|| format!("{} to be written", log.display()))?;
        let mut running = Self { children: Vec::new(), since: Instant::now(), log: log.to_owned() };
        for mut command in commands {
            command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file.try_clone()?);
            let child = command.spawn().with_context(|| format!("{command:?} to be run"))?;
            running.children.push(child);
        }
        Ok(running)
    }

    /// When they were started.
    pub(crate) fn since(&self) -> Instant {
        self.since
    }

    /// Their processes.
    pub(crate) fn processes(&self) -> Result<Vec<Process>> {
        let process = |child: &Child| Ok(Process::new(i32::try_from(child.id())?)?);
        self.children.iter().map(process).collect()
    }

    /// The most that each had in memory so far, together, in MiB.
    pub(crate) fn peak_mib(&self) -> Result<f64> {
        let kib = |process: Process| process.status()?.vmhwm.context("its peak memory");
        let peaks: Vec<u64> = self.processes()?.into_iter().map(kib).collect::<Result<_>>()?;
        Ok(peaks.iter().sum::<u64>() as f64 / 1024.0)
    }

    /// Fails if one has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        for child in &mut self.children {
            if let Some(status) = child.try_wait()? {
                bail!("it ended by itself: {status}; see {}", self.log.display());
            }
        }
        Ok(())
    }

    /// Asks them to end, and waits until they have.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.check()?;
        for child in &self.children {
            let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("its pid")?;
            kill_process(pid, Signal::TERM)?;
        }
        let deadline = Instant::now() + STOP_MAX;
        for child in &mut self.children {
            while child.try_wait()?.is_none() {
                if Instant::now() > deadline {
                    bail!("it didn't end within {STOP_MAX:?}; see {}", self.log.display());
                }
                thread::sleep(LOOK_EVERY);
            }
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for child in &mut self.children {
            // It may have ended.
            let _killed = child.kill();
            let _waited_for = child.wait();
        }
    }
}
