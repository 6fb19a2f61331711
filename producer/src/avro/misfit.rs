//! What can be wrong with an item, and with the schema that it should have.

use longshore_schemas::{EncodeError, SchemaError};
use thiserror::Error;

/// Why a JSON value isn't of its schema. `path` leads to the place, `lines[2].quantity` for
/// example; the whole item is `$`.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Misfit {
    /// A field is absent and has no default.
    #[error("field `{path}` is missing and has no default; it should be {expected}")]
    Missing {
        /// The field.
        path: String,
        /// What the schema says.
        expected: String,
    },
    /// A field isn't in the schema. It would be lost, so it is refused.
    #[error("field `{path}` isn't in {record}, which has: {known}")]
    Unknown {
        /// The field.
        path: String,
        /// The record that it stands in.
        record: String,
        /// The fields that there are.
        known: String,
    },
    /// A value of another type.
    #[error("`{path}` should be {expected}, and is {found}")]
    WrongType {
        /// The value.
        path: String,
        /// What the schema says.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A number that its type doesn't hold.
    #[error("`{path}` is {found}, beyond the range of {expected}")]
    OutOfRange {
        /// The number.
        path: String,
        /// What the schema says.
        expected: String,
        /// What is there.
        found: String,
    },
    /// It fits, and yet it can't be written.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// Why JSON can't be written by a schema. Found at start.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SchemaProblem {
    /// The schema can't be used at all.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// It has a type that has no form in JSON here.
    #[error("field `{path}` is {kind}, which can't be read from JSON; use another type for it")]
    Unsupported {
        /// The field.
        path: String,
        /// Its type.
        kind: &'static str,
    },
    /// A field's default isn't of the field's type.
    #[error("the default of field `{path}` doesn't fit: {misfit}; correct the schema")]
    Default {
        /// The field.
        path: String,
        /// Why.
        #[source]
        misfit: Misfit,
    },
}
