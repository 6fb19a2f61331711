//! What a source yields.

use bytes::Bytes;
use longshore_schemas::records::Cursor;
use serde_json::Value as Json;
use thiserror::Error;

/// A place in a source: behind so many bytes and lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Bytes from its start; 0 in a source without bytes.
    pub byte: u64,
    /// Lines or items from its start, bad and blank ones included.
    pub line: u64,
}

impl From<&Cursor> for Place {
    fn from(cursor: &Cursor) -> Self {
        Self { byte: cursor.byte, line: cursor.line }
    }
}

/// What a source answers.
#[derive(Debug)]
pub enum Polled {
    /// The next entry.
    Entry(Entry),
    /// Nothing yet.
    Nothing,
    /// There is no more: its end is here.
    End(Place),
}

/// One line, or one generated item.
#[derive(Debug)]
pub struct Entry {
    /// The place behind it; its line is the entry's own number.
    pub place: Place,
    /// Its bytes; of a line that is too long, the beginning.
    pub original: Bytes,
    /// What they say.
    pub content: Result<Json, BadLine>,
}

/// Why a line is none.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum BadLine {
    /// Longer than it may be.
    #[error("the line has {len} bytes of at most {max}; only its beginning is kept here")]
    TooLong {
        /// Its bytes.
        len: u64,
        /// What is allowed.
        max: usize,
    },
    /// Not text.
    #[error("the line is not UTF-8 from its byte {at} on")]
    NotUtf8 {
        /// The first byte that can't be read, from 1.
        at: usize,
    },
    /// Not JSON.
    #[error("the line is not JSON: {reason}")]
    NotJson {
        /// What the parser says, with the column.
        reason: String,
    },
}

impl BadLine {
    /// The kind of error, as dead letters and metrics name it.
    pub fn class(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "line_too_long",
            Self::NotUtf8 { .. } => "not_utf8",
            Self::NotJson { .. } => "not_json",
        }
    }
}
