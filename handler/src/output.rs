//! One record that a handler wants written.

use bytes::Bytes;
use longshore_schemas::{Codec, WorkItem};

use crate::{HandlerError, InputError};

/// A value and its key. Where it goes is the pipeline's affair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its key.
    pub key: OutputKey,
    /// Its value, encoded.
    pub value: Bytes,
}

/// The key of an output: outputs with the same key keep their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputKey {
    /// That of the item.
    OfItem,
    /// Its own.
    Own(Bytes),
    /// None: it may go to any partition, and waits for nobody there.
    None,
}

impl Output {
    /// A value written by its schema, with the item's key.
    ///
    /// # Errors
    /// If the value doesn't fit its schema: for good, since it never will.
    pub fn of<T: WorkItem>(value: &T) -> Result<Self, HandlerError> {
        let codec = Codec::shared().map_err(InputError::from)?;
        Ok(Self::bytes(codec.encode(value)?))
    }

    /// Bytes as they are, with the item's key.
    pub fn bytes(value: impl Into<Bytes>) -> Self {
        Self { key: OutputKey::OfItem, value: value.into() }
    }

    /// The same with a key of its own.
    #[must_use]
    pub fn keyed(self, key: impl Into<Bytes>) -> Self {
        Self { key: OutputKey::Own(key.into()), ..self }
    }

    /// The same without a key.
    #[must_use]
    pub fn unkeyed(self) -> Self {
        Self { key: OutputKey::None, ..self }
    }
}

impl OutputKey {
    /// The key to write, where the item's is this.
    pub fn resolve(&self, of_item: Option<&Bytes>) -> Option<Bytes> {
        match self {
            Self::OfItem => of_item.cloned(),
            Self::Own(key) => Some(key.clone()),
            Self::None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{self, Line};

    #[test]
    fn an_output_has_the_items_key_unless_told_otherwise() {
        let of_item = Bytes::from_static(b"order 7");
        let key = |output: Output| output.key.resolve(Some(&of_item));
        let output = || Output::of(&Line { quantity: 1 }).unwrap();
        assert_eq!(output().value, samples::encoded(&Line { quantity: 1 }));
        assert_eq!(key(output()), Some(of_item.clone()));
        assert_eq!(key(output().keyed("other")), Some("other".into()));
        assert_eq!(key(output().unkeyed()), None);
        assert_eq!(output().key.resolve(None), None);
    }
}
