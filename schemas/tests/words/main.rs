//! The words hold to their schema files, for ever, and to nothing else.

#![expect(clippy::unwrap_used, reason = "a test may end this way")]

mod records;
mod values;

mod golden;
mod headers;
mod hostile_bytes;
mod round_trip;
mod schema_files;
mod versions;
