//! The journal of a join: whatever is not a function of the inbox prefix alone.

use std::sync::LazyLock;

use bytes::Bytes;

use super::{Carried, Closed, Orphaned, Reopened};
use crate::codec::{Codec, DecodeError, EncodeError, Fingerprint};

/// A record of a join's journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalRecord {
    /// A group closed.
    Closed(Closed),
    /// A part without a group was given up.
    Orphaned(Orphaned),
    /// An old group was moved out of the inbox's tail.
    Carried(Carried),
    /// A closed group was opened again.
    Reopened(Reopened),
}

struct Codecs {
    closed: &'static Codec<Closed>,
    orphaned: &'static Codec<Orphaned>,
    carried: &'static Codec<Carried>,
    reopened: &'static Codec<Reopened>,
}

static CODECS: LazyLock<Codecs> = LazyLock::new(|| Codecs {
    closed: Codec::checked_in(),
    orphaned: Codec::checked_in(),
    carried: Codec::checked_in(),
    reopened: Codec::checked_in(),
});

impl JournalRecord {
    /// Encodes whichever record it is.
    ///
    /// # Errors
    /// As [`Codec::encode`].
    pub fn encode(&self) -> Result<Bytes, EncodeError> {
        match self {
            Self::Closed(closed) => CODECS.closed.encode(closed),
            Self::Orphaned(orphaned) => CODECS.orphaned.encode(orphaned),
            Self::Carried(carried) => CODECS.carried.encode(carried),
            Self::Reopened(reopened) => CODECS.reopened.encode(reopened),
        }
    }

    /// Decodes whichever record the bytes' fingerprint names.
    ///
    /// # Errors
    /// As [`Codec::decode`]; `UnknownSchema` for a record that doesn't belong in a journal.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let fingerprint = Fingerprint::of_message(bytes)?;
        let codecs = &*CODECS;
        if codecs.closed.reads(fingerprint) {
            codecs.closed.decode(bytes).map(Self::Closed)
        } else if codecs.orphaned.reads(fingerprint) {
            codecs.orphaned.decode(bytes).map(Self::Orphaned)
        } else if codecs.carried.reads(fingerprint) {
            codecs.carried.decode(bytes).map(Self::Carried)
        } else if codecs.reopened.reads(fingerprint) {
            codecs.reopened.decode(bytes).map(Self::Reopened)
        } else {
            Err(DecodeError::UnknownSchema { wanted: "a journal record", fingerprint })
        }
    }
}
