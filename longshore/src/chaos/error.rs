//! Why chaos couldn't be made, or didn't come to an end.

use std::io;
use std::time::Duration;

use longshore_chaos::ChaosError as ProxyError;
use longshore_local::LocalError;

use crate::inspect::InspectError;
use crate::staff::StaffError;
use crate::{CommandError, Exit};

/// What failed.
#[derive(Debug, thiserror::Error)]
pub enum ChaosError {
    /// The input can't be read twice.
    #[error("standard input can't be published twice: name a file, or tpch:SCALE")]
    StandardInput,
    /// The input can't be counted.
    #[error("the input {path} can't be read: {source}")]
    Input {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Not everything was done in time, with nothing wrong any more.
    #[error(
        "{run}: after {waited:?} without faults there are still {left}; the logs of its processes \
         are in {logs}"
    )]
    Unsettled {
        /// Which run.
        run: &'static str,
        /// How long it was waited for.
        waited: Duration,
        /// What is left.
        left: String,
        /// The folder of the logs.
        logs: String,
    },
    /// Processes end by themselves, again and again.
    #[error("{run}: {times} processes have ended by themselves, the last one: {last}")]
    KeepsEnding {
        /// Which run.
        run: &'static str,
        /// How many.
        times: u64,
        /// The last one.
        last: Box<StaffError>,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// A process can't be started or stopped.
    #[error(transparent)]
    Staff(#[from] StaffError),
    /// The Kafka can't be started.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The proxy can't be started.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The topics can't be created.
    #[error(transparent)]
    Topics(#[from] Box<CommandError>),
    /// Topics or progress can't be read.
    #[error(transparent)]
    Inspect(Box<InspectError>),
    /// The operating system refuses something.
    #[error("could not {doing}: {source}")]
    System {
        /// What was being done.
        doing: &'static str,
        /// What it says.
        source: io::Error,
    },
}

impl ChaosError {
    /// The exit code that stands for it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::StandardInput | Self::Input { .. } => Exit::Usage,
            Self::Topics(error) => error.exit(),
            _ => Exit::Failed,
        }
    }

    /// For `map_err`: what was being done.
    pub(super) fn system(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { doing, source }
    }
}

// Boxed: it is large, and every step of a run would carry its room.
impl From<InspectError> for ChaosError {
    fn from(error: InspectError) -> Self {
        Self::Inspect(Box::new(error))
    }
}
