//! An earlier version of a schema, whose bytes are brought to the current one.

use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::schema_compatibility::{Compatibility, SchemaCompatibility};

use super::error::reason;
use super::prepared::{Prepared, prepared, reader};
use super::{DecodeError, Fingerprint, SchemaError};

/// The way from an earlier version to the current one.
pub(super) struct Older {
    older: &'static Prepared,
    current: &'static Prepared,
    resolving: GenericDatumReader<'static>,
}

impl Older {
    /// The way from the version of this text.
    pub(super) fn new(text: &str, current: &'static Prepared) -> Result<Self, SchemaError> {
        let older = prepared(text)?;
        let refused = |reason| SchemaError::Incompatible {
            schema: current.name.into(),
            fingerprint: older.fingerprint,
            reason,
        };
        match SchemaCompatibility::can_read(older.schema, current.schema) {
            Ok(Compatibility::Full) => {}
            Ok(Compatibility::Partial) => {
                return Err(refused("some of its values don't fit".into()));
            }
            Err(difference) => return Err(refused(difference.to_string())),
        }
        let resolving =
            reader(older.schema, Some(current.schema)).map_err(|error| refused(reason(error)))?;
        Ok(Self { older, current, resolving })
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.older.fingerprint
    }

    /// The body of a message of `len` bytes, written anew by the current schema: so that there is
    /// one way from bytes to a type, whatever version they are of.
    pub(super) fn bring_up(&self, mut body: &[u8], len: usize) -> Result<Vec<u8>, DecodeError> {
        self.older.check(body, len)?;
        let value =
            self.resolving.read_value(&mut body).map_err(|error| self.older.malformed(error))?;
        self.current.body(&value)
    }
}
