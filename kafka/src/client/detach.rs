//! Messages become records of our own at once: a borrowed one pins the whole fetch response that it
//! came with.

use std::ops::Range;

use bytes::Bytes;
use longshore_schemas::{Headers, Timestamp, TopicName};
use rdkafka::message::{BorrowedMessage, Message};

use super::native;
use crate::{Offset, Partition, Record};

/// Room for the headers that Longshore writes.
const HEADERS_ROOM: usize = 512;

/// A copy of a message, which came from `topic`.
pub(crate) fn detach(message: &BorrowedMessage<'_>, topic: &TopicName) -> Record {
    let mut copy = Copy::with_room(message.key_len() + message.payload_len() + HEADERS_ROOM);
    let key = message.key().map(|key| copy.push(key));
    let value = message.payload().map(|value| copy.push(value));
    let mut headers = Vec::new();
    native::visit_headers(message, |name, value| {
        headers.push((name, value.map(|value| copy.push(value))));
    });
    let bytes = copy.finish();
    let slice = |range: Range<usize>| bytes.slice(range);
    Record {
        topic: topic.clone(),
        partition: Partition(message.partition()),
        offset: Offset(message.offset()),
        key: key.map(slice),
        value: value.map(slice),
        headers: named(headers, slice),
        timestamp: message.timestamp().to_millis().map(Timestamp),
    }
}

fn named(
    headers: Vec<(String, Option<Range<usize>>)>,
    slice: impl Fn(Range<usize>) -> Bytes,
) -> Headers {
    let mut named = Headers::with_capacity(headers.len());
    for (name, range) in headers {
        named.push(&name, range.map(&slice));
    }
    named
}

/// All bytes of a record in one piece of memory: items are held by the ten thousand, and a piece of
/// its own for each header would cost more than what is in it.
struct Copy(Vec<u8>);

impl Copy {
    fn with_room(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    fn push(&mut self, bytes: &[u8]) -> Range<usize> {
        let from = self.0.len();
        self.0.extend_from_slice(bytes);
        from..self.0.len()
    }

    fn finish(mut self) -> Bytes {
        self.0.shrink_to_fit();
        Bytes::from(self.0)
    }
}
