//! What the headers of any item say: where it comes from, which one it is, what it belongs to.

use super::reading::{name, parsed};
use super::{CE_ID, HeaderError, Headers, ID, IDEMPOTENCY_KEY, ORIGIN, RUN};
use crate::{IdempotencyKey, Origin, ResultOrigin, RunId};

/// What an origin looks like.
const ORIGIN_FORM: &str = "topic/partition/offset/index";
/// What the origin of a result looks like.
const RESULT_ORIGIN_FORM: &str = "join/group/revision/index";

impl Origin {
    /// The origin that an item names, if it does.
    ///
    /// # Errors
    /// If its header isn't one.
    pub fn read(headers: &Headers) -> Result<Option<Self>, HeaderError> {
        headers.contains(ORIGIN).then(|| parsed(headers, ORIGIN, ORIGIN_FORM)).transpose()
    }

    /// Names it as the only origin.
    pub fn write(&self, headers: &mut Headers) {
        headers.set(ORIGIN, self.to_text());
    }
}

impl ResultOrigin {
    /// The origin that a result names, if it does.
    ///
    /// # Errors
    /// If its header isn't one.
    pub fn read(headers: &Headers) -> Result<Option<Self>, HeaderError> {
        headers.contains(ORIGIN).then(|| parsed(headers, ORIGIN, RESULT_ORIGIN_FORM)).transpose()
    }

    /// Names it as the only origin.
    pub fn write(&self, headers: &mut Headers) {
        headers.set_text(ORIGIN, self);
    }
}

/// The id of an item: ours, or that of the CloudEvent that it came as.
///
/// # Errors
/// If the header that names it isn't a name.
pub fn item_id(headers: &Headers) -> Result<Option<&str>, HeaderError> {
    match name(headers, ID)? {
        Some(id) => Ok(Some(id)),
        None => name(headers, CE_ID),
    }
}

/// What makes side effects of an item safe to repeat, if it says so.
///
/// # Errors
/// If its header isn't a name.
pub fn idempotency_key(headers: &Headers) -> Result<Option<IdempotencyKey>, HeaderError> {
    Ok(name(headers, IDEMPOTENCY_KEY)?.map(IdempotencyKey::from))
}

/// The run that an item belongs to, if any.
///
/// # Errors
/// If its header isn't a name.
pub fn run_id(headers: &Headers) -> Result<Option<RunId>, HeaderError> {
    Ok(name(headers, RUN)?.map(RunId::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_ours_goes_before_that_of_a_cloud_event() {
        let mut headers = Headers::new();
        assert_eq!(item_id(&headers), Ok(None));
        headers.set(CE_ID, "event-1");
        assert_eq!(item_id(&headers), Ok(Some("event-1")));
        headers.set(ID, "item-1");
        assert_eq!(item_id(&headers), Ok(Some("item-1")));
    }

    #[test]
    fn an_id_that_is_not_text_is_named() {
        let mut headers = Headers::new();
        headers.set(ID, &b"\xFF"[..]);
        let (value, form) = ("\u{FFFD}".into(), "a name");
        assert_eq!(item_id(&headers), Err(HeaderError::Unreadable { header: ID, value, form }));
    }

    #[test]
    fn an_origin_that_is_not_one_is_named() {
        let mut headers = Headers::new();
        assert_eq!(Origin::read(&headers), Ok(None));
        headers.set(ORIGIN, "orders/3");
        let error = Origin::read(&headers).unwrap_err();
        assert_eq!(
            error.to_string(),
            "header `ls-origin` is `orders/3`, which is not topic/partition/offset/index; \
             see the writer of the record"
        );
    }
}
