//! Why a worker didn't start, or stopped.

use std::io;

use longshore_handler::UnknownHandler;
use longshore_kafka::Failure;
use longshore_kafka::lane::LaneError;
use longshore_schemas::{EncodeError, Origin, StageName};
use thiserror::Error;

/// What ended a worker. Whatever it is, nothing was committed that wasn't finished.
#[derive(Debug, Error)]
pub enum WorkerError {
    /// The stage's handler isn't registered.
    #[error("stage `{stage}`: {error}")]
    UnknownHandler {
        /// The stage.
        stage: StageName,
        /// Which handlers there are.
        #[source]
        error: UnknownHandler,
    },
    /// The stage's handler is a gather.
    #[error("stage `{stage}`: handler `{handler}` takes groups, not items; name it in a join")]
    TakesGroups {
        /// The stage.
        stage: StageName,
        /// Its handler.
        handler: String,
    },
    /// The operating system gives no thread.
    #[error("stage `{stage}`: no thread for its lane ({error}); raise the limit on processes")]
    Thread {
        /// The stage.
        stage: StageName,
        /// What it says.
        #[source]
        error: io::Error,
    },
    /// Kafka can't be reached or refuses.
    #[error("stage `{stage}`: {failure}")]
    Connect {
        /// The stage.
        stage: StageName,
        /// What failed.
        #[source]
        failure: Failure,
    },
    /// The lane stopped.
    #[error("stage `{stage}`: {error}")]
    Lane {
        /// The stage.
        stage: StageName,
        /// Why.
        #[source]
        error: Box<LaneError>,
    },
    /// The lane's thread panicked.
    #[error(
        "stage `{stage}`: its lane panicked, which is a defect of Longshore; nothing unfinished \
         was committed, please report the lines above"
    )]
    Panicked {
        /// The stage.
        stage: StageName,
    },
}

/// Why a stage can't go on with its items; its lane stops.
#[derive(Debug, Error)]
pub(crate) enum Stuck {
    /// Not even the failure of an item can be written down.
    #[error("the failure of the item at {origin} can't be written: {error}; please report this")]
    Unwritable {
        /// The item.
        origin: Origin,
        /// Why.
        #[source]
        error: EncodeError,
    },
    /// A task that works on items has died, and its items with it.
    #[error("a task that runs handlers has ended by a panic outside of them; please report this")]
    ExecutorEnded,
}
