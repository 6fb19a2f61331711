//! Moments as text: RFC 3339 in UTC, `2026-11-22T09:30:00.250Z`.

use std::fmt;
use std::time::UNIX_EPOCH;

/// What a timestamp counts since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precision {
    Millis,
    Micros,
    Nanos,
}

impl Precision {
    /// The moment that a text names, if it names one of 1970 or later that can be counted exactly.
    pub(super) fn parse(self, text: &str) -> Option<i64> {
        let since = humantime::parse_rfc3339(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
        let unit = match self {
            Self::Millis => 1_000_000,
            Self::Micros => 1_000,
            Self::Nanos => 1,
        };
        let nanos = since.as_nanos();
        if nanos % unit != 0 {
            return None;
        }
        i64::try_from(nanos / unit).ok()
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self {
            Self::Millis => "milliseconds",
            Self::Micros => "microseconds",
            Self::Nanos => "nanoseconds",
        };
        write!(f, "a timestamp (RFC 3339 in UTC, or {unit} since 1970)")
    }
}
