//! Why a coordinator stopped.

use longshore_kafka::lane::LaneError;
use longshore_schemas::StageName;
use thiserror::Error;

use crate::gather::RulesError;

/// What stopped a coordinator. Whatever it is, nothing is lost: the next owner goes on from
/// committed progress.
#[derive(Debug, Error)]
pub enum CoordinatorError {
    /// Its rules can't be used.
    #[error("join {join}: {reason}")]
    Rules {
        /// The join.
        join: StageName,
        /// What is wrong with them.
        #[source]
        reason: RulesError,
    },
    /// Its lane stopped.
    #[error("join {join}: {reason}")]
    Lane {
        /// The join.
        join: StageName,
        /// Why.
        #[source]
        reason: LaneError,
    },
}
