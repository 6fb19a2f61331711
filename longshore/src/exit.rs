//! How a command ends, for scripts and supervisors.

use std::process::ExitCode;

/// What `--help` says of the exit codes.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    done; a fleet that was asked to stop has drained
  1    failed, or found what it was asked to look for; a supervisor restarts the process
  2    wrong usage: the command line, the settings or the pipeline file
  3    no Kafka answers
  4    Kafka lacks topics of the pipeline, or has them otherwise than they must be
  130, 143    ended by a second SIGINT or SIGTERM, without draining";

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what it was asked.
    Done,
    /// It failed, or found what it was asked to look for.
    Failed,
    /// Its command line, its settings or its pipeline is wrong.
    Usage,
    /// No Kafka answers.
    Unreachable,
    /// Kafka isn't as the pipeline needs it.
    Unfit,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
            Self::Unfit => 4,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}
