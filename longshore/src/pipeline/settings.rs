//! How the settings of a pipeline are written. What they mean is said where they are obeyed: by the
//! lane and by the coordinator.

use std::time::{Duration, UNIX_EPOCH};

use bytesize::ByteSize;
use longshore_coordinator::gather::{OnFailed, OnLate, OnTimeout, Tolerance, When};
use longshore_kafka::lane::config::Ordering;
use longshore_kafka::lane::start::StartPolicy;
use longshore_schemas::Timestamp;

/// A setting or part of one that is written as a single text in the file.
pub(super) trait FromText: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// Says what is expected instead, to follow the word "expected".
    fn from_text(text: &str) -> Result<Self, String>;
}

/// Gives settings with a fixed choice of values the words by which the file calls them.
macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal,)* }) => {
        impl FromText for $name {
            fn from_text(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(format!("one of {}", [$($word),*].join(", "))),
                }
            }
        }
    };
}

words! { Ordering { Key = "key", Partition = "partition", None = "none", } }
words! { OnFailed { Include = "include", Drop = "drop", FailFast = "fail_fast", } }
words! { OnTimeout { Partial = "partial", Fail = "fail", } }
words! { OnLate { Topic = "topic", Drop = "drop", } }

impl FromText for StartPolicy {
    fn from_text(text: &str) -> Result<Self, String> {
        match text {
            "earliest" => Ok(Self::Earliest),
            "latest" => Ok(Self::Latest),
            time => self::time(time).map(Self::At).ok_or_else(|| {
                "earliest, latest or a time such as `2026-01-31T12:00:00Z`".to_owned()
            }),
        }
    }
}

fn time(text: &str) -> Option<Timestamp> {
    let since_epoch = humantime::parse_rfc3339(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since_epoch.as_millis()).ok().map(Timestamp)
}

impl FromText for Tolerance {
    fn from_text(text: &str) -> Result<Self, String> {
        let read = match text.ends_with('%') {
            true => text.parse().ok().map(Self::Share),
            false => text.parse().ok().map(Self::Count),
        };
        read.ok_or_else(|| "a number of parts such as `2`, or a share such as `1%`".to_owned())
    }
}

impl FromText for When {
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse()
            .map_err(|wrong| format!("a rule such as `all_ended` or `price.done` ({wrong})"))
    }
}

impl FromText for String {
    fn from_text(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl FromText for u32 {
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "a whole number such as `8`".to_owned())
    }
}

/// A size in memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) usize);

impl From<usize> for Bytes {
    fn from(bytes: usize) -> Self {
        Self(bytes)
    }
}

impl FromText for Bytes {
    fn from_text(text: &str) -> Result<Self, String> {
        let with_unit = text.ends_with(char::is_alphabetic).then_some(text);
        with_unit
            .and_then(|text| text.parse::<ByteSize>().ok())
            .and_then(|size| usize::try_from(size.0).ok())
            .map(Self)
            .ok_or_else(|| "a size with its unit, such as `256MiB`".to_owned())
    }
}

impl FromText for Duration {
    fn from_text(text: &str) -> Result<Self, String> {
        humantime::parse_duration(text)
            .map_err(|_| "a duration with its unit, such as `10s` or `250ms`".to_owned())
    }
}
