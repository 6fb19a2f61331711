//! A schema made ready for use, once for the whole process.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use apache_avro::{AvroResult, Schema};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::reason;
use super::layout::Layout;
use super::{BYTES_MAX, DecodeError, EncodeError, Fingerprint, SchemaError, body};

/// What the Avro library may allocate for one array: a value of it takes some 50 bytes, and an item
/// as little as one, so a message at its bound could ask for fifty times as much.
const ALLOCATION_MAX: usize = 4 * BYTES_MAX;

/// Every schema seen, by its text. There are as many as schema files, so they are kept for ever:
/// the library's readers and writers borrow their schema, and looking its names up again for every
/// value would take most of the time (apache/avro-rs#310).
static PREPARED: Mutex<Option<HashMap<Box<str>, &'static Prepared>>> = Mutex::new(None);

/// A schema with all that reading and writing by it needs.
pub(super) struct Prepared {
    /// The full name of the record.
    pub(super) name: &'static str,
    pub(super) fingerprint: Fingerprint,
    pub(super) schema: &'static Schema,
    layout: Layout,
    reader: GenericDatumReader<'static>,
    writer: GenericDatumWriter<'static>,
}

/// The schema of this text.
pub(super) fn prepared(text: &str) -> Result<&'static Prepared, SchemaError> {
    let mut known = PREPARED.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    if let Some(prepared) = known.get(text) {
        return Ok(prepared);
    }
    let prepared: &'static Prepared = Box::leak(Box::new(Prepared::new(text)?));
    known.insert(text.into(), prepared);
    Ok(prepared)
}

impl Prepared {
    fn new(text: &str) -> Result<Self, SchemaError> {
        apache_avro::util::max_allocation_bytes(ALLOCATION_MAX);
        let invalid = |error| SchemaError::invalid(text, reason(error));
        let schema = Schema::parse_str(text).map_err(invalid)?;
        let Schema::Record(record) = &schema else {
            return Err(SchemaError::not_a_record(text));
        };
        let name = record.name.to_string();
        let layout = Layout::of(&schema, &name)?;
        let schema: &'static Schema = Box::leak(Box::new(schema));
        Ok(Self {
            name: name.leak(),
            fingerprint: Fingerprint::of_schema(text)?,
            schema,
            layout,
            reader: reader(schema, None).map_err(invalid)?,
            writer: writer(schema).map_err(invalid)?,
        })
    }

    /// Adds a value's bytes to a message.
    pub(super) fn write<T: Serialize>(
        &self,
        value: &T,
        message: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        match self.writer.write_ser(message, value) {
            Ok(_) => Ok(()),
            Err(error) => Err(EncodeError::Mismatch { schema: self.name, reason: reason(error) }),
        }
    }

    /// Reads the body of a message of `len` bytes.
    pub(super) fn read<T: DeserializeOwned>(
        &self,
        mut body: &[u8],
        len: usize,
    ) -> Result<T, DecodeError> {
        self.check(body, len)?;
        let value = self.reader.read_deser(&mut body).map_err(|error| self.malformed(error))?;
        match body.len() {
            0 => Ok(value),
            // The type's own way of reading stopped early; derived ones don't.
            bytes => Err(DecodeError::Trailing { bytes }),
        }
    }

    /// Checks that the body of a message of `len` bytes is one value.
    pub(super) fn check(&self, body: &[u8], len: usize) -> Result<(), DecodeError> {
        body::check(self.name, &self.layout, body, len)
    }

    /// A value's bytes, if it is of this schema.
    pub(super) fn body(&self, value: &Value) -> Result<Vec<u8>, DecodeError> {
        let mut body = Vec::new();
        match self.writer.write_value_ref(&mut body, value) {
            Ok(_) => Ok(body),
            Err(error) => Err(self.malformed(error)),
        }
    }

    pub(super) fn malformed(&self, error: apache_avro::Error) -> DecodeError {
        DecodeError::Malformed { schema: self.name, reason: reason(error) }
    }
}

/// A reader of values written by one schema, resolved to another if that is given.
pub(super) fn reader(
    writer: &'static Schema,
    reader: Option<&'static Schema>,
) -> AvroResult<GenericDatumReader<'static>> {
    GenericDatumReader::builder(writer).maybe_reader_schema(reader).human_readable(false).build()
}

fn writer(schema: &'static Schema) -> AvroResult<GenericDatumWriter<'static>> {
    GenericDatumWriter::builder(schema).human_readable(false).build()
}
