//! A share of a group's parts, and how much of a group may go wrong.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};
use thiserror::Error;

/// A share between nothing and all, exact to a millionth, so that no rounding of floating point can
/// ask for one part more than the user wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share {
    millionths: u32,
}

impl Share {
    const ALL: u32 = 1_000_000;

    /// The fewest parts of `total` that are at least this share.
    pub fn at_least(self, total: u32) -> u32 {
        self.of(total, u64::from(Self::ALL) - 1)
    }

    /// The most parts of `total` that are at most this share.
    pub fn at_most(self, total: u32) -> u32 {
        self.of(total, 0)
    }

    /// Whether it is nothing at all.
    pub fn is_zero(self) -> bool {
        self.millionths == 0
    }

    fn of(self, total: u32, round_up: u64) -> u32 {
        let parts = (u64::from(total) * u64::from(self.millionths) + round_up) / 1_000_000;
        u32::try_from(parts).expect("a share is at most 1, so of a u32 it is a u32")
    }
}

impl FromStr for Share {
    type Err = ShareError;

    /// `0.9` or `90%`, with at most six decimals of the whole.
    fn from_str(text: &str) -> Result<Self, ShareError> {
        let refused = || ShareError { text: text.into() };
        let (number, decimals) = match text.strip_suffix('%') {
            Some(percent) => (percent, 4),
            None => (text, 6),
        };
        let millionths = scaled(number, decimals).ok_or_else(refused)?;
        if millionths > Self::ALL {
            return Err(refused());
        }
        Ok(Self { millionths })
    }
}

/// The decimal number in `text`, as an integer in units of its last allowed decimal.
fn scaled(text: &str, decimals: usize) -> Option<u32> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(rest) || rest.len() > decimals {
        return None;
    }
    let whole: u32 = whole.parse().ok()?;
    let fraction: u32 = format!("{rest:0<decimals$}").parse().ok()?;
    let unit = 10_u32.pow(u32::try_from(decimals).ok()?);
    whole.checked_mul(unit)?.checked_add(fraction)
}

/// Text that is no share.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("`{text}` is no share: write 0 to 1 with up to six decimals (0.9), or 0% to 100%")]
pub struct ShareError {
    text: String,
}

/// How many parts of a group may go wrong: a number of them, or a share of those expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tolerance {
    /// At most this many parts.
    Count(u32),
    /// At most this share of the parts expected, rounded down.
    Share(Share),
}

impl Tolerance {
    /// The most parts of `expected` that may go wrong.
    pub fn of(self, expected: u32) -> u32 {
        match self {
            Self::Count(count) => count,
            Self::Share(share) => share.at_most(expected),
        }
    }

    /// The same before the number of parts is known; none if it depends on it.
    pub fn of_unknown(self) -> Option<u32> {
        match self {
            Self::Count(count) => Some(count),
            Self::Share(share) => share.is_zero().then_some(0),
        }
    }
}

/// Reads `2` as a number of parts and `"1%"` as a share of them.
impl<'de> Deserialize<'de> for Tolerance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ToleranceVisitor)
    }
}

struct ToleranceVisitor;

impl de::Visitor<'_> for ToleranceVisitor {
    type Value = Tolerance;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of parts (2) or a share of them (1%)")
    }

    fn visit_u64<E: de::Error>(self, count: u64) -> Result<Tolerance, E> {
        u32::try_from(count)
            .map(Tolerance::Count)
            .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(count), &self))
    }

    fn visit_i64<E: de::Error>(self, count: i64) -> Result<Tolerance, E> {
        u64::try_from(count)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(count), &self))
            .and_then(|count| self.visit_u64(count))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Tolerance, E> {
        if !text.ends_with('%') {
            return Err(E::invalid_value(de::Unexpected::Str(text), &self));
        }
        text.parse().map(Tolerance::Share).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(text: &str) -> Share {
        text.parse().unwrap()
    }

    #[test]
    fn a_share_is_exact_where_floating_point_is_not() {
        assert_eq!(share("0.1").at_least(30), 3);
        assert_eq!(share("0.9").at_least(10), 9);
        assert_eq!(share("0.91").at_least(10), 10);
        assert_eq!(share("1%").at_most(199), 1);
        assert_eq!(share("1").at_least(u32::MAX), u32::MAX);
    }

    #[test]
    fn a_share_is_written_as_a_decimal_or_in_percent() {
        assert_eq!(share("12.5%"), share("0.125"));
        assert_eq!(share("100%"), share("1.0"));
        for text in ["", "%", ".5", "1.", "-0.1", "1.1", "101%", "0.1234567", "half", "99999999999"]
        {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_tolerance_is_a_count_or_a_share() {
        let read = |json: &str| serde_json::from_str::<Tolerance>(json);
        assert_eq!(read("2").unwrap(), Tolerance::Count(2));
        assert_eq!(read("\"1%\"").unwrap(), Tolerance::Share(share("0.01")));
        for json in ["-1", "\"2\"", "\"x%\"", "1.5", "4294967296", "true"] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
