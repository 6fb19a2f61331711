//! Whatever stands in an inbox.

use std::sync::LazyLock;

use bytes::Bytes;

use super::{GroupOpen, GroupSeal, PartOutcome, Tick};
use crate::codec::{Codec, DecodeError, EncodeError, Fingerprint};

/// A record of a join's inbox; its schema's fingerprint tells which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InboxRecord {
    /// A group opens.
    Open(GroupOpen),
    /// An open-ended group learns its total.
    Seal(GroupSeal),
    /// A part ended.
    Outcome(PartOutcome),
    /// Time passed.
    Tick(Tick),
}

struct Codecs {
    open: &'static Codec<GroupOpen>,
    seal: &'static Codec<GroupSeal>,
    outcome: &'static Codec<PartOutcome>,
    tick: &'static Codec<Tick>,
}

static CODECS: LazyLock<Codecs> = LazyLock::new(|| Codecs {
    open: Codec::checked_in(),
    seal: Codec::checked_in(),
    outcome: Codec::checked_in(),
    tick: Codec::checked_in(),
});

impl InboxRecord {
    /// Encodes whichever record it is.
    ///
    /// # Errors
    /// As [`Codec::encode`].
    pub fn encode(&self) -> Result<Bytes, EncodeError> {
        match self {
            Self::Open(open) => CODECS.open.encode(open),
            Self::Seal(seal) => CODECS.seal.encode(seal),
            Self::Outcome(outcome) => CODECS.outcome.encode(outcome),
            Self::Tick(tick) => CODECS.tick.encode(tick),
        }
    }

    /// Decodes whichever record the bytes' fingerprint names. Outcomes are tried first: there are
    /// as many of them as parts.
    ///
    /// # Errors
    /// As [`Codec::decode`]; `UnknownSchema` for a record that doesn't belong in an inbox.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let fingerprint = Fingerprint::of_message(bytes)?;
        let codecs = &*CODECS;
        if codecs.outcome.reads(fingerprint) {
            codecs.outcome.decode(bytes).map(Self::Outcome)
        } else if codecs.open.reads(fingerprint) {
            codecs.open.decode(bytes).map(Self::Open)
        } else if codecs.tick.reads(fingerprint) {
            codecs.tick.decode(bytes).map(Self::Tick)
        } else if codecs.seal.reads(fingerprint) {
            codecs.seal.decode(bytes).map(Self::Seal)
        } else {
            Err(DecodeError::UnknownSchema { wanted: "an inbox record", fingerprint })
        }
    }
}
