//! What the headers of a dead letter say: why an item was given up, where and when.

use super::reading::{parsed, required_name};
use super::{
    ATTEMPTS, ERROR_CLASS, ERROR_MESSAGE, FAILED_AT, HeaderError, Headers, ORIGIN, STAGE, TIMESTAMP,
};
use crate::cut::cut;
use crate::{Origin, StageName, Timestamp};

/// Bytes of an error's message that are kept: headers count towards a record's size.
pub const ERROR_MESSAGE_MAX: usize = 1024;

/// Why an item was given up, in Longshore's own headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The kind of error, of low cardinality.
    pub class: String,
    /// What happened; cut to [`ERROR_MESSAGE_MAX`] when written.
    pub message: String,
    /// The record that failed.
    pub origin: Origin,
    /// How many attempts were made.
    pub attempts: u32,
    /// The stage that gave up.
    pub stage: StageName,
    /// When.
    pub failed_at: Timestamp,
    /// The timestamp of the item; that of the dead letter is the time of its writing.
    pub item_time: Option<Timestamp>,
}

impl Failure {
    /// What the headers say; none if the record isn't a dead letter.
    ///
    /// # Errors
    /// If some but not all of them are there, or one can't be read.
    pub fn read(headers: &Headers) -> Result<Option<Self>, HeaderError> {
        if !headers.contains(ERROR_CLASS) {
            return Ok(None);
        }
        Ok(Some(Self {
            class: required_name(headers, ERROR_CLASS)?.into(),
            message: parsed(headers, ERROR_MESSAGE, "text")?,
            origin: parsed(headers, ORIGIN, "topic/partition/offset/index")?,
            attempts: parsed(headers, ATTEMPTS, "a number from 0 to 4294967295")?,
            stage: required_name(headers, STAGE)?.into(),
            failed_at: Timestamp(parsed(headers, FAILED_AT, "milliseconds since 1970")?),
            item_time: headers.parse(TIMESTAMP).map(Timestamp),
        }))
    }

    /// Adds them behind the item's own, which stay as they are: the last of a name wins, and what
    /// an earlier failure said is still there to be read.
    pub fn write(&self, headers: &mut Headers) {
        let mut add = |name, value: String| headers.push(name, Some(value.into()));
        add(ERROR_CLASS, self.class.clone());
        add(ERROR_MESSAGE, cut(&self.message, ERROR_MESSAGE_MAX).into());
        add(ORIGIN, self.origin.to_string());
        add(ATTEMPTS, self.attempts.to_string());
        add(STAGE, self.stage.to_string());
        add(FAILED_AT, self.failed_at.0.to_string());
        if let Some(time) = self.item_time {
            add(TIMESTAMP, time.0.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure() -> Failure {
        Failure {
            class: "poison".into(),
            message: "line 4 has no price".into(),
            origin: "lines/3/17/0".parse().unwrap(),
            attempts: 5,
            stage: "price".into(),
            failed_at: Timestamp(1_700_000_000_000),
            item_time: Some(Timestamp(1_600_000_000_000)),
        }
    }

    #[test]
    fn a_failure_is_read_as_it_was_written() {
        let mut headers = Headers::new();
        failure().write(&mut headers);
        assert_eq!(Failure::read(&headers), Ok(Some(failure())));
    }

    #[test]
    fn the_items_own_headers_stay_and_the_last_failure_wins() {
        let mut headers = Headers::new();
        headers.set(ORIGIN, "orders/0/1/2");
        failure().write(&mut headers);
        let again = Failure { attempts: 6, ..failure() };
        again.write(&mut headers);
        assert_eq!(Failure::read(&headers), Ok(Some(again)));
        let first = headers.iter().next().unwrap();
        assert_eq!(first, (ORIGIN, Some(&"orders/0/1/2".into())));
        assert_eq!(headers.len(), 1 + 2 * 7);
    }

    #[test]
    fn a_long_message_is_cut_between_two_characters() {
        let mut headers = Headers::new();
        let message = "ü".repeat(ERROR_MESSAGE_MAX);
        Failure { message: format!("x{message}"), ..failure() }.write(&mut headers);
        let kept = headers.text(ERROR_MESSAGE).unwrap();
        assert_eq!(kept.len(), ERROR_MESSAGE_MAX - 1);
        assert!(kept.ends_with('ü'));
    }

    #[test]
    fn a_record_that_is_no_dead_letter_has_none() {
        assert_eq!(Failure::read(&Headers::new()), Ok(None));
    }
}
