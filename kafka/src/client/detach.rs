//! Messages become records of our own at once: a borrowed one pins the whole fetch response that it
//! came with.

use bytes::Bytes;
use longshore_schemas::{Headers, Timestamp, TopicName};
use rdkafka::message::{BorrowedMessage, Message};

use super::native::visit_headers;
use crate::{Offset, Partition, Record};

/// A copy of a message, which came from `topic`.
pub(crate) fn detach(message: &BorrowedMessage<'_>, topic: &TopicName) -> Record {
    let (mut count, mut bytes) = (0, message.key_len() + message.payload_len());
    visit_headers(message, |_, value| {
        count += 1;
        bytes += value.map_or(0, <[u8]>::len);
    });
    let mut copy = Vec::with_capacity(bytes);
    copy.extend_from_slice(message.key().unwrap_or_default());
    copy.extend_from_slice(message.payload().unwrap_or_default());
    visit_headers(message, |_, value| copy.extend_from_slice(value.unwrap_or_default()));
    let mut pieces = Pieces(copy.into());
    let (key, value) = (pieces.next(message.key()), pieces.next(message.payload()));
    let mut headers = Headers::with_capacity(count);
    visit_headers(message, |name, value| headers.push(name, pieces.next(value)));
    Record {
        topic: topic.clone(),
        partition: Partition(message.partition()),
        offset: Offset(message.offset()),
        key,
        value,
        headers,
        timestamp: message.timestamp().to_millis().map(Timestamp),
    }
}

/// All bytes of a record in one piece of memory: items are held by the ten thousand, and a piece of
/// its own for each header would cost more than what is in it.
struct Pieces(Bytes);

impl Pieces {
    /// The copy of what comes next.
    fn next(&mut self, of: Option<&[u8]>) -> Option<Bytes> {
        of.map(|of| self.0.split_to(of.len()))
    }
}
