//! Why the processes of a fleet can't go on.

use std::io;
use std::process::ExitStatus;

use longshore_local::LocalError;

use super::members::STOP_MAX;

/// Why the processes can't go on.
#[derive(Debug, thiserror::Error)]
pub enum StaffError {
    /// One ended that wasn't asked to, or failed when it was.
    #[error("{slot} {how} ({status}); its last words:\n{last_words}")]
    Ended {
        /// Whose process.
        slot: String,
        /// What it did.
        how: &'static str,
        /// Its exit code or signal.
        status: ExitStatus,
        /// The end of its log.
        last_words: String,
    },
    /// One didn't drain in time.
    #[error("{slot} did not end within {} s of SIGTERM", STOP_MAX.as_secs())]
    Slow {
        /// Whose process.
        slot: String,
    },
    /// This program can't be started again.
    #[error("this program's own file is not known: {0}")]
    Program(#[source] io::Error),
    /// A process can't be started.
    #[error(transparent)]
    Start(#[from] LocalError),
}
