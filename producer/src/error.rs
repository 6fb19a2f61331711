//! Why a producer didn't start, or stopped.

use longshore_kafka::admin::AdminError;
use longshore_kafka::publisher::PublishError;
use longshore_kafka::reader::ReadError;
use longshore_kafka::{Failure, Refusal};
use longshore_schemas::{DecodeError, EncodeError, TopicName};
use thiserror::Error;

use crate::avro::SchemaProblem;
use crate::source::SourceError;

/// What ended a run. Whatever it is, the cursor stands behind what was published, so a next run
/// goes on there.
#[derive(Debug, Error)]
pub enum ProducerError {
    /// A setting is out of bounds.
    #[error("`{setting}` is {value}; it must be from 1 to {max}")]
    OutOfBounds {
        /// Which.
        setting: &'static str,
        /// Its value.
        value: usize,
        /// The most it can be.
        max: usize,
    },
    /// A setting names a field that items don't have.
    #[error("`{setting}` names the field `{field}`, which the schema doesn't have; correct either")]
    NoSuchField {
        /// Which setting.
        setting: &'static str,
        /// The field.
        field: String,
    },
    /// The schema can't be used.
    #[error(transparent)]
    Schema(#[from] SchemaProblem),
    /// The source can't be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A topic that is written to isn't there.
    #[error("topic {topic} doesn't exist; create it, with `longshore apply` for example")]
    NoTopic {
        /// Which.
        topic: TopicName,
    },
    /// A question to the cluster failed.
    #[error(transparent)]
    Admin(Box<AdminError>),
    /// The producer can't be made.
    #[error(transparent)]
    Connect(#[from] Failure),
    /// The cursors can't be read.
    #[error("the cursors can't be read: {0}")]
    Cursors(#[source] Box<ReadError>),
    /// A record among the cursors isn't one.
    #[error("a record in {topic} isn't a cursor: {error}; find out who else writes there")]
    BadCursor {
        /// The topic of the cursors.
        topic: TopicName,
        /// Why.
        #[source]
        error: DecodeError,
    },
    /// A cursor can't be written, of which no case is known.
    #[error("the cursor can't be written: {0}; please report this")]
    UnwritableCursor(#[source] EncodeError),
    /// Nothing more can be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// Neither an item nor its dead letter is taken.
    #[error(
        "line {line} of {name} is refused by {}, and so is its dead letter: {}; raise the \
         topic's max.message.bytes or allow writing to it",
        refusal.topic, refusal.message
    )]
    DeadLetterRefused {
        /// The source.
        name: String,
        /// The number of the line, or item.
        line: u64,
        /// Why the last was refused.
        refusal: Refusal,
    },
    /// Not even the cursor is taken.
    #[error("the cursor is refused by {}: {}; look at that topic's settings", .0.topic, .0.message)]
    CursorRefused(Refusal),
    /// Another process publishes the same source.
    #[error(
        "{name} is being published by another process as well, which has come to line {theirs} \
         while this one was at line {ours}; this one stops, let the other go on"
    )]
    Overtaken {
        /// The source.
        name: String,
        /// The line up to which this process had published.
        ours: u64,
        /// The line that the cursor says.
        theirs: u64,
    },
}

impl From<AdminError> for ProducerError {
    fn from(error: AdminError) -> Self {
        Self::Admin(Box::new(error))
    }
}

impl From<ReadError> for ProducerError {
    fn from(error: ReadError) -> Self {
        Self::Cursors(Box::new(error))
    }
}
