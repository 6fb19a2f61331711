//! Which offsets ahead of the position are finished, small enough to travel beside an offset.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;

use crate::Offset;

/// The first byte of an encoded map: run lengths follow (unfinished, finished, unfinished, ...).
const RUNS: u8 = 0;
/// The first byte of an encoded map: one bit for each offset from the base on follows.
const BITMAP: u8 = 1;
/// No map of ours spans more (`Window`'s bound); a longer one is broken.
const SPAN_MAX: i64 = 2_000_000;

/// Finished offsets as ascending, disjoint, non-empty ranges `[from, to)`, all ahead of a base.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FinishedMap {
    ranges: Vec<(i64, i64)>,
}

/// Text that is no map.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MapError {
    /// It isn't base64.
    #[error("not base64")]
    NotBase64,
    /// Its first byte is none that this version knows.
    #[error("unknown encoding {0}")]
    UnknownEncoding(u8),
    /// It breaks off, or its runs make no sense.
    #[error("malformed runs")]
    Malformed,
}

impl FinishedMap {
    /// Adds `[from, to)`, which must lie behind every range added before; touching ones merge.
    pub fn push(&mut self, from: Offset, to: Offset) {
        debug_assert!(self.end().is_none_or(|end| end <= from), "ranges are added in order");
        if from >= to {
            return;
        }
        match self.ranges.last_mut() {
            Some(last) if last.1 == from.0 => last.1 = to.0,
            _ => self.ranges.push((from.0, to.0)),
        }
    }

    /// Whether this offset is finished.
    pub fn contains(&self, offset: Offset) -> bool {
        let behind = self.ranges.partition_point(|&(_, to)| to <= offset.0);
        self.ranges.get(behind).is_some_and(|&(from, _)| from <= offset.0)
    }

    /// Right behind the last finished offset.
    pub fn end(&self) -> Option<Offset> {
        self.ranges.last().map(|&(_, to)| Offset(to))
    }

    /// Whether nothing is finished ahead.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many offsets are finished ahead, gaps between records among them.
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|&(from, to)| (to - from).unsigned_abs()).sum()
    }

    /// The ranges `[from, to)`, ascending.
    pub fn ranges(&self) -> impl Iterator<Item = (Offset, Offset)> {
        self.ranges.iter().map(|&(from, to)| (Offset(from), Offset(to)))
    }

    /// As text, relative to `base`: run lengths or a bitmap, whichever is shorter.
    pub fn encode(&self, base: Offset) -> String {
        let Some(end) = self.end() else {
            return String::new();
        };
        let runs = self.encode_runs(base);
        let bitmap_bytes = usize::try_from((end.0 - base.0 + 7) / 8).unwrap_or(usize::MAX) + 1;
        let bytes = if runs.len() <= bitmap_bytes { runs } else { self.encode_bitmap(base) };
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn encode_runs(&self, base: Offset) -> Vec<u8> {
        let mut bytes = vec![RUNS];
        let mut at = base.0;
        for &(from, to) in &self.ranges {
            push_varint(&mut bytes, from - at);
            push_varint(&mut bytes, to - from);
            at = to;
        }
        bytes
    }

    fn encode_bitmap(&self, base: Offset) -> Vec<u8> {
        let mut bytes = vec![BITMAP];
        for (from, to) in self.ranges() {
            for offset in from.0..to.0 {
                let bit = usize::try_from(offset - base.0).unwrap_or_default();
                let byte = 1 + bit / 8;
                if bytes.len() <= byte {
                    bytes.resize(byte + 1, 0);
                }
                bytes[byte] |= 1 << (bit % 8);
            }
        }
        bytes
    }

    /// Reads what [`FinishedMap::encode`] wrote for the same base.
    pub fn decode(text: &str, base: Offset) -> Result<Self, MapError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| MapError::NotBase64)?;
        match bytes.split_first() {
            Some((&RUNS, runs)) => Self::decode_runs(runs, base),
            Some((&BITMAP, bits)) => Ok(Self::decode_bitmap(bits, base)),
            Some((&other, _)) => Err(MapError::UnknownEncoding(other)),
            None => Err(MapError::Malformed),
        }
    }

    fn decode_runs(mut bytes: &[u8], base: Offset) -> Result<Self, MapError> {
        let mut map = Self::default();
        let mut at = base.0;
        while !bytes.is_empty() {
            let from = at + take_varint(&mut bytes)?;
            let to = from + take_varint(&mut bytes)?;
            if to <= from || to - base.0 > SPAN_MAX {
                return Err(MapError::Malformed);
            }
            map.push(Offset(from), Offset(to));
            at = to;
        }
        Ok(map)
    }

    fn decode_bitmap(bytes: &[u8], base: Offset) -> Self {
        let mut map = Self::default();
        for (offset, bit) in (base.0..).zip(0..bytes.len() * 8) {
            if bytes[bit / 8] & (1 << (bit % 8)) != 0 {
                map.push(Offset(offset), Offset(offset + 1));
            }
        }
        map
    }
}

