//! The number by which a message names its schema.

use std::fmt;

use apache_avro::Schema;
use apache_avro::rabin::Rabin;
use serde_json::Value;

use super::error::reason;
use super::{DecodeError, SchemaError, single_object};

/// The CRC-64-AVRO of a schema's parsing canonical form (Avro 1.12, "Schema Fingerprints"): two
/// schemas that differ only in docs, defaults or layout have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// The fingerprint that a message carries.
    ///
    /// # Errors
    /// If the bytes don't begin as a message: `Empty`, `Oversized`, `NotAvro`, `RegistryFormat`
    /// or `Truncated`.
    pub fn of_message(bytes: &[u8]) -> Result<Self, DecodeError> {
        single_object::open(bytes).map(|(fingerprint, _)| fingerprint)
    }

    /// The fingerprint of a schema, which is the one that Java computes: the Avro library leaves
    /// traces of logical types in the canonical form, so they are taken away before.
    ///
    /// # Errors
    /// If it is not an Avro schema.
    pub fn of_schema(text: &str) -> Result<Self, SchemaError> {
        let mut json = serde_json::from_str(text).map_err(|e| SchemaError::invalid(text, e))?;
        strip_logical_types(&mut json);
        let schema = Schema::parse(&json).map_err(|e| SchemaError::invalid(text, reason(e)))?;
        let digest = schema.fingerprint::<Rabin>().bytes;
        // The digest's bytes stand in the order of the wire, which is little-endian.
        Ok(Self(digest.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))))
    }

    pub(super) fn from_wire(bytes: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(bytes))
    }

    pub(super) fn to_wire(self) -> [u8; 8] {
        self.0.to_le_bytes()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Leaves of every logical type the type below it.
fn strip_logical_types(schema: &mut Value) {
    match schema {
        Value::Array(inner) => inner.iter_mut().for_each(strip_logical_types),
        Value::Object(object) => {
            if object.remove("logicalType").is_some() {
                object.remove("precision");
                object.remove("scale");
            }
            object.values_mut().for_each(strip_logical_types);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(field: &str) -> String {
        let schema = r#"{"type": "record", "name": "R", "namespace": "a.b",
            "fields": [{"name": "f", "type": FIELD}]}"#;
        Fingerprint::of_schema(&schema.replace("FIELD", field)).unwrap().to_string()
    }

    #[test]
    fn a_fingerprint_is_that_of_other_implementations() {
        // Computed by fastavro 1.13, which agrees with Java's SchemaNormalization.
        let time = r#"{"type": "long", "logicalType": "timestamp-millis"}"#;
        assert_eq!(fingerprint(time), "eff1010c55c0cba5");
        assert_eq!(fingerprint(r#""long""#), "eff1010c55c0cba5");
        let decimal = r#"{"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}"#;
        assert_eq!(fingerprint(decimal), "74016b6bddd27360");
        let nested = r#"["null", {"type": "fixed", "name": "F", "size": 3, "doc": "three"}]"#;
        assert_eq!(fingerprint(nested), "c11e9861f941403d");
    }
}
