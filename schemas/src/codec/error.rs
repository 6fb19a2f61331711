//! What can be wrong with a schema, with a value and with bytes.

use apache_avro::error::Details;
use thiserror::Error;

use super::Fingerprint;
use crate::cut::cut;

/// Bytes of another library's message that are kept: some print a whole schema.
const REASON_MAX: usize = 300;

/// A schema that can't be used. It belongs to the program, so it is found at start.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SchemaError {
    /// It is not an Avro schema.
    #[error("schema `{beginning}...` is not valid Avro: {reason}; correct its .avsc file")]
    Invalid {
        /// Its first characters.
        beginning: String,
        /// What the parser says.
        reason: String,
    },
    /// It describes something that isn't a record.
    #[error("schema `{beginning}...` is not a record; wrap what it describes in a named record")]
    NotARecord {
        /// Its first characters.
        beginning: String,
    },
    /// A type contains itself, so its values have no bound on their depth.
    #[error("schema {schema}: {name} contains itself; unroll it to the depth that is needed")]
    Recursive {
        /// The record.
        schema: String,
        /// The type that contains itself.
        name: String,
    },
    /// Items that take no bytes, of which a short message could hold any number.
    #[error("schema {schema}: items of an array take no bytes; give them a field or count them")]
    EmptyItems {
        /// The record.
        schema: String,
    },
    /// An older version that the current one can't read.
    #[error(
        "schema {schema}: its older version {fingerprint} can't be read as the current one: \
         {reason}; give every added field a default and keep types that read the old ones"
    )]
    Incompatible {
        /// The record.
        schema: String,
        /// The older version.
        fingerprint: Fingerprint,
        /// Where they differ.
        reason: String,
    },
}

impl SchemaError {
    pub(super) fn invalid(text: &str, reason: impl ToString) -> Self {
        Self::Invalid { beginning: beginning(text), reason: reason.to_string() }
    }

    pub(super) fn not_a_record(text: &str) -> Self {
        Self::NotARecord { beginning: beginning(text) }
    }
}

/// A value that can't be written.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EncodeError {
    /// The type doesn't fit its schema.
    #[error("a value of {schema} doesn't fit its schema: {reason}; align the type with its .avsc")]
    Mismatch {
        /// The schema's full name.
        schema: &'static str,
        /// Which field, and why.
        reason: String,
    },
    /// The value is longer than a reader accepts.
    #[error("a value of {schema} takes {len} bytes of at most {max}; keep large data elsewhere")]
    Oversized {
        /// The schema's full name.
        schema: &'static str,
        /// Its bytes, frame included.
        len: usize,
        /// The bound.
        max: usize,
    },
}

/// Bytes that don't read as the type asked for. All of them are for good: the same bytes never
/// read better, so whoever meets one sets the message aside.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DecodeError {
    /// No bytes at all.
    #[error("the message is empty; its writer must send a value")]
    Empty,
    /// More bytes than are ever read.
    #[error("the message has {len} bytes of at most {max}; keep large data elsewhere")]
    Oversized {
        /// The message's bytes.
        len: usize,
        /// The bound.
        max: usize,
    },
    /// The first bytes are not those of a message.
    #[error("the message begins with byte {first:#04x}, not C3 01; write single-object Avro")]
    NotAvro {
        /// Its first byte.
        first: u8,
    },
    /// The message is in the wire format of schema registries.
    #[error(
        "the message is in a schema registry's wire format, which isn't supported yet; \
         write single-object Avro"
    )]
    RegistryFormat,
    /// The message names a schema that isn't known.
    #[error(
        "the message has schema {fingerprint}, which is not known for {wanted}; \
         add that schema to the older versions, or read another topic"
    )]
    UnknownSchema {
        /// What was to be read.
        wanted: &'static str,
        /// The schema it names.
        fingerprint: Fingerprint,
    },
    /// The message ends before its value does.
    #[error(
        "the message ends after {len} bytes, {missing} or more before its value; see its writer"
    )]
    Truncated {
        /// The message's bytes.
        len: usize,
        /// How many its next field asks for beyond them.
        missing: usize,
    },
    /// The message goes on after its value.
    #[error("the message has {bytes} bytes behind its value; see its writer")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// The bytes are not a value of the schema that the message names.
    #[error("the message isn't a {schema}: {reason}; see its writer")]
    Malformed {
        /// The schema's full name.
        schema: &'static str,
        /// What is wrong, and where.
        reason: String,
    },
}

fn beginning(text: &str) -> String {
    cut(text.trim(), 40).to_owned()
}

/// What the Avro library says, without the schemas it adds.
pub(super) fn reason(error: apache_avro::Error) -> String {
    let text = match error.into_details() {
        Details::SerializeRecordFieldWithSchema { field_name, error, .. } => {
            format!("field `{field_name}`: {error}")
        }
        Details::SerializeValueWithSchema { value_type, value, .. }
        | Details::DeserializeSchemaAware { value_type, value, .. } => {
            format!("{value_type}: {value}")
        }
        details => details.to_string(),
    };
    cut(&text, REASON_MAX).to_owned()
}
