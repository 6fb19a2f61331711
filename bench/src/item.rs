//! What is worked on in every workload.

use longshore::prelude::*;
use serde::{Deserialize, Serialize};

/// An item of a workload.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Work {
    /// Whose item it is: that of its record's key.
    pub key: i64,
    /// How many items of its key came before it.
    pub sequence: i64,
    /// When it was sent, in microseconds since 1970.
    pub sent: i64,
    /// What makes it as long as the workload wants it.
    pub payload: String,
}

impl WorkItem for Work {
    /// The peers' classes are made from it too.
    const SCHEMA: &'static str = include_str!("../peers/src/main/avro/Work.avsc");
}
