//! Who publishes the input: a process that goes on where it was when it is started again.

use std::path::PathBuf;
use std::process::Command;

use crate::staff::{Child, StaffError};

/// The process that publishes. Its cursor tells it what it has published already.
pub(super) struct Publisher {
    command: Command,
    log: PathBuf,
    starts: u32,
    child: Option<Child>,
}

impl Publisher {
    /// Starts it.
    pub(super) fn start(command: Command, log: PathBuf) -> Result<Self, StaffError> {
        let mut publisher = Self { command, log, starts: 0, child: None };
        publisher.begin()?;
        Ok(publisher)
    }

    fn begin(&mut self) -> Result<(), StaffError> {
        self.starts += 1;
        let log = self.log.with_extension(format!("{}.log", self.starts));
        self.child = Some(Child::start(&self.command, log)?);
        Ok(())
    }

    /// Kill -9, and another one. Nothing if all is published.
    pub(super) fn kill(&mut self) -> Result<(), StaffError> {
        match &mut self.child {
            None => Ok(()),
            Some(child) => {
                child.kill();
                self.begin()
            }
        }
    }

    /// The process, while it publishes.
    pub(super) fn child(&self) -> Option<&Child> {
        self.child.as_ref()
    }

    /// Looks whether it has ended. One that failed is started again; how it failed is answered.
    pub(super) fn look(&mut self) -> Result<Option<StaffError>, StaffError> {
        let Some(child) = &mut self.child else { return Ok(None) };
        match child.ended() {
            None => Ok(None),
            Some(status) if status.success() => {
                self.child = None;
                Ok(None)
            }
            Some(status) => {
                let failed = StaffError::Ended {
                    slot: "the producer".to_owned(),
                    how: "failed",
                    status,
                    last_words: child.log_tail(),
                };
                self.begin()?;
                Ok(Some(failed))
            }
        }
    }

    /// Whether all is published.
    pub(super) fn is_done(&self) -> bool {
        self.child.is_none()
    }
}
