//! Cuts a stream of bytes into the frames of Kafka's protocol, without ever holding a whole one.
//!
//! A frame is its size, four bytes big-endian, and so many bytes. A request begins with its kind,
//! its version and its correlation id, an answer with the correlation id of its request (Kafka's
//! protocol guide, request header 1 and 2, response header 0 and 1).

use bytes::{Bytes, BytesMut};

use crate::ApiKey;

/// The bytes before a frame's content.
const SIZE_BYTES: usize = 4;
/// No broker takes a larger request by default (`socket.request.max.bytes`). What says more isn't
/// Kafka's protocol, but TLS perhaps, or HTTP.
const FRAME_BYTES_MAX: usize = 100 << 20;

/// What a frame begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    Request { api_key: ApiKey, api_version: i16, correlation_id: i32 },
    Answer { correlation_id: i32 },
}

/// A part of a frame. The first has its head; all together are the frame, its size included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) head: Option<Head>,
    pub(crate) bytes: Bytes,
}

/// Whose frames they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Broker,
}

impl Side {
    /// How many bytes its head has.
    fn head_bytes(self) -> usize {
        match self {
            Self::Client => 8,
            Self::Broker => 4,
        }
    }

    fn head(self, bytes: &[u8]) -> Option<Head> {
        let number = |bytes: &[u8]| Some(i32::from_be_bytes(bytes.try_into().ok()?));
        let short = |bytes: &[u8]| Some(i16::from_be_bytes(bytes.try_into().ok()?));
        match self {
            Self::Client => Some(Head::Request {
                api_key: ApiKey(short(bytes.get(..2)?)?),
                api_version: short(bytes.get(2..4)?)?,
                correlation_id: number(bytes.get(4..8)?)?,
            }),
            Self::Broker => Some(Head::Answer { correlation_id: number(bytes.get(..4)?)? }),
        }
    }
}

/// A size that no frame of Kafka's has: the stream is something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotKafka {
    pub(crate) size: i32,
}

/// Where a stream stands.
#[derive(Debug)]
pub(crate) struct Frames {
    side: Side,
    /// Bytes of the frame that has begun and aren't there yet.
    missing: usize,
}

impl Frames {
    pub(crate) fn of(side: Side) -> Self {
        Self { side, missing: 0 }
    }

    /// Whether a frame has begun and isn't whole yet.
    #[cfg(test)]
    fn is_inside(&self) -> bool {
        self.missing > 0
    }

    /// Takes the next piece from what has arrived; none if a head isn't there yet.
    pub(crate) fn take(&mut self, arrived: &mut BytesMut) -> Result<Option<Piece>, NotKafka> {
        if self.missing > 0 {
            let bytes = self.take_bytes(arrived);
            return Ok((!bytes.is_empty()).then_some(Piece { head: None, bytes }));
        }
        let Some(size) = arrived.get(..SIZE_BYTES).and_then(|it| it.try_into().ok()) else {
            return Ok(None);
        };
        let size = i32::from_be_bytes(size);
        let frame = usize::try_from(size).map_err(|_| NotKafka { size })?;
        if frame < self.side.head_bytes() || frame > FRAME_BYTES_MAX {
            return Err(NotKafka { size });
        }
        let Some(head) = arrived.get(SIZE_BYTES..).and_then(|it| self.side.head(it)) else {
            return Ok(None);
        };
        self.missing = SIZE_BYTES + frame;
        Ok(Some(Piece { head: Some(head), bytes: self.take_bytes(arrived) }))
    }

    fn take_bytes(&mut self, arrived: &mut BytesMut) -> Bytes {
        let bytes = arrived.split_to(self.missing.min(arrived.len())).freeze();
        self.missing -= bytes.len();
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(api_key: i16, correlation_id: i32, body: &[u8]) -> Vec<u8> {
        let size = i32::try_from(8 + body.len()).expect("a small body");
        let mut bytes = size.to_be_bytes().to_vec();
        bytes.extend(api_key.to_be_bytes());
        bytes.extend(1_i16.to_be_bytes());
        bytes.extend(correlation_id.to_be_bytes());
        bytes.extend(body);
        bytes
    }

    /// The heads, and all bytes, of a stream that arrives in parts of this size.
    fn cut(stream: &[u8], part: usize) -> (Vec<Head>, Vec<u8>, Frames) {
        let (mut frames, mut arrived) = (Frames::of(Side::Client), BytesMut::new());
        let (mut heads, mut bytes) = (Vec::new(), Vec::new());
        for part in stream.chunks(part) {
            arrived.extend_from_slice(part);
            while let Some(piece) = frames.take(&mut arrived).expect("Kafka's protocol") {
                heads.extend(piece.head);
                bytes.extend(piece.bytes);
            }
        }
        (heads, bytes, frames)
    }

    #[test]
    fn frames_are_found_however_the_stream_is_parted() {
        let stream = [request(26, 7, b"end"), request(0, 8, &[1; 300]), request(18, 9, b"")];
        let stream = stream.concat();
        let head = |key, correlation_id| Head::Request {
            api_key: ApiKey(key),
            api_version: 1,
            correlation_id,
        };
        for part in 1..=stream.len() {
            let (heads, bytes, frames) = cut(&stream, part);
            assert_eq!(heads, [head(26, 7), head(0, 8), head(18, 9)], "in parts of {part}");
            assert_eq!(bytes, stream, "in parts of {part}");
            assert!(!frames.is_inside());
        }
    }

    #[test]
    fn a_truncated_frame_waits_for_the_rest() {
        let stream = request(26, 7, b"end");
        for length in 0..stream.len() {
            let (heads, bytes, frames) = cut(&stream[..length], 4096);
            let has_head = length >= SIZE_BYTES + 8;
            assert_eq!(heads.len(), usize::from(has_head), "{length} bytes");
            assert_eq!(bytes.len(), if has_head { length } else { 0 }, "{length} bytes");
            assert_eq!(frames.is_inside(), has_head, "{length} bytes");
        }
    }

    #[test]
    fn a_size_that_no_frame_has_is_refused_before_anything_is_kept() {
        let too_large = i32::try_from(FRAME_BYTES_MAX + 1).expect("a number");
        let http = i32::from_be_bytes(*b"GET ");
        for size in [-1, 0, 7, too_large, http, i32::MAX, i32::MIN] {
            let mut arrived = BytesMut::from(&size.to_be_bytes()[..]);
            let refused = Frames::of(Side::Client).take(&mut arrived);
            assert_eq!(refused, Err(NotKafka { size }));
        }
    }

    #[test]
    fn an_answer_may_be_as_short_as_its_correlation_id() {
        let mut arrived = BytesMut::from(&[0, 0, 0, 4, 0, 0, 0, 9][..]);
        let piece = Frames::of(Side::Broker).take(&mut arrived).expect("Kafka's").expect("whole");
        assert_eq!(piece.head, Some(Head::Answer { correlation_id: 9 }));
        assert!(Frames::of(Side::Broker).take(&mut arrived).expect("empty").is_none());
    }
}