/// LEB128: seven bits a byte, the lowest first, the top bit set on all but the last.
fn push_varint(bytes: &mut Vec<u8>, value: i64) {
    let mut rest = value.unsigned_abs();
    while rest >= 0x80 {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Result<i64, MapError> {
    let mut value = 0_i64;
    for shift in (0..28).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(MapError::Malformed)?;
        *bytes = rest;
        value |= i64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(MapError::Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn map(ranges: &[(i64, i64)]) -> FinishedMap {
        let mut map = FinishedMap::default();
        for &(from, to) in ranges {
            map.push(Offset(from), Offset(to));
        }
        map
    }

    #[test]
    fn nothing_finished_ahead_is_no_text() {
        assert_eq!(map(&[]).encode(Offset(7)), "");
        assert_eq!(FinishedMap::decode("", Offset(7)), Ok(map(&[])));
    }

    #[test]
    fn a_few_runs_take_a_few_bytes() {
        let text = map(&[(101, 105), (1_000, 300_000)]).encode(Offset(100));
        assert!(text.len() <= 12, "{text}");
    }

    #[test]
    fn every_other_offset_finished_is_a_bitmap() {
        let mut alternating = FinishedMap::default();
        for offset in (1..16_384).step_by(2) {
            alternating.push(Offset(offset), Offset(offset + 1));
        }
        let text = alternating.encode(Offset(0));
        assert!(text.len() <= 2_900 * 4 / 3, "{}", text.len());
        assert_eq!(FinishedMap::decode(&text, Offset(0)), Ok(alternating));
    }

    /// The bound that lets the window dispatch: 700 unfinished offsets among a million.
    #[test]
    fn seven_hundred_unfinished_among_a_million_fit() {
        let mut sparse = FinishedMap::default();
        for hole in 0..700 {
            sparse.push(Offset(hole * 1_428 + 1), Offset((hole + 1) * 1_428));
        }
        assert!(URL_SAFE_NO_PAD.decode(sparse.encode(Offset(0))).expect("base64").len() <= 2_900);
    }

    #[test]
    fn broken_text_is_refused_by_name() {
        let refused = |bytes: &[u8]| {
            FinishedMap::decode(&URL_SAFE_NO_PAD.encode(bytes), Offset(0)).expect_err("refused")
        };
        assert_eq!(FinishedMap::decode("!", Offset(0)), Err(MapError::NotBase64));
        assert_eq!(refused(&[9, 1]), MapError::UnknownEncoding(9));
        assert_eq!(refused(&[RUNS, 1]), MapError::Malformed, "a run without its partner");
        assert_eq!(refused(&[RUNS, 1, 0]), MapError::Malformed, "an empty finished run");
        assert_eq!(refused(&[RUNS, 0x80, 0x80]), MapError::Malformed, "a varint that breaks off");
        assert_eq!(refused(&[RUNS, 1, 0xff, 0xff, 0xff, 0x7f]), MapError::Malformed, "too long");
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            base in 0_i64..1 << 40,
            lengths in prop::collection::vec((1_i64..200, 1_i64..200), 0..60),
        ) {
            let mut expected = FinishedMap::default();
            let mut at = base;
            for (hole, run) in lengths {
                expected.push(Offset(at + hole), Offset(at + hole + run));
                at += hole + run;
            }
            let encoded = expected.encode(Offset(base));
            prop_assert_eq!(FinishedMap::decode(&encoded, Offset(base)), Ok(expected));
        }

        #[test]
        fn arbitrary_text_never_panics(
            text in ".{0,80}",
            bytes in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            let _ = FinishedMap::decode(&text, Offset(5));
            let _ = FinishedMap::decode(&URL_SAFE_NO_PAD.encode(bytes), Offset(5));
        }
    }
}
