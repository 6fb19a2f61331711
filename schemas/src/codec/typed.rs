//! The codec of one type.

use std::marker::PhantomData;

use bytes::Bytes;

use super::older::Older;
use super::prepared::{Prepared, prepared};
use super::{DecodeError, EncodeError, Fingerprint, SchemaError, WorkItem, single_object};

/// Bytes of the largest message that is written or read. Kafka's own bound is 1 MiB unless a topic
/// says otherwise; what nears this one belongs in a store of objects.
pub const BYTES_MAX: usize = 16 * 1024 * 1024;

/// Room that most bodies fit into without growing it.
const BODY_CAPACITY: usize = 246;

/// Writes and reads the values of one type.
pub struct Codec<T> {
    current: &'static Prepared,
    older: Vec<Older>,
    item: PhantomData<fn() -> T>,
}

impl<T: WorkItem> Codec<T> {
    /// The codec of the type's schema, which also reads its older versions.
    ///
    /// # Errors
    /// If the schema can't be used, or can't read an older one.
    pub fn new() -> Result<Self, SchemaError> {
        Self::with_writers(T::OLDER)
    }

    /// The codec of the type's schema, which also reads what these versions of it wrote.
    ///
    /// # Errors
    /// If the schema can't be used, or can't read one of these.
    pub fn with_writers(writers: &[&str]) -> Result<Self, SchemaError> {
        let current = prepared(T::SCHEMA)?;
        let older =
            writers.iter().map(|text| Older::new(text, current)).collect::<Result<_, _>>()?;
        Ok(Self { current, older, item: PhantomData })
    }

    /// Encodes a value: C3 01, the fingerprint of its schema, its body.
    ///
    /// # Errors
    /// If the type doesn't fit its schema, or the message passes [`BYTES_MAX`].
    pub fn encode(&self, value: &T) -> Result<Bytes, EncodeError> {
        let mut message = single_object::begin(self.current.fingerprint, BODY_CAPACITY);
        self.current.write(value, &mut message)?;
        match message.len() {
            len if len > BYTES_MAX => {
                Err(EncodeError::Oversized { schema: self.current.name, len, max: BYTES_MAX })
            }
            _ => Ok(message.into()),
        }
    }

    /// Decodes a message, whichever known version of the schema it was written by.
    ///
    /// # Errors
    /// If the bytes aren't exactly one such message; none of them make it panic, or allocate more
    /// than in proportion to their number.
    pub fn decode(&self, message: &[u8]) -> Result<T, DecodeError> {
        let (fingerprint, body) = single_object::open(message)?;
        if fingerprint == self.current.fingerprint {
            return self.current.read(body, message.len());
        }
        let older = self
            .older
            .iter()
            .find(|older| older.fingerprint() == fingerprint)
            .ok_or(DecodeError::UnknownSchema { wanted: self.current.name, fingerprint })?;
        let body = older.bring_up(body, message.len())?;
        self.current.read(&body, body.len())
    }

    /// Whether messages with this fingerprint are read.
    pub fn reads(&self, fingerprint: Fingerprint) -> bool {
        fingerprint == self.current.fingerprint
            || self.older.iter().any(|older| older.fingerprint() == fingerprint)
    }

    /// The fingerprint that messages are written with.
    pub fn fingerprint(&self) -> Fingerprint {
        self.current.fingerprint
    }

    /// The full name of the record: `namespace.Name`.
    pub fn schema_name(&self) -> &'static str {
        self.current.name
    }
}

#[cfg(test)]
mod tests;
