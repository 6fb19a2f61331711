//! Values of a type that only its schema knows, as a producer has them of any user's input.

use apache_avro::types::Value;
use bytes::Bytes;

use super::prepared::{Prepared, prepared};
use super::{BYTES_MAX, EncodeError, SchemaError, single_object};

/// Writes values by the text of a schema, as the codec of a type with that schema reads them.
#[derive(Clone, Copy)]
pub struct ValueEncoder(&'static Prepared);

impl ValueEncoder {
    /// The encoder of this schema.
    ///
    /// # Errors
    /// If the schema can't be used.
    pub fn new(schema: &str) -> Result<Self, SchemaError> {
        prepared(schema).map(Self)
    }

    /// Encodes a value: C3 01, the fingerprint of the schema, the body.
    ///
    /// # Errors
    /// If the value isn't of the schema, or the message passes [`BYTES_MAX`].
    pub fn encode(&self, value: &Value) -> Result<Bytes, EncodeError> {
        let (schema, max) = (self.0.name, BYTES_MAX);
        let body = self
            .0
            .body(value)
            .map_err(|error| EncodeError::Mismatch { schema, reason: error.to_string() })?;
        let mut message = single_object::begin(self.0.fingerprint, body.len());
        message.extend_from_slice(&body);
        match message.len() {
            len if len > max => Err(EncodeError::Oversized { schema, len, max }),
            _ => Ok(message.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Codec, WorkItem};
    use crate::records::Cursor;

    fn cursor(byte: Value) -> Value {
        let field = |name: &str, value| (name.to_owned(), value);
        Value::Record(vec![
            field("source", Value::String("s".into())),
            field("byte", byte),
            field("line", Value::Long(2)),
            field("ended", Value::Boolean(true)),
        ])
    }

    #[test]
    fn a_value_is_encoded_as_its_type_would_be() {
        let typed = Cursor { source: "s".into(), byte: 300, line: 2, ended: true };
        let encoder = ValueEncoder::new(Cursor::SCHEMA).unwrap();
        let encoded = encoder.encode(&cursor(Value::Long(300))).unwrap();
        assert_eq!(encoded, Codec::new().unwrap().encode(&typed).unwrap());
    }

    #[test]
    fn a_value_of_another_schema_is_refused() {
        let encoder = ValueEncoder::new(Cursor::SCHEMA).unwrap();
        let error = encoder.encode(&cursor(Value::Boolean(true))).unwrap_err();
        assert!(matches!(error, EncodeError::Mismatch { .. }), "{error}");
    }
}
