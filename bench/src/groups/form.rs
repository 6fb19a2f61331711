//! How a program reads records of groups, and writes what they come to.

use anyhow::Result;
use bytes::Bytes;
use longshore::kafka::Record;
use longshore::schemas::Headers;

use super::{Gathered, Groups, Step};

/// The form of a program's records; their keys are the ids of groups in each.
pub(crate) trait Form {
    /// The value and the headers of a record that it reads.
    fn record(&self, groups: &Groups, group: u64, step: Step) -> Result<(Bytes, Headers)>;

    /// What a record that it wrote says of a group that is complete.
    fn result(&self, groups: &Groups, record: &Record) -> Result<Gathered>;
}
