//! How large a record is in its topic's eyes.

use crate::Outgoing;

/// The fixed part of a batch of the record format v2 (KIP-98), which counts towards the limit.
const BATCH_OVERHEAD: usize = 61;

/// Bytes of the batch that holds this record alone, uncompressed: what `max.message.bytes` is
/// compared with. Compression isn't counted on, so that it never depends on a record's neighbours
/// whether its topic takes it.
pub(super) fn batch_bytes(output: &Outgoing) -> usize {
    let headers = output
        .headers
        .iter()
        .map(|(name, value)| sized(Some(name.len())) + sized(value.map(bytes::Bytes::len)));
    // One byte each for attributes, timestamp delta and offset delta: the deltas are zero.
    let body = 3
        + sized(output.key.as_ref().map(bytes::Bytes::len))
        + sized(output.value.as_ref().map(bytes::Bytes::len))
        + varint_bytes(output.headers.len())
        + headers.sum::<usize>();
    BATCH_OVERHEAD + varint_bytes(body) + body
}

/// A length and what it announces. Null is the length -1, in one byte.
fn sized(length: Option<usize>) -> usize {
    length.map_or(1, |length| varint_bytes(length) + length)
}

/// Bytes of a number as a zigzag varint.
fn varint_bytes(number: usize) -> usize {
    let zigzag = number << 1;
    (1..).find(|bytes| zigzag >> (7 * bytes) == 0).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use longshore_schemas::Headers;

    use super::*;

    fn output(value: usize) -> Outgoing {
        Outgoing {
            topic: "t".into(),
            partition: None,
            key: None,
            value: Some(Bytes::from(vec![0; value])),
            headers: Headers::new(),
            timestamp: None,
        }
    }

    #[test]
    fn numbers_grow_by_a_byte_every_seven_bits() {
        for (number, bytes) in [(0, 1), (63, 1), (64, 2), (8191, 2), (8192, 3), (1 << 20, 4)] {
            assert_eq!(varint_bytes(number), bytes, "{number}");
        }
    }

    #[test]
    fn a_record_is_counted_with_its_batch() {
        // Length, three bytes, no key, the value's length, the value, no headers.
        assert_eq!(batch_bytes(&output(10)), 61 + 1 + 3 + 1 + 1 + 10 + 1);
    }

    #[test]
    fn headers_count_with_their_names() {
        let mut with_header = output(10);
        with_header.headers.push("name", Some(Bytes::from_static(b"value")));
        with_header.headers.push("null", None);
        let more = (1 + 4 + 1 + 5) + (1 + 4 + 1);
        assert_eq!(batch_bytes(&with_header), batch_bytes(&output(10)) + more);
    }
}
