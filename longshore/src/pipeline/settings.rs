//! The settings of stages and joins that are more than a number, a duration or a name.

use std::time::{Duration, SystemTime};

/// A setting or part of one that is written as a single text in the file.
pub(super) trait FromText: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// Says what is expected instead, to follow the word "expected".
    fn from_text(text: &str) -> Result<Self, String>;
}

/// Declares a setting with a fixed choice of words.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$word_doc:meta])* $variant:ident = $word:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$word_doc])* $variant,)*
        }

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

words! {
    /// Which items of a stage wait for one another.
    Ordering {
        /// Items with the same key, in offset order. An item without a key waits for nobody.
        Key = "key",
        /// All items of a partition, in offset order.
        Partition = "partition",
        /// None.
        None = "none",
    }
}

words! {
    /// What a failed part does to its group.
    OnFailed {
        /// The gather sees it.
        Include = "include",
        /// The gather doesn't see it; it is only counted.
        Drop = "drop",
        /// It closes the group as failed, at once, and cancels the parts still at work.
        FailFast = "fail_fast",
    }
}

words! {
    /// What becomes of a group whose deadline has come.
    OnTimeout {
        /// Its result is gathered from the parts that are there.
        Partial = "partial",
        /// Its result is a failure.
        Fail = "fail",
    }
}

words! {
    /// Where parts go that come after their group has closed.
    LateParts {
        /// To the join's late topic.
        Topic = "topic",
        /// Nowhere; they are only counted.
        Drop = "drop",
    }
}

/// Where a consumer group begins that has never committed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the oldest record.
    Earliest,
    /// At the next record that arrives.
    Latest,
    /// At the first record with this time or a later one.
    At(SystemTime),
}

impl FromText for Start {
    fn from_text(text: &str) -> Result<Self, String> {
        match text {
            "earliest" => Ok(Self::Earliest),
            "latest" => Ok(Self::Latest),
            time => humantime::parse_rfc3339(time).map(Self::At).map_err(|_| {
                "earliest, latest or a time such as `2026-01-31T12:00:00Z`".to_owned()
            }),
        }
    }
}

/// How many parts of a group may fail, or be missing, before its result is a failure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Allowance {
    /// This many.
    Count(u32),
    /// This share of the expected parts, from 0 to 100.
    Percent(f64),
}

impl FromText for Allowance {
    fn from_text(text: &str) -> Result<Self, String> {
        let read = match text.strip_suffix('%') {
            None => text.parse().ok().map(Self::Count),
            Some(share) => share.trim_end().parse().ok().map(Self::Percent),
        };
        match read {
            Some(Self::Percent(share)) if !(0.0..=100.0).contains(&share) => None,
            read => read,
        }
        .ok_or_else(|| "a number of parts such as `2`, or a share such as `1%`".to_owned())
    }
}

impl FromText for String {
    fn from_text(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl FromText for u32 {
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse()
            .map_err(|_| "a whole number such as `8`".to_owned())
    }
}

impl FromText for Duration {
    fn from_text(text: &str) -> Result<Self, String> {
        humantime::parse_duration(text)
            .map_err(|_| "a duration with its unit, such as `10s` or `250ms`".to_owned())
    }
}
