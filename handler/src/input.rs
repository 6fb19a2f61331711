//! What a handler can be given: a typed item, bytes as they are, or a group.

use bytes::Bytes;
use longshore_schemas::{Codec, DecodeError, SchemaError, WorkItem};
use thiserror::Error;

use crate::Group;

/// What a handler can take. Every [`WorkItem`] can be taken, and so can [`RawItem`] and [`Group`].
pub trait Input: Sized + Send + 'static {
    /// Which kind of input it is.
    ///
    /// # Errors
    /// If its schema can't be used.
    fn takes() -> Result<Takes, SchemaError>;

    /// Reads it.
    ///
    /// # Errors
    /// If it doesn't read as this type. The same bytes never read better, so the item is given up
    /// at once.
    fn read(raw: Raw) -> Result<Self, InputError>;
}

/// The kinds of input, for those who connect handlers with topics and joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// A record that is written by this schema.
    Item {
        /// The schema's full name.
        schema: &'static str,
    },
    /// Any record.
    Bytes,
    /// The parts of a group.
    Group,
}

/// An input before it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw {
    /// The value of a record; none is a tombstone.
    Record(Option<Bytes>),
    /// The parts of a group.
    Group(Box<Group>),
}

/// A record's value as it is, for handlers that know its form themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawItem {
    /// The value; none is a tombstone.
    pub value: Option<Bytes>,
}

/// An input that doesn't read as what the handler takes.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InputError {
    /// The bytes aren't a value of the type.
    #[error(transparent)]
    Undecodable(#[from] DecodeError),
    /// The type's schema can't be used; found when the handler is registered.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A tombstone.
    #[error("the record has no value; a handler of tombstones takes a RawItem")]
    NoValue,
    /// A group came to a handler of items, or the other way round: an error of who wired them.
    #[error("the handler takes {takes}, and was given {given}; register it for the other purpose")]
    WrongKind {
        /// What it takes.
        takes: &'static str,
        /// What it was given.
        given: &'static str,
    },
}

impl<T: WorkItem> Input for T {
    fn takes() -> Result<Takes, SchemaError> {
        let schema = Codec::<T>::shared()?.schema_name();
        Ok(Takes::Item { schema })
    }

    fn read(raw: Raw) -> Result<Self, InputError> {
        let value = record(raw)?.ok_or(InputError::NoValue)?;
        Ok(Codec::shared()?.decode(&value)?)
    }
}

impl Input for RawItem {
    fn takes() -> Result<Takes, SchemaError> {
        Ok(Takes::Bytes)
    }

    fn read(raw: Raw) -> Result<Self, InputError> {
        record(raw).map(|value| Self { value })
    }
}

impl Input for Group {
    fn takes() -> Result<Takes, SchemaError> {
        Ok(Takes::Group)
    }

    fn read(raw: Raw) -> Result<Self, InputError> {
        match raw {
            Raw::Group(group) => Ok(*group),
            Raw::Record(_) => {
                Err(InputError::WrongKind { takes: "the parts of a group", given: "a record" })
            }
        }
    }
}

fn record(raw: Raw) -> Result<Option<Bytes>, InputError> {
    match raw {
        Raw::Record(value) => Ok(value),
        Raw::Group(_) => {
            Err(InputError::WrongKind { takes: "a record", given: "the parts of a group" })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{self, Line};

    #[test]
    fn a_work_item_is_read_by_its_codec() {
        let line = Line { quantity: 7 };
        let value = samples::encoded(&line);
        assert_eq!(Line::read(Raw::Record(Some(value))), Ok(line));
        let takes = Takes::Item { schema: "samples.Line" };
        assert_eq!(Line::takes(), Ok(takes));
    }

    #[test]
    fn what_does_not_read_says_why() {
        let foreign = Raw::Record(Some(Bytes::from_static(b"{}")));
        assert_eq!(Line::read(foreign), Err(DecodeError::NotAvro { first: b'{' }.into()));
        assert_eq!(Line::read(Raw::Record(None)), Err(InputError::NoValue));
        let group = Raw::Group(Box::new(samples::group()));
        assert!(matches!(Line::read(group.clone()), Err(InputError::WrongKind { .. })));
        assert!(matches!(RawItem::read(group), Err(InputError::WrongKind { .. })));
        assert!(matches!(Group::read(Raw::Record(None)), Err(InputError::WrongKind { .. })));
    }

    #[test]
    fn a_raw_item_is_the_bytes_as_they_are() {
        let bytes = Some(Bytes::from_static(b"anything"));
        let read = RawItem::read(Raw::Record(bytes.clone())).unwrap();
        assert_eq!(read.value, bytes);
        assert_eq!(RawItem::read(Raw::Record(None)).unwrap().value, None);
    }
}
