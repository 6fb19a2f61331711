//! How one header is read: absent, readable, or an error that names it.

use std::str::FromStr;

use thiserror::Error;

use super::Headers;
use crate::cut::cut;

/// Bytes of an unreadable value that are shown.
const VALUE_MAX: usize = 64;

/// Headers that don't say what they should.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HeaderError {
    /// One of a set is missing.
    #[error("header `{header}` is missing, though others of its set are there; send all or none")]
    Missing {
        /// Its name.
        header: &'static str,
    },
    /// One is there, but its value isn't what it should be.
    #[error("header `{header}` is `{value}`, which is not {form}; see the writer of the record")]
    Unreadable {
        /// Its name.
        header: &'static str,
        /// Its value, as far as it is shown.
        value: String,
        /// What it should be.
        form: &'static str,
    },
}

/// The name in a header that may be absent; an empty one is none.
pub(super) fn name<'h>(
    headers: &'h Headers,
    header: &'static str,
) -> Result<Option<&'h str>, HeaderError> {
    match headers.text(header) {
        None | Some("") if headers.contains(header) => Err(unreadable(headers, header, "a name")),
        text => Ok(text),
    }
}

/// The name in a header that must be there.
pub(super) fn required_name<'h>(
    headers: &'h Headers,
    header: &'static str,
) -> Result<&'h str, HeaderError> {
    name(headers, header)?.ok_or(HeaderError::Missing { header })
}

/// What a header that must be there reads as; `form` says what that is.
pub(super) fn parsed<T: FromStr>(
    headers: &Headers,
    header: &'static str,
    form: &'static str,
) -> Result<T, HeaderError> {
    if !headers.contains(header) {
        return Err(HeaderError::Missing { header });
    }
    headers.parse(header).ok_or_else(|| unreadable(headers, header, form))
}

fn unreadable(headers: &Headers, header: &'static str, form: &'static str) -> HeaderError {
    let value = headers.get(header).map(|value| String::from_utf8_lossy(value));
    let value = cut(value.as_deref().unwrap_or_default(), VALUE_MAX).to_owned();
    HeaderError::Unreadable { header, value, form }
}
