//! What a join's owner leaves for the next one, beside the committed position.

use std::fmt;
use std::str::FromStr;

use longshore_schemas::Timestamp;
use thiserror::Error;

/// Where a replay starts: `l<low>.j<journal>.w<watermark>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinState {
    /// The oldest inbox record of any group whose closing isn't committed.
    pub low: i64,
    /// Where the journal stood when that record was absorbed, or before.
    pub journal: i64,
    /// The partition's watermark by then: groups that closed a while before it are still
    /// remembered.
    pub watermark: Timestamp,
}

/// Text that is no state of a join.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not of the form l<low>.j<journal>.w<watermark>: another component's progress?")]
pub struct JoinStateError(String);

impl fmt::Display for JoinState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "l{}.j{}.w{}", self.low, self.journal, self.watermark.0)
    }
}

impl FromStr for JoinState {
    type Err = JoinStateError;

    fn from_str(text: &str) -> Result<Self, JoinStateError> {
        let refused = || JoinStateError(text.to_owned());
        let mut fields = text.split('.');
        let mut field =
            |prefix: char| -> Option<i64> { fields.next()?.strip_prefix(prefix)?.parse().ok() };
        let low = field('l').ok_or_else(refused)?;
        let journal = field('j').ok_or_else(refused)?;
        let watermark = Timestamp(field('w').ok_or_else(refused)?);
        Ok(Self { low, journal, watermark })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let state = JoinState { low: 12, journal: 3, watermark: Timestamp(-7) };
        assert_eq!(state.to_string(), "l12.j3.w-7");
        assert_eq!("l12.j3.w-7".parse(), Ok(state));
        for text in ["", "l1", "l1.j2", "l1.jx.w3", "j1.l2.w3"] {
            assert!(text.parse::<JoinState>().is_err(), "{text}");
        }
    }
}
