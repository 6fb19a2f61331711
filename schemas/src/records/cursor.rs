//! How far a source has been published.

use serde::{Deserialize, Serialize};

use super::as_long;

/// The place in a bounded input up to which everything is published: committed to
/// `<source>.cursors`, keyed by `source`, in the transaction that publishes its items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// What is being read: the identity of a file (name, size, hash of its head), or of a
    /// generator with all that decides its output.
    pub source: String,
    /// Bytes published from its start; 0 for a source without bytes.
    #[serde(with = "as_long")]
    pub byte: u64,
    /// Lines or items published, bad ones included: the next one's number is one more.
    #[serde(with = "as_long")]
    pub line: u64,
    /// Whether its end was reached.
    pub ended: bool,
}
