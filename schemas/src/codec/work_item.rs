//! What a type must say of itself to travel on a topic.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A type that travels on a topic. Its Avro schema file is the truth; a test holds the type to it.
///
/// The schema is a record with the type's name, and its fields have the names and the order of the
/// type's. `u32` is an Avro `long`, an enum of names an `enum` with its symbols in the same order,
/// an enum of values a union with its branches in the same order.
pub trait WorkItem: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The Avro schema, as JSON: `include_str!` of a checked-in `.avsc` file.
    const SCHEMA: &'static str;

    /// Earlier versions of the schema whose bytes are still around, oldest first. Each must be
    /// readable as the current one: what a version adds has a default.
    const OLDER: &'static [&'static str] = &[];
}
