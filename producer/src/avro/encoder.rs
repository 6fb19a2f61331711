//! Items as the workers read them: single-object Avro.

use apache_avro::Schema;
use bytes::Bytes;
use longshore_schemas::{SchemaError, ValueEncoder};
use serde_json::Value as Json;

use super::convert::item_value;
use super::shape::Shape;
use super::{Misfit, SchemaProblem};

/// Encodes JSON by a schema.
pub struct JsonEncoder {
    shape: Shape,
    encoder: ValueEncoder,
}

impl JsonEncoder {
    /// The encoder of a schema, given as the text of its `.avsc` file.
    ///
    /// # Errors
    /// If it isn't a record that JSON can be read as.
    pub fn new(schema: &str) -> Result<Self, SchemaProblem> {
        // First, for it refuses what has no end: a type that contains itself.
        let encoder = ValueEncoder::new(schema)?;
        let parsed = Schema::parse_str(schema).map_err(|error| SchemaError::Invalid {
            beginning: schema.chars().take(40).collect(),
            reason: error.to_string(),
        })?;
        let shape = Shape::of(&parsed)?;
        Ok(Self { shape, encoder })
    }

    /// Encodes an item.
    ///
    /// # Errors
    /// If it isn't of the schema: where, what was expected, and what is there.
    pub fn encode(&self, json: &Json) -> Result<Bytes, Misfit> {
        Ok(self.encoder.encode(&item_value(&self.shape, json)?)?)
    }

    /// Whether the schema's record has a field of this name.
    pub fn has_field(&self, name: &str) -> bool {
        match &self.shape {
            Shape::Record(record) => record.fields.iter().any(|field| field.name == name),
            _ => false,
        }
    }
}
