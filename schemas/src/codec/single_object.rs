//! The frame of a message: Avro's single-object encoding. The one place that knows first bytes, so
//! a registry's frame (a zero byte, a schema id of 4 bytes) is added here.

use super::{BYTES_MAX, DecodeError, Fingerprint};

/// What begins a message (Avro 1.12, "Single-object encoding"), before the fingerprint.
const MARKER: [u8; 2] = [0xC3, 0x01];
/// What begins a message in the wire format of schema registries.
const REGISTRY_MARKER: u8 = 0;
/// Bytes before the body.
const FRAME_BYTES: usize = MARKER.len() + 8;

/// A message's frame, to which the body is added; with room for `body` bytes of it.
pub(super) fn begin(fingerprint: Fingerprint, body: usize) -> Vec<u8> {
    let mut message = Vec::with_capacity(FRAME_BYTES + body);
    message.extend_from_slice(&MARKER);
    message.extend_from_slice(&fingerprint.to_wire());
    message
}

/// A message's fingerprint and body.
pub(super) fn open(message: &[u8]) -> Result<(Fingerprint, &[u8]), DecodeError> {
    if message.len() > BYTES_MAX {
        return Err(DecodeError::Oversized { len: message.len(), max: BYTES_MAX });
    }
    match *message {
        [] => Err(DecodeError::Empty),
        [REGISTRY_MARKER, ..] => Err(DecodeError::RegistryFormat),
        [first, ..] if first != MARKER[0] => Err(DecodeError::NotAvro { first }),
        [_, second, ..] if second != MARKER[1] => Err(DecodeError::NotAvro { first: MARKER[0] }),
        _ => fingerprint_and_body(message),
    }
}

fn fingerprint_and_body(message: &[u8]) -> Result<(Fingerprint, &[u8]), DecodeError> {
    let (_, rest) = message.split_at(MARKER.len().min(message.len()));
    let (fingerprint, body) = rest.split_first_chunk().ok_or_else(|| DecodeError::Truncated {
        len: message.len(),
        missing: FRAME_BYTES - message.len(),
    })?;
    Ok((Fingerprint::from_wire(*fingerprint), body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_what_a_message_is() {
        assert_eq!(open(&[]), Err(DecodeError::Empty));
        assert_eq!(open(&[0, 0, 0, 0, 7, 2]), Err(DecodeError::RegistryFormat));
        assert_eq!(open(b"{\"id\": 1}"), Err(DecodeError::NotAvro { first: b'{' }));
        assert_eq!(open(&[0xC3, 0x02]), Err(DecodeError::NotAvro { first: 0xC3 }));
        assert_eq!(open(&[0xC3]), Err(DecodeError::Truncated { len: 1, missing: 9 }));
        assert_eq!(open(&[0xC3, 1, 2]), Err(DecodeError::Truncated { len: 3, missing: 7 }));
    }

    #[test]
    fn what_was_begun_is_opened() {
        let fingerprint = Fingerprint::from_wire(*b"\x01\x02\x03\x04\x05\x06\x07\x08");
        let message = [begin(fingerprint, 4), b"body".to_vec()].concat();
        assert_eq!(open(&message), Ok((fingerprint, &b"body"[..])));
        assert_eq!(fingerprint.to_string(), "0807060504030201");
    }

    #[test]
    fn a_message_over_the_bound_is_refused_before_it_is_looked_at() {
        let len = BYTES_MAX + 1;
        assert_eq!(open(&vec![0xFF; len]), Err(DecodeError::Oversized { len, max: BYTES_MAX }));
        assert_eq!(open(&vec![0xFF; BYTES_MAX]), Err(DecodeError::NotAvro { first: 0xFF }));
    }
}
