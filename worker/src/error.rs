//! Why a worker didn't start, or stopped.

use longshore_handler::UnknownHandler;
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
    /// The lane didn't start, or stopped.
    #[error("stage `{stage}`: {reason}")]
    Lane {
        /// The stage.
        stage: StageName,
        /// Why.
        #[source]
        reason: Box<LaneError>,
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
