//! Why an attempt failed, and what now: try again, or give the item up.

use std::error::Error;
use std::fmt;

use longshore_schemas::{DecodeError, EncodeError};

use crate::InputError;

/// The kinds of error that Longshore itself makes. A kind labels metrics and stands in dead
/// letters, so there are few of them, and none holds data.
pub mod class {
    /// Any error of a handler that came by `?`.
    pub const HANDLER: &str = "handler";
    /// The attempt took too long.
    pub const TIMEOUT: &str = "timeout";
    /// The handler panicked.
    pub const PANIC: &str = "panic";
    /// The item doesn't read as what the handler takes.
    pub const UNDECODABLE: &str = "undecodable";
    /// What the handler made can't be written by its schema.
    pub const UNENCODABLE: &str = "unencodable";
    /// The outcome isn't one that the stage has a place for.
    pub const MISFIT: &str = "misfit";
    /// The item is split into more parts than its join takes.
    pub const TOO_MANY_PARTS: &str = "too_many_parts";
    /// The item's headers of ours can't be read.
    pub const UNREADABLE_HEADERS: &str = "unreadable_headers";
    /// Processes died while they worked on the item, and on nothing else of its partition.
    pub const CRASH: &str = "crash";
    /// An output is one that no topic takes: too large, or forbidden.
    pub const REFUSED: &str = "refused";
}

/// What the failure of an attempt means for the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Healing {
    /// It may pass: the item is tried again, until its attempts are spent.
    Transient,
    /// It never will: the item goes to the dead letters at once.
    Permanent,
}

/// Why an attempt failed.
///
/// It is made from any error by `?`, and then may heal. Say so where it can't:
///
/// ```
/// # use longshore_handler::{HandlerError, Outcome};
/// # fn handle(quantity: i64) -> Result<Outcome, HandlerError> {
/// if quantity < 0 {
///     return Err(HandlerError::permanent("negative_quantity", format!("{quantity} pieces")));
/// }
/// # Ok(Outcome::nothing())
/// # }
/// ```
// It isn't an `Error` itself, or the conversion from any error would be one from itself as well.
#[derive(Clone, PartialEq, Eq)]
pub struct HandlerError {
    healing: Healing,
    class: &'static str,
    message: String,
}

impl HandlerError {
    /// An error that may pass. `class` is the kind of error, for metrics and dead letters;
    /// `message` says what happened, and its first 1 KiB are kept.
    pub fn transient(class: &'static str, message: impl Into<String>) -> Self {
        Self { healing: Healing::Transient, class, message: message.into() }
    }

    /// An error that stays, however often the item is tried.
    pub fn permanent(class: &'static str, message: impl Into<String>) -> Self {
        Self { healing: Healing::Permanent, ..Self::transient(class, message) }
    }

    /// Whether trying again may help.
    pub fn may_heal(&self) -> bool {
        self.healing == Healing::Transient
    }

    /// The kind of error.
    pub fn class(&self) -> &'static str {
        self.class
    }

    /// What happened.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.class)
    }
}

/// What a test that unwraps a handler's answer shows.
impl fmt::Debug for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} error: {self}", self.healing)
    }
}

/// Any error may heal, but for those of values that don't fit their schema: the same value never
/// will. The message names the error's causes too.
impl<E: Error + 'static> From<E> for HandlerError {
    fn from(error: E) -> Self {
        let (healing, class) = judge(&error);
        Self { healing, class, message: with_causes(&error) }
    }
}

fn judge(error: &(dyn Error + 'static)) -> (Healing, &'static str) {
    if error.is::<InputError>() || error.is::<DecodeError>() {
        (Healing::Permanent, class::UNDECODABLE)
    } else if error.is::<EncodeError>() {
        (Healing::Permanent, class::UNENCODABLE)
    } else {
        (Healing::Transient, class::HANDLER)
    }
}

/// What the error says and, behind colons, what its causes say, as far as they say more.
fn with_causes(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !message.ends_with(&more) {
            message.push_str(": ");
            message.push_str(&more);
        }
        cause = error.source();
    }
    message
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn failed(error: impl Error + 'static) -> Result<(), HandlerError> {
        Err(error)?;
        Ok(())
    }

    #[test]
    fn any_error_is_one_that_may_heal() {
        let error = failed(io::Error::other("the price service is away")).unwrap_err();
        assert!(error.may_heal());
        assert_eq!(error.class(), class::HANDLER);
        assert_eq!(error.message(), "the price service is away");
    }

    #[test]
    fn a_value_that_does_not_fit_its_schema_never_will() {
        let error = failed(InputError::NoValue).unwrap_err();
        assert_eq!((error.may_heal(), error.class()), (false, class::UNDECODABLE));
        let error = failed(DecodeError::Empty).unwrap_err();
        assert_eq!((error.may_heal(), error.class()), (false, class::UNDECODABLE));
        let oversized = EncodeError::Oversized { schema: "Line", len: 3, max: 2 };
        let error = failed(oversized).unwrap_err();
        assert_eq!((error.may_heal(), error.class()), (false, class::UNENCODABLE));
    }

    #[test]
    fn causes_are_named_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("looking up the price")]
        struct Lookup(#[source] io::Error);
        #[derive(Debug, thiserror::Error)]
        #[error("{0}")]
        struct Told(#[source] io::Error);

        let away = || io::Error::other("connection refused");
        let error = failed(Lookup(away())).unwrap_err();
        assert_eq!(error.message(), "looking up the price: connection refused");
        let error = failed(Told(away())).unwrap_err();
        assert_eq!(error.message(), "connection refused");
    }

    #[test]
    fn an_error_shows_its_kind_and_class() {
        let error = HandlerError::permanent("sold_out", "no pieces left");
        assert_eq!(error.to_string(), "no pieces left (sold_out)");
        assert_eq!(format!("{error:?}"), "Permanent error: no pieces left (sold_out)");
    }
}
