//! What a part carries: in memory, or in the file that open groups spill to.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use crate::spill::Spilled;

/// What a stage's handler made of a part.
#[derive(Clone, Debug, Default)]
pub enum Payload {
    /// Nothing: the part was skipped or has failed.
    #[default]
    None,
    /// It is in memory.
    Held(Bytes),
    /// It is in the spill file of its partition.
    Spilled(Arc<Spilled>),
}

/// What a spilled payload still takes in memory, its places in the file included.
pub(super) const SPILLED_BYTES: usize = size_of::<Spilled>() + 64;
/// Smaller payloads stay: they would free next to nothing.
pub(super) const SPILL_LEAST: usize = 4 * SPILLED_BYTES;

impl Payload {
    /// The payload itself, read from the file if it is there; blocks.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn read(&self) -> io::Result<Option<Bytes>> {
        match self {
            Self::None => Ok(None),
            Self::Held(bytes) => Ok(Some(bytes.clone())),
            Self::Spilled(spilled) => spilled.read().map(Some),
        }
    }

    /// Whether it has to be read from the file.
    pub fn is_spilled(&self) -> bool {
        matches!(self, Self::Spilled(_))
    }

    /// Its length.
    pub fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Held(bytes) => bytes.len(),
            Self::Spilled(spilled) => spilled.len(),
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What it takes in memory, beside its fixed part.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Held(bytes) => bytes.len(),
            Self::Spilled(_) => SPILLED_BYTES,
        }
    }

    /// Whether it is this payload: what was spilled is known by its digest.
    pub(super) fn is(&self, other: Option<&Bytes>) -> bool {
        match (self, other) {
            (Self::None, None) => true,
            (Self::Held(bytes), Some(other)) => bytes == other,
            (Self::Spilled(spilled), Some(other)) => spilled.holds(other),
            (Self::None, Some(_)) | (Self::Held(_) | Self::Spilled(_), None) => false,
        }
    }
}

impl From<Option<Bytes>> for Payload {
    fn from(payload: Option<Bytes>) -> Self {
        payload.map_or(Self::None, Self::Held)
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Spilled(one), Self::Spilled(other)) => one == other,
            (one, Self::Held(bytes)) | (Self::Held(bytes), one) => one.is(Some(bytes)),
            (one, Self::None) | (Self::None, one) => one.is(None),
        }
    }
}

impl Eq for Payload {}
