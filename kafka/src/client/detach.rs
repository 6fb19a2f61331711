//! Messages become records of our own at once: a borrowed one pins the whole fetch response that it
//! came with.

use bytes::Bytes;
use longshore_schemas::{Timestamp, TopicName};
use rdkafka::message::{BorrowedMessage, Message};

use super::native;
use crate::{Offset, Partition, Record};

/// A copy of a message, which came from `topic`.
pub(crate) fn detach(message: &BorrowedMessage<'_>, topic: &TopicName) -> Record {
    Record {
        topic: topic.clone(),
        partition: Partition(message.partition()),
        offset: Offset(message.offset()),
        key: message.key().map(Bytes::copy_from_slice),
        value: message.payload().map(Bytes::copy_from_slice),
        headers: native::headers(message),
        timestamp: message.timestamp().to_millis().map(Timestamp),
    }
}
